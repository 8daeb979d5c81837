"""The streams by name: what a person may ask `aqa extract --streams` for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from aqa_pipeline.backbones import BACKBONES, Backbone
from aqa_pipeline.errors import AqaError, UnknownName
from extract.detectors import AthleteRule, PersonDetector
from extract.runtimes.load_backbone import LoadedBackbone
from extract.streams.clip_sampling import ClipSampling
from extract.streams.clips import Clips
from extract.streams.crops import Crops
from extract.streams.stream import Encoded, Encoder, Ending, Intake, Rest, Steps, Stream, plan_steps
from extract.streams.tube_sampling import TubeSampling
from extract.streams.tubes import ENDPOINTS, Tubes
from extract.streams.whole_frames import WholeFrames
from extract.trackers import TubeSource

__all__ = [
    "STREAMS",
    "ClipSampling",
    "Encoded",
    "Encoder",
    "Ending",
    "Intake",
    "Parts",
    "Rest",
    "Steps",
    "Stream",
    "StreamKind",
    "TubeSampling",
    "get_stream_kind",
    "plan_steps",
]

Dtype = Literal["float32", "float16"]
Variant = Literal["paper", "released"]


@dataclass(frozen=True)
class Parts:
    """What a stream is put together from. `detector` is None for streams that need no person.

    `batch_size` counts what the network takes at once; `clips` matters to the stream of that name alone,
    `rest` to `segments`, `athlete` to `crops`, `tubes`, `tube_source` and `variant` to the stream `tubes`.
    """

    backbone: LoadedBackbone
    detector: PersonDetector | None
    batch_size: int
    dtype: Dtype
    clips: ClipSampling = field(default_factory=ClipSampling)
    athlete: AthleteRule = field(default_factory=AthleteRule)
    tubes: TubeSampling = field(default_factory=TubeSampling)
    tube_source: TubeSource | None = None
    variant: Variant = "paper"
    rest: Rest = "dropped"


@dataclass(frozen=True)
class StreamKind:
    """A stream before its parts are chosen: which kind of backbone it takes, and its usual one.

    `check` raises `AqaError` for a backbone whose clips it cannot use, before weights are asked for.
    """

    name: str
    takes: Literal["clip", "image"]
    default_backbone: str
    needs_person: bool
    build: Callable[[Parts], Stream]
    check: Callable[[Backbone, ClipSampling], None] = lambda backbone, clips: None
    default_dtype: Dtype = "float32"
    needs_tube: bool = False


def _segments(parts: Parts) -> Stream:
    frames = parts.backbone.backbone.frames_per_clip
    assert frames is not None, "segments need a clip backbone"
    return WholeFrames("segments", 5.0, frames, parts.backbone, parts.batch_size, parts.dtype, parts.rest)


def _frames(parts: Parts) -> Stream:
    return WholeFrames("frames", 1.0, 1, parts.backbone, parts.batch_size, parts.dtype)


def _crops(parts: Parts) -> Stream:
    assert parts.detector is not None, "crops need a person detector"
    return Crops(1.0, parts.backbone, parts.detector, parts.athlete, parts.batch_size, parts.dtype)


def _clips(parts: Parts) -> Stream:
    return Clips(parts.clips, parts.backbone, parts.batch_size, parts.dtype)


def _check_clips(backbone: Backbone, clips: ClipSampling) -> None:
    assert backbone.frames_per_clip is not None, "clips need a clip backbone"
    clips.check_fits(backbone.name, backbone.frames_per_clip)


def _tubes(parts: Parts) -> Stream:
    assert parts.tube_source is not None, "tubes need a source of tubes"
    endpoint = ENDPOINTS[parts.variant]
    return Tubes(parts.tubes, endpoint, parts.tube_source, parts.backbone, parts.batch_size, parts.dtype)


def _check_tubes(backbone: Backbone, clips: ClipSampling) -> None:
    missing = [endpoint for endpoint in ENDPOINTS.values() if endpoint not in backbone.map_shapes]
    if missing:
        fitting = [each.name for each in BACKBONES.listed()[0].values() if each.map_shapes]
        raise AqaError(
            f"stream tubes takes maps after {' or '.join(missing)}, which backbone {backbone.name} does not "
            f"give. Choose {' or '.join(fitting)}."
        )


STREAMS = {
    kind.name: kind
    for kind in (
        StreamKind("segments", "clip", "i3d", False, _segments),
        StreamKind("crops", "image", "resnet50", True, _crops),
        StreamKind("frames", "image", "resnet50", False, _frames),
        StreamKind("clips", "clip", "r2plus1d_34_ig65m_32", False, _clips, _check_clips),
        StreamKind("tubes", "clip", "i3d-tsa-net", False, _tubes, _check_tubes, "float16", True),
    )
}


def get_stream_kind(name: str) -> StreamKind:
    """Return the stream of that name; raises `UnknownName`."""
    if name not in STREAMS:
        raise UnknownName("stream", name, STREAMS)
    return STREAMS[name]
