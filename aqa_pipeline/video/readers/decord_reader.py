"""Read frames with decord, if it is asked for and `packets.decord_doubt` is None.

decord decodes ahead without limit while its caller works (1.8 GB a few seconds after one 720p picture), so it
may hold all frames of the file in memory.
"""

import logging
from collections.abc import Iterator, MutableMapping, Sequence

import numpy as np
import numpy.typing as npt

from aqa_pipeline.errors import VideoError
from aqa_pipeline.installation import install_command
from aqa_pipeline.records import SpecValue
from aqa_pipeline.video.orientation import Picture
from aqa_pipeline.video.readers.pyav_reader import read_pyav
from aqa_pipeline.video.timeline import Scan

log = logging.getLogger(__name__)

BATCH_FRAMES = 8


def check_decord() -> None:
    """Raise `VideoError` if decord is not installed or cannot be imported."""
    try:
        import decord  # noqa: F401
    except ModuleNotFoundError as error:
        raise VideoError(
            f"--reader decord: decord is not installed ({install_command('decord')}; it has packages only "
            "for Linux and Windows on x86-64). PyAV reads every video: leave out --reader."
        ) from error
    except Exception as error:  # a broken installation fails in many ways: OSError, RuntimeError, ...
        raise VideoError(
            f"--reader decord: decord cannot be imported ({str(error).strip().partition(chr(10))[0]}). "
            "PyAV reads every video: leave out --reader."
        ) from error


def read_decord(
    scan: Scan,
    frame_index: Sequence[int],
    *,
    picture: MutableMapping[str, SpecValue],
    num_threads: int = 1,
) -> Iterator[Picture]:
    """Yield RGB pictures, (height, width, 3), of strictly increasing frames of the file.

    If decord fails, PyAV continues: its pictures are equal bit for bit, and it reads more of a damaged file
    and says where it ends. Raises `VideoError` as `read_pyav` does.
    """
    num_read = 0
    for batch in _batches(scan, frame_index, num_threads):
        yield from batch
        num_read += len(batch)
    if num_read < len(frame_index):
        yield from read_pyav(scan, frame_index[num_read:], picture=picture, num_threads=num_threads)


def _batches(scan: Scan, frame_index: Sequence[int], num_threads: int) -> Iterator[npt.NDArray[np.uint8]]:
    """Yield pictures in order, (frame, height, width, 3); stop early if decord fails or is wrong."""
    import decord

    decord.logging.set_level(decord.logging.QUIET)  # the ffmpeg of decord writes to the terminal
    try:
        reader = decord.VideoReader(str(scan.path), num_threads=num_threads)
        if len(reader) != scan.timeline.num_frames:
            log.warning("%s: decord counts %d frames, %s", scan.path, len(reader), scan.timeline)
            return
        for start in range(0, len(frame_index), BATCH_FRAMES):
            batch = reader.get_batch(list(frame_index[start : start + BATCH_FRAMES])).asnumpy()
            if batch.shape[1:3] != (scan.frame_format.height, scan.frame_format.width):
                log.warning("%s: decord delivers pictures of another size, %s", scan.path, batch.shape)
                return
            yield batch
    except (decord.DECORDError, RuntimeError) as error:
        log.warning("%s: decord gives up: %s", scan.path, str(error).strip().split("\n", 1)[0])
