"""Frames through decord, for files where `packets.decord_doubt` has none.

decord decodes ahead without bound while its caller thinks (one 720p picture asked for, 1.8 GB a few seconds
later), so what it may hold in the end is all frames of the file. `auto` takes it only where those fit.
"""

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any

from aqa_pipeline.errors import VideoError
from aqa_pipeline.video.orientation import Picture
from aqa_pipeline.video.pyav_reader import failure
from aqa_pipeline.video.timeline import Scan

READ_AHEAD_BYTES = 256 * 1024**2
BATCH_FRAMES = 8


def installed() -> bool:
    """Whether decord is there (it has no wheels for macOS on ARM, nor for Windows on ARM)."""
    return find_spec("decord") is not None


def read_ahead_doubt(scan: Scan) -> str | None:
    """Why decord's read-ahead may fill the memory; None if all frames of the file fit."""
    num_bytes = scan.timeline.num_frames * scan.width * scan.height * 3
    if num_bytes <= READ_AHEAD_BYTES:
        return None
    return f"it decodes ahead without bound, and all frames are {num_bytes / 1024**2:.0f} MiB"


def read_decord(scan: Scan, frame_index: Sequence[int], *, num_threads: int = 1) -> Iterator[Picture]:
    """(H, W, 3) RGB pictures of the strictly increasing frames, counted from the start of the file.

    Raises `VideoError` where decord cannot read the file, or counts other frames than the timeline.
    """
    import decord

    decord.logging.set_level(decord.logging.QUIET)  # decord's own ffmpeg writes to the terminal
    try:
        reader = decord.VideoReader(str(scan.path), num_threads=num_threads)
    except (decord.DECORDError, RuntimeError) as error:
        raise failure(scan, 0, f"decord cannot open it ({_first_line(error)})") from error
    if len(reader) != scan.timeline.num_frames:
        raise failure(scan, 0, f"decord counts {len(reader)} frames. Use the reader pyav")
    for start in range(0, len(frame_index), BATCH_FRAMES):
        batch_index = list(frame_index[start : start + BATCH_FRAMES])
        try:
            batch = reader.get_batch(batch_index).asnumpy()
        except (decord.DECORDError, RuntimeError) as error:
            raise failure(scan, batch_index[0], f"decord fails ({_first_line(error)})") from error
        if batch.shape[1:3] != (scan.height, scan.width):
            size = f"{batch.shape[2]}x{batch.shape[1]}"
            raise VideoError(f"{scan.path}: decord delivers {size} pictures. Use the reader pyav.")
        yield from batch


def _first_line(error: Any) -> str:
    return str(error).strip().split("\n", 1)[0]
