"""Decode videos in child processes, one video per process at a time."""
