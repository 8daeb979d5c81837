"""One way to read frames a file: PyAV, decord, folders of pictures."""
