"""Skeletons on sheets: where the joints are, in the colors of their sides, and what was not found."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aqa_pipeline.poses import COCO_17
from aqa_pipeline.records import Record, StreamSpec, Video
from aqa_pipeline.video import source_of
from extract.detectors import AthleteRule
from extract.preview.contact_sheet import contact_sheet
from extract.preview.frames import write_preview
from extract.preview.skeletons import LEFT, OTHERS, around_athlete, draw_skeleton
from extract.streams.poses import Poses

FPS, NUM_FRAMES = 5.0, 15
BOX = np.array([40.0, 10, 80, 70, 0.9])


def a_pose():
    """Return a left leg and a right leg, straight down at x = 50 and x = 70; nothing else is seen."""
    joints = np.zeros((17, 4))
    for x, side in ((50, "left"), (70, "right")):
        for part, y in (("hip", 20), ("knee", 40), ("ankle", 60)):
            joints[COCO_17.joints.index(f"{side}_{part}")] = (x, y, 0, 0.9)
    return joints


class Detector:
    """Finds the box in every frame but the first."""

    name = identity = "stand-in"

    def for_video(self, video, footage):
        def detect(frames, frame_index):
            return [np.array([BOX] * bool(index), np.float32).reshape(-1, 5) for index in frame_index]

        return detect


class Network:
    """Sees the pose; not in a white frame."""

    joint_set, facts = (
        COCO_17,
        {"backbone": "stand-in", "weights": "sha256:0", "preprocess": "none", "precision": "fp32"},
    )

    def estimate(self, frame, box):
        return None if frame.min() > 250 else a_pose()


@pytest.fixture
def video(tmp_path: Path) -> Video:
    """Write a video of gray pictures, the last one white."""
    folder = tmp_path / "vault"
    folder.mkdir()
    for number in range(NUM_FRAMES):
        level = 255 if number == NUM_FRAMES - 1 else 90
        Image.new("RGB", (120, 80), (level, level, level)).save(folder / f"{number:03d}.png")
    return Video("vault", folder, fps=FPS)


def colored(picture: Image.Image, color: tuple[int, int, int]) -> np.ndarray:
    """Return where (y, x) the picture has that color."""
    return np.argwhere((abs(np.asarray(picture.convert("RGB")).astype(int) - color) < 40).all(axis=2))


def test_limbs_have_the_color_of_their_side():
    picture = Image.new("RGB", (120, 80))
    draw_skeleton(picture, a_pose(), COCO_17)
    left, right = colored(picture, LEFT), colored(picture, OTHERS)
    assert abs(left[:, 1].mean() - 50) < 2
    assert (left[:, 0].min(), left[:, 0].max()) == (pytest.approx(20, abs=2), pytest.approx(60, abs=2))
    below_hips = right[right[:, 0] > 25]
    assert abs(below_hips[:, 1].mean() - 70) < 2


def test_the_athlete_is_in_the_middle_also_at_the_edge_of_the_frame():
    frame = np.full((80, 120, 3), 90, np.uint8)
    for box, joints in ((BOX[:4], a_pose()), (BOX[:4] - 40, a_pose() - [40, 40, 0, 0])):
        picture = around_athlete(frame, box, joints, COCO_17, side=144)  # twice the 72 pixels around the box
        # The box's middle is at (60, 40): the left leg is 10 pixels beside it, twice as many here.
        assert abs(colored(picture, LEFT)[:, 1].mean() - (72 - 20)) < 3
        assert picture.size == (144, 144)


def test_a_preview_counts_poses_and_says_what_was_not_found(video, tmp_path):
    stream = Poses(5.0, Network(), Detector(), AthleteRule(), 8, "float32")
    path, lines = write_preview(video, [stream], tmp_path / "sheets")
    assert lines[1].startswith("poses: 15 steps of 1 frame, 13 with a pose (largest), left limbs green")
    with Image.open(path) as sheet:
        assert len(colored(sheet, LEFT)) > 13 * 50
        assert len(colored(sheet, (200, 20, 40))) > 20  # "nobody found", "no pose found"


def test_a_contact_sheet_shows_stored_poses(video):
    spec = StreamSpec("poses", {"joints": "coco-17", "frames_per_step": 1, "rate_fps": 5.0})
    record = Record(
        dataset="toy",
        video_id="vault",
        spec=spec,
        features=np.zeros((2, 69), np.float32),
        pts_seconds=np.array([[0.2, 0.4], [0.4, 0.6]]),
        source=source_of(video),
        extras={
            "frame_index": np.array([[1], [2]]),
            "boxes": np.tile(BOX, (2, 1)).astype(np.float32),
            "joints": np.stack([a_pose()] * 2).astype(np.float32),
        },
        counts={"num_steps": 3, "num_steps_without_person": 1},
    )
    sheet = contact_sheet(video, record)
    assert len(colored(sheet, LEFT)) > 200
    assert len(colored(sheet, OTHERS)) > 200
