"""The rendered athlete: harder elements move more, limbs keep their lengths, boxes hold the figure."""

import math

import numpy as np
import pytest
from scipy.stats import spearmanr

from aqa_pipeline.datasets.synthetic.arena import HEIGHT, WIDTH
from aqa_pipeline.datasets.synthetic.choreography import DIFFICULTY_TENTHS, Element, Routine
from aqa_pipeline.datasets.synthetic.element_motions import ELEMENTS
from aqa_pipeline.datasets.synthetic.figure import JOINTS, Look, draw_figure, figure_box, joint_positions
from aqa_pipeline.datasets.synthetic.movement import FALL_SECONDS, STANCE, perform, timetable
from aqa_pipeline.datasets.synthetic.render import (
    FPS,
    PIXELS_PER_METER,
    Scene,
    look_of,
    meet_of,
    routine_of,
    scene_of,
)

WHITE = Look(*[(255, 255, 255)] * 5)


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [scene_of(index, seed=0) for index in range(5)]


def motion_of(kind: str, tenths: int, *, wobble: int = 0) -> dict[str, np.ndarray]:
    routine = Routine((Element(kind, tenths, wobble, False, 1.6),))
    return perform(routine, fps=30, rng=np.random.default_rng(0))


@pytest.mark.parametrize("kind", DIFFICULTY_TENTHS)
def test_harder_elements_move_more(kind: str) -> None:
    def path_length(tenths: int) -> float:
        return float(np.abs(np.diff(joint_positions(motion_of(kind, tenths)), axis=0)).sum())

    easiest, hardest = DIFFICULTY_TENTHS[kind]
    assert path_length(hardest) > 1.3 * path_length((easiest + hardest) // 2) > 1.3 * path_length(easiest)


@pytest.mark.parametrize("kind", DIFFICULTY_TENTHS)
def test_unsteady_elements_shake(kind: str) -> None:
    def jerk(wobble: int) -> float:
        return float(
            np.abs(
                np.diff(
                    joint_positions(motion_of(kind, DIFFICULTY_TENTHS[kind][0], wobble=wobble)), n=3, axis=0
                )
            ).sum()
        )

    assert jerk(3) > 1.5 * jerk(0)


@pytest.mark.parametrize("amount", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("kind", ELEMENTS)
def test_elements_begin_and_end_in_the_stance(kind: str, amount: float) -> None:
    for name, delta in ELEMENTS[kind](np.array([0.0, 1.0]), amount).items():
        turn = 360 if name in {"yaw", "roll"} else math.inf
        np.testing.assert_allclose(
            np.array([math.remainder(d, turn) for d in delta]), 0, atol=1e-9, err_msg=name
        )


def test_limbs_keep_their_lengths_and_feet_their_floor(scenes: list[Scene]) -> None:
    motion = perform(routine_of(3, seed=0), fps=FPS, rng=np.random.default_rng(3))
    joints = joint_positions(motion)
    for upper, lower, meters in (("right_hip", "right_knee", 0.44), ("left_shoulder", "left_elbow", 0.28)):
        bone = joints[:, JOINTS.index(upper)] - joints[:, JOINTS.index(lower)]
        np.testing.assert_allclose(np.linalg.norm(bone, axis=-1), meters)
    np.testing.assert_allclose(joints[..., 1].min(axis=1), motion["lift"] + 0.04)


def test_stance_stands_upright_and_a_fall_lies() -> None:
    elements = (Element("kick", 6, 0, True, 1.6),)
    motion = perform(Routine(elements), fps=30, rng=np.random.default_rng(0))
    heights = np.ptp(joint_positions(motion)[..., 1], axis=1)
    fall = next(phase for phase in timetable(Routine(elements)) if phase.name == "fall")
    lying = heights[int((fall.start_seconds + 0.3 * FALL_SECONDS) * 30)]
    assert heights[int(0.4 * 30)] > 1.5
    assert lying < 0.8
    assert set(STANCE) <= set(motion)


def test_boxes_hold_the_whole_figure_and_little_more(scenes: list[Scene]) -> None:
    for scene in scenes[:4]:
        for points, depths, box in list(zip(scene.points, scene.depths, scene.boxes(), strict=True))[::7]:
            picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
            draw_figure(picture, points, depths, pixels_per_meter=PIXELS_PER_METER, look=WHITE)
            rows, columns = np.nonzero(picture.any(axis=-1))
            drawn = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
            assert (box[:2] <= drawn[:2]).all()
            assert (box[2:] >= drawn[2:]).all()
            assert np.abs(box - drawn).max() < 6


def test_the_camera_keeps_the_athlete_in_the_picture(scenes: list[Scene]) -> None:
    for scene in scenes:
        inside = (scene.points >= 0) & (scene.points <= [WIDTH, HEIGHT])
        assert inside.mean() > 0.995
        boxes = scene.boxes()
        whole = np.stack([figure_box(points, pixels_per_meter=PIXELS_PER_METER) for points in scene.points])
        seen = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) / np.prod(whole[:, 2:] - whole[:, :2], axis=1)
        assert seen.min() > 0.8


def test_looks_do_not_tell_the_score() -> None:
    """Over many videos neither meet nor colors go with the score."""
    indices = range(160)
    scores = [routine_of(index, seed=0).score for index in indices]
    suits = [sum(look_of(index, seed=0).suit) for index in indices]
    assert abs(spearmanr([meet_of(index) for index in indices], scores).statistic) < 0.2
    assert abs(spearmanr(suits, scores).statistic) < 0.2
