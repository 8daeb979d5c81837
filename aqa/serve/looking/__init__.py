"""Look at a video in a process of its own: a file that crashes or stops a decoder costs nothing else."""
