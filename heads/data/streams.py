"""Which streams hold maps instead of feature vectors."""

MAP_STREAMS = ("tubes",)  # larger than memory: read from the store batch by batch, by heads that `reads_maps`
