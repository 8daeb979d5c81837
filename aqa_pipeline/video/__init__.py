"""Read exact frames by time from any video file or folder of pictures."""

from aqa_pipeline.video.facts import VideoFacts, probe
from aqa_pipeline.video.opening import OpenVideo, ReaderName, check_reader, open_video
from aqa_pipeline.video.orientation import Picture
from aqa_pipeline.video.sampling import Samples, Timeline, as_rate, sample_by_time
from aqa_pipeline.video.sources import Disk, source_digest, source_of

__all__ = [
    "Disk",
    "OpenVideo",
    "Picture",
    "ReaderName",
    "Samples",
    "Timeline",
    "VideoFacts",
    "as_rate",
    "check_reader",
    "open_video",
    "probe",
    "sample_by_time",
    "source_digest",
    "source_of",
]
