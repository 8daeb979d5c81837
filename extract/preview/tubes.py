"""What the stream `tubes` would see of one video: its clips with the athlete's quads, without the network.

Every frame of the clips is tracked, as extraction does it: detector and tracker are needed here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from PIL import Image

from aqa_pipeline.athlete.out_of_view import outside_in
from aqa_pipeline.records import Video
from aqa_pipeline.video import OpenVideo
from extract.preview.draw_tube import draw_step
from extract.streams import Steps
from extract.streams.tube_sampling import FRAMES_PER_CLIP
from extract.streams.tubes import Tubes
from extract.trackers import Step, TubeMaker
from extract.trackers.tube import lost_in, no_quad

TUBE_SIDE, FRAME_WIDTH = 150, 280
FRAMES_SHOWN = 7  # of the 16: as many as stand in a row beside the whole frame
NOBODY = "nobody"


@dataclass(frozen=True)
class TubePreview:
    """Of each clip by its step: pictures for a row, and how many of its frames have a quad."""

    fact: str
    details: tuple[str, ...]
    clips: Mapping[int, list[Image.Image]]
    captions: Mapping[int, str]


def preview_tube(stream: Tubes, steps: Steps, video: Video, opened: OpenVideo) -> TubePreview:
    """The tube through all clips; raises as the tracker, the detector or the video do."""
    clips = steps.frame_index[:, -FRAMES_PER_CLIP:]  # without the frames that other views see before them
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
    """In how many of the frames the network does not see the athlete; nothing where it always does."""
    if not quads:
        return ""
    view = stream.backbone.preprocess.field_of_view(opened.footage)
    outside = outside_in(np.stack(quads), view, opened.footage)
    if outside is None:
        return ""
    option = f" ({outside.option} shows the whole frame)" if outside.option else ""
    return f", who is outside the network's picture {outside}{option}"


def _tracked(maker: TubeMaker, steps: Steps, opened: OpenVideo) -> Iterator[tuple[int, np.ndarray, Step]]:
    for index, frame in opened.frames(np.unique(steps.frame_index).tolist()):
        yield index, frame, maker.step(index, frame)


def _shown(clip: np.ndarray) -> list[int]:
    """The frames of a clip that its row shows, evenly spaced, first and last among them."""
    places = np.linspace(0, len(clip) - 1, FRAMES_SHOWN).round().astype(int)
    return [int(index) for index in clip[places]]


def _as_seen(stream: Tubes, frame: np.ndarray, step: Step) -> "Small":
    """The picture that the network gets, with the quad where it lies in that picture."""
    geometry = stream.backbone.preprocess.geometry
    picture = geometry(frame)
    height, width = frame.shape[:2]
    quad = geometry.place((width, height)).in_picture(step.quad).astype(np.float32)
    return _small(picture, quad, scale=TUBE_SIDE / picture.shape[0])


def _whole(frame: np.ndarray, step: Step) -> "Small":
    """The whole frame with its quad, as large as the row allows."""
    height, width = frame.shape[:2]
    return _small(frame, step.quad, scale=min(FRAME_WIDTH / width, TUBE_SIDE / height))


class Small(NamedTuple):
    """A small picture, and the quad in it; it is drawn at the end, when all losses are known."""

    picture: np.ndarray
    quad: np.ndarray


def _small(picture: np.ndarray, quad: np.ndarray, *, scale: float) -> Small:
    """Return the picture resized before anything is drawn, so that lines are as thick in all."""
    height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
    return Small(np.asarray(Image.fromarray(picture).resize((width, height))), quad * np.float32(scale))


def _drawn(small: Small, present: bool) -> Image.Image:
    step = Step(small.quad if present else no_quad(), 1.0)
    return Image.fromarray(draw_step(small.picture, step, caption="" if present else NOBODY))
