"""The video of a page: linked by a relative path, or embedded in the page.

A browser's player counts seconds on the file's own clock: if the first frame appears at 2.5 s, `currentTime`
is 2.5. A player cannot jump to two parts of a file: the part before 0 s, and, in an mp4 whose clock begins
late, the part after its duration, which the player takes for the end.
"""

import io
import math
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np
from PIL import Image

from aqa_pipeline.encoding.film import TimedPicture, find_encoder, write_film
from aqa_pipeline.errors import VideoError
from aqa_pipeline.records import Video
from aqa_pipeline.video import OpenVideo, Timeline, VideoFacts, probe
from aqa_pipeline.video.packets import MP4
from heads.pages.rendering import data_uri

# By file suffix: the media type, and the codecs that current browsers play in it.
PLAYABLE = {
    ".mp4": ("video/mp4", {"h264", "av1", "vp9"}),
    ".m4v": ("video/mp4", {"h264", "av1", "vp9"}),
    ".mov": ("video/mp4", {"h264"}),
    ".webm": ("video/webm", {"vp8", "vp9", "av1"}),
}
EMBED_AS_IT_IS_BYTES = 12 * 1024**2
EMBEDDED_HEIGHT, EMBEDDED_CRF = 480, 28
UNREACHED_SECONDS = 0.5  # unreached seconds of a linked video from which the page says so


@dataclass(frozen=True)
class Media:
    """The video that the page's player shows; the performance begins at `offset_seconds` of `source`.

    `source` is an address, empty if there is nothing to link. `note` says why the video may not play.
    `width` and `height` are in pixels.
    """

    source: str
    offset_seconds: float
    note: str
    width: int
    height: int


def link_media(video: Video, opened: OpenVideo, *, page: Path) -> Media:
    """Return the file in its place, with an address relative to the page."""
    size = (opened.width, opened.height)
    if video.path.is_dir():
        return Media("", 0.0, "The video is a folder of pictures: --embed puts a film of it here.", *size)
    facts = probe(video.path)
    media_type, why_not = playable_as(video.path, facts.codec)
    unreached = unreached_seconds(facts, opened.timeline)
    if media_type and unreached >= UNREACHED_SECONDS:
        why_not = f"Browsers cannot jump to {unreached:.1f} s of this file, whose clock does not begin at 0."
    note = f"{why_not} With --embed the page carries a copy that plays." if why_not else ""
    return Media(relative_address(video.path, page), opened.timeline.start_seconds, note, *size)


def embed_media(video: Video, opened: OpenVideo) -> Media:
    """Return the video embedded: the file's bytes if they are few and playable, else a small H.264 copy.

    Raises `VideoError` if no copy can be made.
    """
    size = (opened.width, opened.height)
    whole = video.start_frame == 0 and video.stop_frame is None
    if not video.path.is_dir() and whole and video.path.stat().st_size <= EMBED_AS_IT_IS_BYTES:
        facts = probe(video.path)
        media_type, _ = playable_as(video.path, facts.codec)
        if media_type and not unreached_seconds(facts, opened.timeline):
            content = data_uri(video.path.read_bytes(), media_type)
            return Media(content, opened.timeline.start_seconds, "", *size)
    return Media(data_uri(small_copy(opened), "video/mp4"), 0.0, "", *size)


def playable_as(path: Path, codec: str) -> tuple[str, str]:
    """Return the media type under which browsers play the file and "", or "" and why they may not."""
    media_type, codecs = PLAYABLE.get(path.suffix.lower(), ("", set()))
    if codec in codecs:
        return media_type, ""
    return "", f"Browsers may not play {codec} in a {path.suffix.lower() or 'nameless'} file."


def unreached_seconds(facts: VideoFacts, timeline: Timeline) -> float:
    """Return the seconds of the performance to which a browser's player cannot jump."""
    first = timeline.start_seconds
    last = first + float(timeline.pts_seconds[-1])
    before = max(0.0, -first)
    end = facts.clock.length_seconds if facts.container == MP4 and facts.clock.start_seconds > 0 else math.inf
    behind = first + timeline.duration_seconds - end if last >= end else 0.0
    return before + behind


def relative_address(target: Path, page: Path) -> str:
    """Return the address of a file relative to a page, percent-encoded: no file name can end it early."""
    try:
        relative = os.path.relpath(target.resolve(), page.resolve().parent)
    except ValueError:  # another drive
        return target.resolve().as_uri()
    # Without "./", a file name that begins with "javascript:" would be a scheme.
    return "./" + quote(Path(relative).as_posix())


def small_copy(opened: OpenVideo) -> bytes:
    """Return the performance as an mp4 of at most 480 lines without sound, each frame at its own time."""
    timeline = opened.timeline
    scale = min(1.0, EMBEDDED_HEIGHT / opened.height)
    width, height = (max(2, round(side * scale / 2) * 2) for side in (opened.width, opened.height))
    pictures = (
        TimedPicture(
            float(timeline.pts_seconds[index]),
            float(timeline.stop_seconds[index]),
            np.asarray(Image.fromarray(picture).resize((width, height))),
        )
        for index, picture in opened.frames(range(timeline.num_frames))
    )
    content = io.BytesIO()
    fps = timeline.num_frames / timeline.duration_seconds
    try:
        write_film(
            content, pictures, width=width, height=height, fps=fps, crf=EMBEDDED_CRF, encoder=find_encoder()
        )
    except VideoError as error:
        raise VideoError(f"no copy can be made for the page: {error} Link the video instead.") from error
    return content.getvalue()
