"""Find performances in a folder with the pictures of a broadcast, by the numbers in the names.

Frames are counted from 0. Some folders begin with picture 1 (as ffmpeg writes them), some with picture 0, and
some hold only the frames around the performances. So only the number of a picture says which frame it is.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Window:
    """The frames `[start_frame, stop_frame)`. The first `num_spare` of them may be absent."""

    start_frame: int
    stop_frame: int
    num_spare: int = 0


@dataclass(frozen=True, eq=False)
class BroadcastFolder:
    """Numbered pictures of a broadcast. `first_number` is the number of frame 0, even if it is absent.

    `numbers` is (frame,) and strictly increasing.
    """

    path: Path
    numbers: npt.NDArray[np.int64]
    first_number: int

    def cut(self, window: Window) -> tuple[Path, int, int]:
        """Return the folder, and the positions `[start, stop)` of the window among its pictures.

        For a window with a gap, return the path of the first absent picture, and the window.
        """
        wanted = np.arange(window.start_frame, window.stop_frame) + self.first_number
        places = np.searchsorted(self.numbers, wanted)
        gaps = np.flatnonzero(self.numbers[np.minimum(places, len(self.numbers) - 1)] != wanted)
        if len(gaps) and gaps[-1] >= window.num_spare:
            number = int(wanted[gaps[gaps >= window.num_spare][0]])
            return self._picture(number), window.start_frame, window.stop_frame
        first = int(gaps[-1]) + 1 if len(gaps) else 0
        return self.path, int(places[first]), int(places[-1]) + 1

    def _picture(self, number: int) -> Path:
        """Return the path at which the picture of that number is expected, named like the first picture."""
        from aqa_pipeline.video.readers.frame_folder import list_pictures

        name = list_pictures(self.path)[0].name
        return self.path / re.sub(
            r"\d+(?=\D*\.\w+$)", lambda digits: f"{number:0{len(digits[0])}d}", name, count=1
        )


def open_broadcast(folder: Path, *, usual_first_number: int) -> BroadcastFolder:
    """List the folder. `usual_first_number` is used if it begins with neither picture 0 nor picture 1.

    Raises `VideoError` for pictures whose numbers do not count frames.
    """
    from aqa_pipeline.video.readers.frame_folder import picture_numbers

    numbers = picture_numbers(folder)
    begins_with = int(numbers[0])
    return BroadcastFolder(folder, numbers, begins_with if begins_with in (0, 1) else usual_first_number)
