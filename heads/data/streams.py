"""Which streams hold maps or pictures instead of feature vectors."""

from heads.recipes.fine_tuning import PIXELS

__all__ = ["LARGE_STREAMS", "MAP_STREAMS", "PIXELS"]

MAP_STREAMS = ("tubes",)  # read by heads that `reads_maps`
LARGE_STREAMS = (*MAP_STREAMS, PIXELS)  # larger than memory: read from the store batch by batch
