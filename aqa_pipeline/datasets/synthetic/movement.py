"""How the elements of a routine are moved: joint angles, position and turns over time. Knows no picture.

Angles are degrees. A limb hangs at swing 0, points forward at 90, up at 180 and backward at -90; spread
lifts it sideways; bend folds its elbow or knee. `yaw` turns the body about its length (0: seen from
the side, 90: facing the viewer), `roll` in the picture (90: lying). `travel` and `lift` are metres.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aqa_pipeline.datasets.synthetic.choreography import Element, Routine

Floats = npt.NDArray[np.float64]
Motion = Mapping[str, Floats]

LIMBS = ("right_arm", "left_arm", "right_leg", "left_leg")
LIMB_ANGLES = tuple(f"{limb}_{angle}" for limb in LIMBS for angle in ("swing", "spread", "bend"))
CHANNELS = ("travel", "lift", "roll", "yaw", "lean", *LIMB_ANGLES)

STANCE = {
    "yaw": 40.0,
    "right_arm_swing": 8.0,
    "right_arm_spread": 14.0,
    "right_arm_bend": 12.0,
    "left_arm_swing": -4.0,
    "left_arm_spread": 14.0,
    "left_arm_bend": 12.0,
    "right_leg_swing": 6.0,
    "right_leg_bend": 4.0,
    "left_leg_swing": -6.0,
    "left_leg_bend": 4.0,
}

OPENING_SECONDS = 0.4
STEP_SECONDS = 0.3
FALL_SECONDS = 2.0
CLOSING_SECONDS = 0.6
HALF_FLOOR_METRES = 2.4
WOBBLE_DEGREES = 13.0


@dataclass(frozen=True)
class Phase:
    """One stretch `[start_seconds, stop_seconds)` of a routine; `element` is None between elements."""

    name: str
    start_seconds: float
    stop_seconds: float
    element: Element | None = None


def timetable(routine: Routine) -> tuple[Phase, ...]:
    """Opening, elements with steps between them, falls after the elements they spoil, closing."""
    phases = [Phase("opening", 0.0, OPENING_SECONDS)]

    def add(name: str, seconds: float, element: Element | None = None) -> None:
        start = phases[-1].stop_seconds
        phases.append(Phase(name, start, start + seconds, element))

    for element in routine.elements:
        add(element.kind, element.duration_seconds, element)
        if element.falls:
            add("fall", FALL_SECONDS)
        add("step", STEP_SECONDS)
    add("closing", CLOSING_SECONDS)
    return tuple(phases)


def perform(routine: Routine, *, fps: float, rng: np.random.Generator) -> dict[str, Floats]:
    """Every channel of `CHANNELS` for every frame of the routine; travel starts at the floor's middle."""
    phases = timetable(routine)
    seconds = np.arange(round(phases[-1].stop_seconds * fps)) / fps
    motion = {name: np.full(len(seconds), STANCE.get(name, 0.0)) for name in CHANNELS}
    place, direction = 0.0, 1.0
    for phase in phases:
        during = (seconds >= phase.start_seconds) & (seconds < phase.stop_seconds)
        progress = (seconds[during] - phase.start_seconds) / (phase.stop_seconds - phase.start_seconds)
        turn_to = direction
        if phase.name == "step" and abs(place) > HALF_FLOOR_METRES / 2:
            turn_to = -float(np.sign(place))
        deltas, distance = _phase_motion(phase, progress, rng=rng)
        # Towards the left everything is the mirror image of towards the right.
        facing = direction + (turn_to - direction) * ease(progress)
        motion["yaw"][during] = 90 - facing * (90 - motion["yaw"][during])
        for name, delta in deltas.items():
            motion[name][during] += delta * (direction if name in {"roll", "yaw"} else 1.0)
        motion["travel"][during] = place + direction * distance * ease(progress)
        place, direction = place + direction * distance, turn_to
    return motion


def _phase_motion(phase: Phase, progress: Floats, *, rng: np.random.Generator) -> tuple[Motion, float]:
    """What is added to the stance, and how many metres are covered forward."""
    if phase.element is None:
        return BETWEEN[phase.name](progress), 0.25 if phase.name == "step" else 0.0
    motion = dict(ELEMENTS[phase.element.kind](progress, phase.element.amount))
    for name, jitter in _wobble(phase.element, progress, rng=rng).items():
        motion[name] = motion.get(name, 0.0) + jitter
    # Harder elements take more floor.
    return motion, REACH_METRES[phase.element.kind] * (0.15 + 0.85 * phase.element.amount)


def ease(progress: Floats) -> Floats:
    """0 to 1 with rest at both ends (smoothstep)."""
    return progress * progress * (3 - 2 * progress)


def hold(progress: Floats) -> Floats:
    """Up in the first quarter, held at 1, down in the last."""
    return ease(np.clip(np.minimum(progress, 1 - progress) * 4, 0, 1))


def pulses(progress: Floats, count: int) -> Floats:
    """`count` rises from 0 to 1 and back."""
    return np.sin(np.pi * count * progress) ** 2


def _flight(progress: Floats) -> Floats:
    """The arc of a jump in the middle of an element."""
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
    # Down within a quarter of a second, lying for most of the time, then up again.
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

REACH_METRES = {
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


def _wobble(element: Element, progress: Floats, *, rng: np.random.Generator) -> Motion:
    """Quick shaking of every joint and a swaying body, the more the less steady the element is."""
    envelope = hold(progress) * element.unsteadiness
    seconds = progress * element.duration_seconds
    motion = {}
    for name in ("roll", *LIMB_ANGLES):
        hertz, shift = rng.uniform(2.5, 4.5), rng.uniform(0, 2 * np.pi)
        degrees = WOBBLE_DEGREES * (0.6 if name == "roll" else 1.0)
        motion[name] = degrees * envelope * np.sin(2 * np.pi * hertz * seconds + shift)
    return motion
