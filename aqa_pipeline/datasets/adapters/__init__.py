"""One dataset a file: its layout on disk, its labels, its splits."""
