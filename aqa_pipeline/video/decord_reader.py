"""Frames through decord, for files where `packets.decord_doubt` has none.

decord decodes ahead without bound while its caller thinks (one 720p picture asked for, 1.8 GB a few seconds
later), so what it may hold in the end is all frames of the file. `auto` takes it only where those fit.
"""

import logging
from collections.abc import Iterator, Sequence
from importlib.util import find_spec

import numpy as np
import numpy.typing as npt

from aqa_pipeline.video.orientation import Picture
from aqa_pipeline.video.pyav_reader import read_pyav
from aqa_pipeline.video.timeline import Scan

log = logging.getLogger(__name__)

READ_AHEAD_BYTES = 128 * 1024**2
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

    Where decord gives up, PyAV goes on: the pictures are the same bit by bit, and of a damaged file it reads
    further and says where it stops. Raises `VideoError` as `read_pyav` does.
    """
    num_read = 0
    for batch in _batches(scan, frame_index, num_threads):
        yield from batch
        num_read += len(batch)
    if num_read < len(frame_index):
        yield from read_pyav(scan, frame_index[num_read:], num_threads=num_threads)


def _batches(scan: Scan, frame_index: Sequence[int], num_threads: int) -> Iterator[npt.NDArray[np.uint8]]:
    """(n, H, W, 3) pictures in order, fewer than wanted if decord fails or disagrees with the timeline."""
    import decord

    decord.logging.set_level(decord.logging.QUIET)  # decord's own ffmpeg writes to the terminal
    try:
        reader = decord.VideoReader(str(scan.path), num_threads=num_threads)
        if len(reader) != scan.timeline.num_frames:
            log.warning("%s: decord counts %d frames, %s", scan.path, len(reader), scan.timeline)
            return
        for start in range(0, len(frame_index), BATCH_FRAMES):
            batch = reader.get_batch(list(frame_index[start : start + BATCH_FRAMES])).asnumpy()
            if batch.shape[1:3] != (scan.height, scan.width):
                log.warning("%s: decord delivers pictures of another size, %s", scan.path, batch.shape)
                return
            yield batch
    except (decord.DECORDError, RuntimeError) as error:
        log.warning("%s: decord gives up: %s", scan.path, str(error).strip().split("\n", 1)[0])
