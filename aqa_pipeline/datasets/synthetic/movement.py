"""Compute the movement of a routine: joint angles, position and turns over time. This module draws nothing.

Angles are degrees. A limb hangs at swing 0, points forward at 90, up at 180 and backward at -90; spread
lifts it sideways; bend folds its elbow or knee. `yaw` turns the body about its length (0: seen from
the side, 90: facing the viewer), `roll` in the picture (90: lying). `travel` and `lift` are in meters.
"""

from dataclasses import dataclass

import numpy as np

from aqa_pipeline.datasets.synthetic.choreography import Element, Routine
from aqa_pipeline.datasets.synthetic.element_motions import (
    BETWEEN,
    ELEMENTS,
    REACH_METERS,
    Floats,
    Motion,
    ease,
    hold,
)

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
HALF_FLOOR_METERS = 2.4
WOBBLE_DEGREES = 13.0


@dataclass(frozen=True)
class Phase:
    """One part `[start_seconds, stop_seconds)` of a routine; `element` is None between elements."""

    name: str
    start_seconds: float
    stop_seconds: float
    element: Element | None = None


def timetable(routine: Routine) -> tuple[Phase, ...]:
    """Return the phases of a routine: opening, elements, falls after their elements, steps, closing."""
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
    """Return every channel of `CHANNELS`, (frame,) each. Travel starts in the middle of the floor."""
    phases = timetable(routine)
    seconds = np.arange(round(phases[-1].stop_seconds * fps)) / fps
    motion = {name: np.full(len(seconds), STANCE.get(name, 0.0)) for name in CHANNELS}
    place, direction = 0.0, 1.0
    for phase in phases:
        during = (seconds >= phase.start_seconds) & (seconds < phase.stop_seconds)
        progress = (seconds[during] - phase.start_seconds) / (phase.stop_seconds - phase.start_seconds)
        turn_to = direction
        if phase.name == "step" and abs(place) > HALF_FLOOR_METERS / 2:
            turn_to = -float(np.sign(place))
        deltas, distance = _phase_motion(phase, progress, rng=rng)
        # A movement to the left is the mirror image of a movement to the right.
        facing = direction + (turn_to - direction) * ease(progress)
        motion["yaw"][during] = 90 - facing * (90 - motion["yaw"][during])
        for name, delta in deltas.items():
            motion[name][during] += delta * (direction if name in {"roll", "yaw"} else 1.0)
        motion["travel"][during] = place + direction * distance * ease(progress)
        place, direction = place + direction * distance, turn_to
    return motion


def _phase_motion(phase: Phase, progress: Floats, *, rng: np.random.Generator) -> tuple[Motion, float]:
    """Return the motion that is added to the stance, and the distance forward in meters."""
    if phase.element is None:
        return BETWEEN[phase.name](progress), 0.25 if phase.name == "step" else 0.0
    motion = dict(ELEMENTS[phase.element.kind](progress, phase.element.amount))
    for name, jitter in _wobble(phase.element, progress, rng=rng).items():
        motion[name] = motion.get(name, 0.0) + jitter
    # Harder elements take more floor.
    return motion, REACH_METERS[phase.element.kind] * (0.15 + 0.85 * phase.element.amount)


def _wobble(element: Element, progress: Floats, *, rng: np.random.Generator) -> Motion:
    """Return a fast shaking of every joint and a sway of the body, in proportion to the unsteadiness."""
    envelope = hold(progress) * element.unsteadiness
    seconds = progress * element.duration_seconds
    motion = {}
    for name in ("roll", *LIMB_ANGLES):
        hertz, shift = rng.uniform(2.5, 4.5), rng.uniform(0, 2 * np.pi)
        degrees = WOBBLE_DEGREES * (0.6 if name == "roll" else 1.0)
        motion[name] = degrees * envelope * np.sin(2 * np.pi * hertz * seconds + shift)
    return motion
