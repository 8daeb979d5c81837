"""Which streams hold maps or pictures instead of feature vectors."""

from heads.recipes.fine_tuning import PIXELS

__all__ = ["LARGE_STREAMS", "MAP_STREAMS", "PIXELS", "VIDEO_DIFFICULTIES", "VIDEO_KEYS"]

MAP_STREAMS = ("tubes",)  # read by heads that `reads_maps`
# What batches hold beside the streams, for heads that compare videos; no stream's name has a point.
VIDEO_KEYS = "video.key"
VIDEO_DIFFICULTIES = "video.difficulty"
LARGE_STREAMS = (*MAP_STREAMS, PIXELS)  # larger than memory: read from the store batch by batch
