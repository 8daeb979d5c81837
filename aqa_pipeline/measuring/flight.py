"""The time in the air between two marked frames, and the height that follows from it.

A frame that shows the athlete in the air says only that the take-off lies between the frame before and this
one. So each of the two times is uncertain by one frame, and the bounds are exact:

    t   = time[landing] - time[take-off]
    low = time[landing - 1] - time[take-off]      high = time[landing] - time[take-off - 1]

Height by the flight-time method (Bosco et al., European Journal of Applied Physiology 1983): h = g t^2 / 8.
It takes for granted that the body lands in the posture in which it took off, and that nothing pushes it.
"""

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.errors import MeasureError
from aqa_pipeline.measuring.fact import MeasuredFact

GRAVITY = 9.80665  # m / s^2, standard gravity


def time_in_the_air(
    frame_seconds: NDArray[np.float64], duration_seconds: float, *, take_off: float, landing: float
) -> tuple[MeasuredFact, MeasuredFact]:
    """Return the time in the air in seconds, and the height in meters that it implies.

    `frame_seconds` (frame) are the times at which frames begin. A player shows at `take_off` the first frame
    in the air, and at `landing` the first frame with contact again, in seconds. Raise `MeasureError` for
    times that are not in the video, in the wrong order, or in its first frame.
    """
    first, last = (
        _frame_at(frame_seconds, duration_seconds, seconds, name)
        for seconds, name in ((take_off, "take-off"), (landing, "landing"))
    )
    if first >= last:
        raise MeasureError(
            f"landing at {landing:g} s is not after take-off at {take_off:g} s: they are shown by frames "
            f"{last} and {first}."
        )
    seconds, low, high = (
        float(frame_seconds[stop] - frame_seconds[start])
        for start, stop in ((first, last), (first, last - 1), (first - 1, last))
    )
    marks = f"frames {first} ({frame_seconds[first]:.3f} s) and {last} ({frame_seconds[last]:.3f} s)"
    heights = (GRAVITY * each**2 / 8 for each in (seconds, low, high))
    return (
        MeasuredFact("time in the air", "s", f"{marks}, each known to one frame", seconds, low, high),
        MeasuredFact("height from the time in the air", "m", "g t² / 8", *heights),
    )


def _frame_at(frame_seconds: NDArray[np.float64], duration_seconds: float, seconds: float, name: str) -> int:
    """Return the frame that is shown at that time."""
    if not 0 <= seconds < duration_seconds:
        raise MeasureError(
            f"{name} at {seconds:g} s is not in the video, which is {duration_seconds:.2f} s long."
        )
    frame = int(np.searchsorted(frame_seconds, seconds, side="right")) - 1
    if frame == 0:
        raise MeasureError(
            f"{name} at {seconds:g} s is in the first frame: the video does not show when it was."
        )
    return frame
