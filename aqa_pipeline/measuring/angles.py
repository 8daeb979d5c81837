"""The angles of the joints at a moment, in the plane of the picture."""

import numpy as np

from aqa_pipeline.errors import MeasureError
from aqa_pipeline.measuring.fact import MeasuredFact
from aqa_pipeline.measuring.pose_series import PoseSeries
from aqa_pipeline.measuring.scatter import half_width


def angles_at(series: PoseSeries, seconds: float) -> list[MeasuredFact]:
    """Return the angles of knees, hips, elbows and shoulders in degrees, 180 is straight.

    They are those of the pose that stands for that time. A joint with a visibility below 0.5 gives none.
    Raise `MeasureError` if no pose stands for that time.
    """
    step = _step_at(series, seconds)
    return [_fact(series, name, step) for name in series.angles]


def _step_at(series: PoseSeries, seconds: float) -> int:
    covers = np.flatnonzero((series.covered[:, 0] <= seconds) & (seconds < series.covered[:, 1]))
    if len(covers):
        return int(covers[0])
    before, after = series.seconds[series.seconds < seconds], series.seconds[series.seconds >= seconds]
    near = [*(f"the last before at {each:.2f} s" for each in before[-1:])]
    near += [f"the next at {each:.2f} s" for each in after[:1]]
    nearest = ", ".join(near) or "there is none at all"
    raise MeasureError(
        f"no pose at {seconds:g} s: the athlete was not found there, or it is not in the video; {nearest}."
    )


def _fact(series: PoseSeries, name: str, step: int) -> MeasuredFact:
    signed, visibility = series.angles[name], series.least_visibility(name)[step]
    title, when = f"{name} at {series.seconds[step]:.2f} s", f"least visibility {visibility:.2f}"
    if not np.isfinite(signed[step]):
        return MeasuredFact(title, "degrees", f"hidden: {when}")
    value, found = float(abs(signed[step])), half_width(series.seconds, signed, step)
    if found is None:
        return MeasuredFact(title, "degrees", f"{when}; too few neighboring poses for an uncertainty", value)
    half, steps = found
    rests_on = f"{when}; scatter of {steps} neighboring poses"
    return MeasuredFact(title, "degrees", rests_on, value, max(0.0, value - half), min(180.0, value + half))
