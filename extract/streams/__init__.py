"""The streams by name, as `aqa extract --streams` takes them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from aqa_pipeline.backbones import BACKBONES, Backbone
from aqa_pipeline.errors import AqaError, UnknownName
from extract.detectors import AthleteRule, PersonDetector
from extract.poses import PoseNetwork
from extract.runtimes.load_backbone import LoadedBackbone
from extract.streams.clip_sampling import ClipSampling
from extract.streams.clips import Clips
from extract.streams.crops import Crops
from extract.streams.pixel_sampling import PixelSampling
from extract.streams.pixels import Pixels
from extract.streams.poses import RATE_FPS as POSE_RATE
from extract.streams.poses import Poses
from extract.streams.stored_picture import StoredPicture
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
    "PixelParts",
    "PixelSampling",
    "Rest",
    "Steps",
    "StoredPicture",
    "Stream",
    "StreamKind",
    "TubeParts",
    "TubeSampling",
    "get_stream_kind",
    "plan_steps",
]

Dtype = Literal["float32", "float16"]
Tracking = Literal["never", "always", "if named"]  # "if named": where a tracker is named
Variant = Literal["paper", "released"]


@dataclass(frozen=True)
class TubeParts:
    """What the stream `tubes` is built from. `source` is None for a stream that is not tracked."""

    source: TubeSource | None = None
    sampling: TubeSampling = field(default_factory=TubeSampling)
    variant: Variant = "paper"


@dataclass(frozen=True)
class PixelParts:
    """What the stream `pixels` alone is built from, beside the source of tubes."""

    sampling: PixelSampling = field(default_factory=PixelSampling)
    picture: StoredPicture = field(default_factory=StoredPicture)


@dataclass(frozen=True)
class Parts:
    """The parts that a stream is built from. `detector` is None for streams that need no person.

    `batch_size` is the number of clips or pictures that the network takes at once. The stream `clips` reads
    `clips`, `segments` reads `rest`, `crops` reads `athlete`, `tubes` reads `tubes`; `poses` reads `athlete`
    and `pose_rate` (frames a second), and its `network` is a pose network. `pixels` reads `pixels` and the
    `source` of `tubes`, and has no network.
    """

    network: LoadedBackbone | PoseNetwork | None
    detector: PersonDetector | None
    batch_size: int
    dtype: Dtype
    clips: ClipSampling = field(default_factory=ClipSampling)
    athlete: AthleteRule = field(default_factory=AthleteRule)
    tubes: TubeParts = field(default_factory=TubeParts)
    pixels: PixelParts = field(default_factory=PixelParts)
    rest: Rest = "dropped"
    pose_rate: float = POSE_RATE

    @property
    def backbone(self) -> LoadedBackbone:
        """The network of a stream that has a backbone."""
        assert isinstance(self.network, LoadedBackbone), "this stream has no backbone"
        return self.network


@dataclass(frozen=True)
class StreamKind:
    """A stream before its parts are chosen: what its network takes, and the default network.

    A network that takes a person is a pose network; all others are backbones. A stream that takes nothing has
    no network, and "" as its default. `check` raises `AqaError` for a backbone whose clips it cannot use,
    before weights are asked for. `tracking` says whether a tracker follows the athlete.
    """

    name: str
    takes: Literal["clip", "image", "person", "nothing"]
    default_backbone: str
    needs_person: bool
    build: Callable[[Parts], Stream]
    check: Callable[[Backbone, ClipSampling], None] = lambda backbone, clips: None
    default_dtype: Dtype = "float32"
    tracking: Tracking = "never"


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
    tubes = parts.tubes
    assert tubes.source is not None, "tubes need a source of tubes"
    endpoint = ENDPOINTS[tubes.variant]
    return Tubes(tubes.sampling, endpoint, tubes.source, parts.backbone, parts.batch_size, parts.dtype)


def _check_tubes(backbone: Backbone, clips: ClipSampling) -> None:
    missing = [endpoint for endpoint in ENDPOINTS.values() if endpoint not in backbone.map_shapes]
    if missing:
        fitting = [each.name for each in BACKBONES.listed()[0].values() if each.map_shapes]
        raise AqaError(
            f"stream tubes takes maps after {' or '.join(missing)}, which backbone {backbone.name} does not "
            f"give. Choose {' or '.join(fitting)}."
        )


def _poses(parts: Parts) -> Stream:
    assert parts.detector is not None, "poses need a person detector"
    network = parts.network
    assert network is not None, "poses need a network"
    assert not isinstance(network, LoadedBackbone), "poses need a pose network"
    return Poses(parts.pose_rate, network, parts.detector, parts.athlete, parts.batch_size, parts.dtype)


def _pixels(parts: Parts) -> Stream:
    return Pixels(parts.pixels.sampling, parts.pixels.picture, parts.tubes.source)


STREAMS = {
    kind.name: kind
    for kind in (
        StreamKind("segments", "clip", "i3d", False, _segments),
        StreamKind("crops", "image", "resnet50", True, _crops),
        StreamKind("frames", "image", "resnet50", False, _frames),
        StreamKind("clips", "clip", "r2plus1d_34_ig65m_32", False, _clips, _check_clips),
        StreamKind("tubes", "clip", "i3d-tsa-net", False, _tubes, _check_tubes, "float16", "always"),
        StreamKind("poses", "person", "blazepose-full", True, _poses),
        StreamKind("pixels", "nothing", "", False, _pixels, tracking="if named"),
    )
}


def get_stream_kind(name: str) -> StreamKind:
    """Return the stream of that name; raise `UnknownName`."""
    if name not in STREAMS:
        raise UnknownName("stream", name, STREAMS)
    return STREAMS[name]
