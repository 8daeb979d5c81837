"""The small records that carry meaning between modules."""

from aqa_pipeline.records.dataset import Dataset, Split, Target, Video
from aqa_pipeline.records.record import Box, Event, Pictures, Record, Source
from aqa_pipeline.records.stream_spec import POINTING, SpecValue, StreamSpec

__all__ = [
    "POINTING",
    "Box",
    "Dataset",
    "Event",
    "Pictures",
    "Record",
    "Source",
    "SpecValue",
    "Split",
    "StreamSpec",
    "Target",
    "Video",
]
