"""Small pictures of a video's moments with the athlete's outline, as data URIs."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw

from aqa_pipeline.video import OpenVideo
from heads.pages.rendering import data_uri
from heads.pages.score_page import Outline

JPEG_QUALITY = 72
HALO, LINE = (0, 0, 0), (255, 176, 32)  # visible on snow and on a dark hall
BONE = (64, 224, 208)


def pictures_at(
    opened: OpenVideo,
    seconds: Mapping[str, Sequence[float]],
    *,
    heights: Mapping[str, int],
    outlines: Sequence[Outline],
    bare: Sequence[str] = (),
) -> dict[str, list[str]]:
    """Return for each name a JPEG data URI per time in `seconds`, from one pass over the video.

    `heights` are in pixels. The outline at a picture's time is drawn, except for the names in `bare`.
    """
    last = np.nextafter(opened.timeline.duration_seconds, 0)
    index_of = {
        name: opened.timeline.frame_at([float(min(max(time, 0.0), last)) for time in times])
        for name, times in seconds.items()
    }
    wanted = sorted({int(index) for indices in index_of.values() for index in indices})
    shown = {index: opened.timeline.pts_seconds[index] for index in wanted}
    made: dict[tuple[str, int], str] = {}
    for index, frame in opened.frames(wanted):
        outline = outline_at(outlines, float(shown[index]))
        for name, indices in index_of.items():
            if index in indices:
                made[name, index] = _jpeg(frame, None if name in bare else outline, height=heights[name])
    return {name: [made[name, int(index)] for index in indices] for name, indices in index_of.items()}


def outline_at(outlines: Sequence[Outline], time: float) -> Outline | None:
    """Return the outline at that time in seconds; None if there is none."""
    return next((each for each in outlines if each.start <= time < each.stop), None)


def _jpeg(frame: np.ndarray, outline: Outline | None, *, height: int) -> str:
    scale = height / frame.shape[0]
    picture = Image.fromarray(frame).resize((max(1, round(frame.shape[1] * scale)), height))
    if outline is not None:
        corners = [(x * picture.width, y * picture.height) for x, y in outline.corners]
        for colour, width in ((HALO, 4), (LINE, 2)):
            ImageDraw.Draw(picture).line([*corners, corners[0], corners[1]], fill=colour, width=width)
        for x, y, u, v in outline.bones:
            ends = [(x * picture.width, y * picture.height), (u * picture.width, v * picture.height)]
            ImageDraw.Draw(picture).line(ends, fill=BONE, width=2)
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return data_uri(content.getvalue(), "image/jpeg")
