"""Draw skeletons on frames and around the athlete: left limbs and right limbs in two colors."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from aqa_pipeline.poses import JointSet, visible_bones
from aqa_pipeline.records import Video
from aqa_pipeline.video import OpenVideo
from extract.preview.grid import ALARM, MARK, even_choice
from extract.streams import Steps
from extract.streams.poses import Poses

LEFT, OTHERS = (38, 190, 90), (40, 120, 255)
IN_WORDS = "left limbs green, right limbs blue"
AROUND = 1.2  # the part that is shown, in longer sides of the athlete's box
SHOWN = 24


def draw_skeleton(picture: Image.Image, joints: np.ndarray, joint_set: JointSet) -> None:
    """Draw the visible bones of one pose (joint, 4), in pixels of the picture."""
    draw, width = ImageDraw.Draw(picture), max(2, round(min(picture.size) / 60))
    for line, is_left in zip(*visible_bones(joints, joint_set), strict=True):
        draw.line([tuple(point) for point in line.tolist()], fill=LEFT if is_left else OTHERS, width=width)


def around_athlete(
    frame: np.ndarray, box: np.ndarray, joints: np.ndarray, joint_set: JointSet, *, side: int
) -> Image.Image:
    """Return a square picture of the athlete with the skeleton; black beside the frame."""
    reach = AROUND / 2 * float(max(box[2:4] - box[:2]))
    left, top = (box[:2] + box[2:4]) / 2 - reach
    corners = (round(left), round(top), round(left + 2 * reach), round(top + 2 * reach))
    picture = Image.fromarray(frame).crop(corners).resize((side, side))
    scale = side / (corners[2] - corners[0])
    placed = joints.astype(np.float64)
    placed[:, :2] = (placed[:, :2] - corners[:2]) * scale
    draw_skeleton(picture, placed, joint_set)
    return picture


def whole_frame_picture(
    frame: np.ndarray, box: np.ndarray | None, joints: np.ndarray | None, joint_set: JointSet, *, scale: float
) -> Image.Image:
    """Return the frame resized, with the athlete's box and skeleton, or a word on what was not found."""
    size = (max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale)))
    picture = Image.fromarray(frame).resize(size)
    if box is not None:
        ImageDraw.Draw(picture).rectangle((box[:4] * scale).tolist(), outline=MARK, width=2)
    if joints is not None:
        draw_skeleton(picture, np.concatenate([joints[:, :2] * scale, joints[:, 2:]], axis=1), joint_set)
    else:
        missing = "nobody found" if box is None else "no pose found"
        ImageDraw.Draw(picture).text((6, 6), missing, fill=ALARM, font=ImageFont.load_default(16))
    return picture


def preview_poses(
    stream: Poses, steps: Steps, video: Video, opened: OpenVideo, *, scale: float
) -> tuple[dict[int, Image.Image], int, tuple[str, ...]]:
    """Return a picture of each shown step, how many of all steps have a pose, and a line per event.

    The detector and the pose network run on every step.
    """
    detect = stream.detector.for_video(video, opened.footage)
    picker, joint_set = stream.rule.picker(video, opened.footage), stream.network.joint_set
    pictures: dict[int, Image.Image] = {}
    shown, num_found = set(even_choice(len(steps), SHOWN)), 0
    steps_of = _by_frame(steps)
    for index, frame in opened.frames(sorted(steps_of)):
        person = picker.pick(index, frame, detect([frame], [index])[0])
        joints = None if person is None else stream.network.estimate(frame, person[:4].astype(np.float64))
        num_found += len(steps_of[index]) * (joints is not None)
        for step in shown & set(steps_of[index]):
            pictures[step] = whole_frame_picture(frame, person, joints, joint_set, scale=scale)
    events = tuple(f"  frame {event.frame_index}: {event.kind} ({event.detail})" for event in picker.events)
    return pictures, num_found, events


def _by_frame(steps: Steps) -> dict[int, Sequence[int]]:
    steps_of: dict[int, list[int]] = {}
    for step, index in enumerate(steps.frame_index[:, 0].tolist()):
        steps_of.setdefault(index, []).append(step)
    return dict(steps_of)
