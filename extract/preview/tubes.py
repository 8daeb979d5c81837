"""Draw what the stream `tubes` would see of one video: its clips with the athlete's quads.

The network does not run. Every frame of the clips is tracked, so a detector and a tracker are needed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from aqa_pipeline.athlete.out_of_view import count_out_of_view
from aqa_pipeline.records import Video
from aqa_pipeline.video import OpenVideo
from extract.preview.grid import ALARM, INK, MARK, PAPER, even_choice
from extract.streams import Steps
from extract.streams.tube_sampling import FRAMES_PER_CLIP
from extract.streams.tubes import Tubes
from extract.trackers import Step, TubeMaker
from extract.trackers.tube import lost_in, no_quad

TUBE_SIDE, FRAME_WIDTH = 150, 280
FRAMES_SHOWN = 7  # of a clip's 16 frames: as many as fit in a row beside the uncut frame
NOBODY = "nobody"


@dataclass(frozen=True)
class TubePreview:
    """The pictures for each clip's row and the caption above it, by the clip's step."""

    fact: str
    details: tuple[str, ...]
    clips: Mapping[int, list[Image.Image]]
    captions: Mapping[int, str]


def preview_tube(stream: Tubes, steps: Steps, video: Video, opened: OpenVideo) -> TubePreview:
    """Track the athlete through all clips, and draw the quads.

    Raise what the tracker, the detector or the video raise.
    """
    clips = steps.frame_index[:, -FRAMES_PER_CLIP:]  # without the earlier frames, which only other views use
    shown = {index for clip in clips for index in _shown(clip)}
    first = {int(clip[0]) for clip in clips}
    maker = stream.source.for_video(video, opened.footage)
    seen: dict[int, Small] = {}
    whole: dict[int, Small] = {}
    present: dict[int, bool] = {}
    quads: dict[int, np.ndarray] = {}
    for index, frame, step in _tracked(maker, steps, opened):
        present[index] = step.present
        quads[index] = step.quad
        if index in shown:
            seen[index] = _as_seen(stream, frame, step)
        if index in first:
            whole[index] = _whole(frame, step)
    gone = lost_in(np.array(list(present)), maker.events)
    present = {index: there and not lost for (index, there), lost in zip(present.items(), gone, strict=True)}
    followed = {number: sum(present[int(index)] for index in clip) for number, clip in enumerate(clips)}
    return TubePreview(
        fact=f"{stream.source.name} follows the athlete in {sum(present.values())} of {len(present)} frames"
        + _outside(stream, [quad for index, quad in quads.items() if present[index]], opened),
        details=tuple(f"  frame {each.frame_index}: {each.kind} ({each.detail})" for each in maker.events),
        clips={
            n: [
                _drawn(whole[int(clip[0])], present[int(clip[0])]),
                *(_drawn(seen[i], present[i]) for i in _shown(clip)),
            ]
            for n, clip in enumerate(clips)
        },
        captions={n: f"{number} of {FRAMES_PER_CLIP} frames with a quad" for n, number in followed.items()},
    )


def _outside(stream: Tubes, quads: Sequence[np.ndarray], opened: OpenVideo) -> str:
    """Return in how many frames the athlete is outside the network's picture, in words; "" for none."""
    if not quads:
        return ""
    view = stream.backbone.preprocess.field_of_view(opened.footage)
    outside = count_out_of_view(np.stack(quads), view, opened.footage)
    if outside is None:
        return ""
    option = f" ({outside.option} shows the whole frame)" if outside.option else ""
    return f", who is outside the network's picture {outside}{option}"


def _tracked(maker: TubeMaker, steps: Steps, opened: OpenVideo) -> Iterator[tuple[int, np.ndarray, Step]]:
    for index, frame in opened.frames(np.unique(steps.frame_index).tolist()):
        yield index, frame, maker.step(index, frame)


def _shown(clip: np.ndarray) -> list[int]:
    """Return the frame indices of a clip that its row shows."""
    return [int(clip[at]) for at in even_choice(len(clip), FRAMES_SHOWN)]


def _as_seen(stream: Tubes, frame: np.ndarray, step: Step) -> "Small":
    """Return the picture that the network gets, with the quad in that picture's coordinates."""
    geometry = stream.backbone.preprocess.geometry
    picture = geometry(frame)
    height, width = frame.shape[:2]
    quad = geometry.place((width, height)).in_picture(step.quad).astype(np.float32)
    return _small(picture, quad, scale=TUBE_SIDE / picture.shape[0])


def _whole(frame: np.ndarray, step: Step) -> "Small":
    """Return the uncut frame with its quad, as large as the row allows."""
    height, width = frame.shape[:2]
    return _small(frame, step.quad, scale=min(FRAME_WIDTH / width, TUBE_SIDE / height))


class Small(NamedTuple):
    """A small picture and the quad in its pixels. The quad is drawn later, when all losses are known."""

    picture: np.ndarray
    quad: np.ndarray


def _small(picture: np.ndarray, quad: np.ndarray, *, scale: float) -> Small:
    """Return the picture resized before drawing, so that lines are equally thick in all pictures."""
    height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
    return Small(np.asarray(Image.fromarray(picture).resize((width, height))), quad * np.float32(scale))


def _drawn(small: Small, present: bool) -> Image.Image:
    step = Step(small.quad if present else no_quad(), 1.0)
    return draw_step(small.picture, step, caption="" if present else NOBODY)


def draw_step(frame: np.ndarray, step: Step, *, caption: str = "") -> Image.Image:
    """Return a copy of an RGB frame (height, width, channel) with the step's quad and a caption."""
    picture = Image.fromarray(frame)
    draw = ImageDraw.Draw(picture)
    thick = max(2, round(min(picture.size) / 120))
    if step.present:
        corners = [(float(x), float(y)) for x, y in step.quad]
        draw.line([*corners, corners[0], corners[1]], fill=MARK, width=thick, joint="curve")
    if caption:
        font = ImageFont.load_default(max(11, round(min(picture.size) / 20)))
        left, top, right, bottom = draw.textbbox((4, 4), caption, font=font)
        draw.rectangle((left - 3, top - 3, right + 3, bottom + 3), fill=PAPER)
        draw.text((4, 4), caption, fill=INK if step.present else ALARM, font=font)
    return picture
