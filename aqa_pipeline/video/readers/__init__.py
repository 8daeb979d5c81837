"""The readers of frames, one per file: PyAV, decord, folders of pictures."""
