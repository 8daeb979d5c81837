"""What the label page knows of a video file. The decoder runs in a process of its own, once for each file."""

from functools import lru_cache
from pathlib import Path

from aqa.serve.looking.look import FrameList, Look, list_frames, look_at

Version = tuple[Path, int, int]


def facts_of(path: Path) -> Look:
    """Return size, frame rate and codec, from the header where it has them. Raise `VideoError`."""
    return _facts(_version(path))


def frames_of(path: Path) -> FrameList:
    """Return the exact list of frames. Raise `VideoError`."""
    return _frames(_version(path))


def _version(path: Path) -> Version:
    facts = path.stat()
    return path, facts.st_size, facts.st_mtime_ns


@lru_cache(maxsize=100)
def _facts(version: Version) -> Look:
    return look_at(version[0])


@lru_cache(maxsize=8)  # an hour has 100,000 frames
def _frames(version: Version) -> FrameList:
    return list_frames(version[0])
