"""Performances in a folder of a broadcast's pictures: the number in a picture's name says which frame it is.

Frames count from 0. Some folders begin with picture 1 (ffmpeg writes them so), some with picture 0, and some
hold only the frames around the performances, so that the place of a picture says nothing.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Window:
    """Frames `[start_frame, stop_frame)`. The first `num_spare` of them are taken where they exist."""

    start_frame: int
    stop_frame: int
    num_spare: int = 0


@dataclass(frozen=True, eq=False)
class BroadcastFolder:
    """Numbered pictures of a broadcast; frame 0 has the number `first_number`, whether it is there or not.

    `numbers` (num_pictures,) are strictly increasing.
    """

    path: Path
    numbers: npt.NDArray[np.int64]
    first_number: int

    def cut(self, window: Window) -> tuple[Path, int, int]:
        """The folder, and where the window lies among its pictures: `[start, stop)`.

        Of a window with a gap: the path at which the first absent picture is expected, and the window.
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
        """Where the picture of that number is expected, named like the first one."""
        from aqa_pipeline.video.readers.frame_folder import list_pictures

        name = list_pictures(self.path)[0].name
        return self.path / re.sub(
            r"\d+(?=\D*\.\w+$)", lambda digits: f"{number:0{len(digits[0])}d}", name, count=1
        )


def open_broadcast(folder: Path, *, usual_first_number: int) -> BroadcastFolder:
    """The folder, listed. `usual_first_number` counts where it begins with neither picture 0 nor 1.

    Raises `VideoError` for pictures without numbers that count.
    """
    from aqa_pipeline.video.readers.frame_folder import picture_numbers

    numbers = picture_numbers(folder)
    begins_with = int(numbers[0])
    return BroadcastFolder(folder, numbers, begins_with if begins_with in (0, 1) else usual_first_number)
