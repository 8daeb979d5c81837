"""The streams by name: what a person may ask `aqa extract --streams` for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from aqa_pipeline.errors import UnknownName
from extract.backbones import LoadedBackbone
from extract.detectors import PersonDetector
from extract.streams.crops import Crops
from extract.streams.stream import Encoded, Steps, Stream, plan_steps
from extract.streams.whole_frames import WholeFrames

__all__ = ["STREAMS", "Encoded", "Parts", "Steps", "Stream", "StreamKind", "get_stream_kind", "plan_steps"]

Dtype = Literal["float32", "float16"]


@dataclass(frozen=True)
class Parts:
    """What a stream is put together from. `detector` is None for streams that need no person."""

    backbone: LoadedBackbone
    detector: PersonDetector | None
    batch_size: int
    dtype: Dtype


@dataclass(frozen=True)
class StreamKind:
    """A stream before its parts are chosen: which kind of backbone it takes, and its usual one."""

    name: str
    takes: Literal["clip", "image"]
    default_backbone: str
    needs_person: bool
    build: Callable[[Parts], Stream]


def _segments(parts: Parts) -> Stream:
    frames = parts.backbone.backbone.frames_per_clip
    assert frames is not None, "segments need a clip backbone"
    return WholeFrames("segments", 5.0, frames, parts.backbone, parts.batch_size, parts.dtype)


def _frames(parts: Parts) -> Stream:
    return WholeFrames("frames", 1.0, 1, parts.backbone, parts.batch_size, parts.dtype)


def _crops(parts: Parts) -> Stream:
    assert parts.detector is not None, "crops need a person detector"
    return Crops(1.0, parts.backbone, parts.detector, parts.batch_size, parts.dtype)


STREAMS = {
    kind.name: kind
    for kind in (
        StreamKind("segments", "clip", "i3d", False, _segments),
        StreamKind("crops", "image", "resnet50", True, _crops),
        StreamKind("frames", "image", "resnet50", False, _frames),
    )
}


def get_stream_kind(name: str) -> StreamKind:
    """The stream of that name; raises `UnknownName`."""
    if name not in STREAMS:
        raise UnknownName("stream", name, STREAMS)
    return STREAMS[name]
