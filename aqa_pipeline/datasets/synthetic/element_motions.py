"""The motions of single elements and of the phases between them, as functions of their progress in [0, 1].

`movement.py` explains the channels. `amount` in [0, 1] is the size of an element's movement.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Motion = Mapping[str, Floats]


def ease(progress: Floats) -> Floats:
    """Return a curve from 0 to 1 that is at rest at both ends (smoothstep)."""
    return progress * progress * (3 - 2 * progress)


def hold(progress: Floats) -> Floats:
    """Return a curve that rises in the first quarter, stays at 1, and falls in the last quarter."""
    return ease(np.clip(np.minimum(progress, 1 - progress) * 4, 0, 1))


def pulses(progress: Floats, count: int) -> Floats:
    """Return a curve with `count` pulses from 0 to 1 and back."""
    return np.sin(np.pi * count * progress) ** 2


def _flight(progress: Floats) -> Floats:
    """Return the arc of a jump in the middle of an element."""
    return np.clip(1 - ((progress - 0.5) / 0.3) ** 2, 0, 1)


def _kick(progress: Floats, amount: float) -> Motion:
    high = pulses(progress, 2)
    return {
        "right_leg_swing": high * (25 + 130 * amount),
        "left_leg_bend": high * 6,
        "right_arm_spread": hold(progress) * (10 + 65 * amount),
        "left_arm_spread": hold(progress) * (10 + 65 * amount),
        "lean": -high * 14 * amount,
        "yaw": -hold(progress) * 25,
    }


def _split_leap(progress: Floats, amount: float) -> Motion:
    open_legs = hold(progress)
    return {
        "lift": _flight(progress) * (0.06 + 0.55 * amount),
        "right_leg_swing": open_legs * (12 + 70 * amount),
        "left_leg_swing": -open_legs * (12 + 70 * amount),
        "right_arm_swing": open_legs * (20 + 110 * amount),
        "left_arm_swing": -open_legs * (10 + 70 * amount),
        "yaw": -open_legs * 35,
        "lean": open_legs * 6,
    }


def _spin(progress: Floats, amount: float) -> Motion:
    turns = 1 + round(4 * amount)
    held = hold(progress)
    return {
        "yaw": 360 * turns * ease(progress),
        "right_arm_swing": held * 140 * amount,
        "left_arm_swing": held * 150 * amount,
        "right_arm_spread": held * (10 + 30 * amount),
        "left_arm_spread": held * (10 + 30 * amount),
        "right_leg_swing": held * (15 + 75 * amount),
        "right_leg_bend": held * (30 + 20 * amount),
    }


def _cartwheel(progress: Floats, amount: float) -> Motion:
    turns = 1 + round(amount)
    held = hold(progress)
    return {
        "roll": 360 * turns * ease(progress),
        "yaw": held * 50,
        "right_arm_swing": held * 170,
        "left_arm_swing": held * 180,
        "right_arm_spread": held * 20,
        "left_arm_spread": held * 20,
        "right_leg_spread": held * (6 + 62 * amount),
        "left_leg_spread": held * (6 + 62 * amount),
        "right_leg_bend": held * 50 * (1 - amount),
        "left_leg_bend": held * 50 * (1 - amount),
    }


def _arm_wave(progress: Floats, amount: float) -> Motion:
    waves = 1 + round(3 * amount)
    swing = 20 + 140 * amount
    return {
        "right_arm_swing": pulses(progress, waves) * swing,
        "left_arm_swing": hold(progress) * swing - pulses(progress, waves) * 0.6 * swing,
        "right_arm_spread": hold(progress) * (5 + 50 * amount),
        "left_arm_spread": hold(progress) * (5 + 50 * amount),
        "lean": np.sin(2 * np.pi * waves * progress) * (3 + 14 * amount),
        "right_leg_swing": hold(progress) * (5 + 30 * amount),
        "left_leg_swing": -hold(progress) * (2 + 14 * amount),
    }


def _squat_jump(progress: Floats, amount: float) -> Motion:
    crouch = hold(progress) - _flight(progress)
    depth = np.clip(crouch, 0, 1) * (15 + 65 * amount)
    star = _flight(progress) * amount
    return {
        "lift": _flight(progress) * (0.05 + 0.6 * amount),
        "right_leg_swing": depth,
        "left_leg_swing": depth,
        "right_leg_bend": 1.9 * depth,
        "left_leg_bend": 1.9 * depth,
        "lean": 0.4 * depth,
        "right_leg_spread": star * 55,
        "left_leg_spread": star * 55,
        "right_arm_swing": _flight(progress) * (10 + 30 * amount),
        "right_arm_spread": star * 95,
        "left_arm_spread": star * 95,
        "yaw": hold(progress) * 40 * amount,
    }


def _arabesque(progress: Floats, amount: float) -> Motion:
    held = hold(progress)
    return {
        "left_leg_swing": -held * (15 + 90 * amount),
        "lean": held * (6 + 50 * amount),
        "right_arm_swing": held * (20 + 75 * amount),
        "left_arm_swing": -held * (10 + 70 * amount),
        "right_leg_bend": -held * 4,
        "yaw": -held * 36,
    }


def _fall(progress: Floats) -> Motion:
    # Down in a quarter of a second, lying for most of the time, then up again.
    down = ease(np.clip(progress * 8, 0, 1)) * ease(np.clip((1 - progress) * 4, 0, 1))
    return {
        "roll": -86 * down,
        "yaw": -25 * down,
        "right_leg_swing": 32 * down,
        "right_leg_bend": 58 * down,
        "left_leg_bend": 12 * down,
        "right_arm_swing": 50 * down,
        "left_arm_swing": 150 * down,
    }


def _step(progress: Floats) -> Motion:
    stride = np.sin(np.pi * progress)
    return {
        "right_leg_swing": 16 * stride,
        "left_leg_swing": -16 * stride,
        "left_leg_bend": 14 * stride,
        "right_arm_swing": -14 * stride,
        "left_arm_swing": 14 * stride,
    }


def _opening(progress: Floats) -> Motion:
    lowered = ease(1 - progress)
    return {"right_arm_swing": 130 * lowered, "yaw": 30 * lowered}


def _closing(progress: Floats) -> Motion:
    raised = ease(np.clip(progress * 2, 0, 1))
    return {"right_arm_swing": 150 * raised, "left_arm_swing": 150 * raised, "yaw": 30 * raised}


ELEMENTS: dict[str, Callable[[Floats, float], Motion]] = {
    "kick": _kick,
    "split leap": _split_leap,
    "spin": _spin,
    "cartwheel": _cartwheel,
    "arm wave": _arm_wave,
    "squat jump": _squat_jump,
    "arabesque": _arabesque,
}

REACH_METERS = {
    "kick": 0.8,
    "split leap": 1.8,
    "spin": 0.9,
    "cartwheel": 2.0,
    "arm wave": 0.8,
    "squat jump": 1.0,
    "arabesque": 0.9,
}

BETWEEN: dict[str, Callable[[Floats], Motion]] = {
    "opening": _opening,
    "step": _step,
    "fall": _fall,
    "closing": _closing,
}
