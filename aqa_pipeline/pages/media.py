"""The video of a page: linked by a relative path, or put into the page whole."""

import io
import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from urllib.parse import quote

import av
import numpy as np
from PIL import Image

from aqa_pipeline.errors import VideoError
from aqa_pipeline.pages.rendering import data_uri
from aqa_pipeline.records import Video
from aqa_pipeline.video import OpenVideo, open_video
from aqa_pipeline.video.facts import probe

# What the browsers of today play without help.
PLAYABLE = {
    ".mp4": ("video/mp4", {"h264", "av1", "vp9"}),
    ".m4v": ("video/mp4", {"h264", "av1", "vp9"}),
    ".mov": ("video/mp4", {"h264"}),
    ".webm": ("video/webm", {"vp8", "vp9", "av1"}),
}
EMBED_AS_IT_IS_BYTES = 12 * 1024**2
EMBEDDED_HEIGHT, EMBEDDED_CRF = 480, "28"


@dataclass(frozen=True)
class Media:
    """What the page's player shows. The performance begins at `offset_seconds` of `source`.

    `source` is empty where there is nothing to link. `note` says why it may not play.
    """

    source: str
    offset_seconds: float
    note: str
    width: int
    height: int


def link_media(video: Video, opened: OpenVideo, *, page: Path) -> Media:
    """The file where it is, by a path relative to the page."""
    size = (opened.width, opened.height)
    if video.path.is_dir():
        return Media("", 0.0, "The video is a folder of pictures: --embed puts a film of it here.", *size)
    media_type, why_not = playable_as(video.path)
    note = "" if media_type else f"{why_not} With --embed the page carries a copy that plays."
    return Media(relative_address(video.path, page), _offset_seconds(video), note, *size)


def embed_media(video: Video, opened: OpenVideo) -> Media:
    """The performance itself: the file's bytes where they are few and play, else a small H.264 copy.

    Raises `VideoError` where no copy can be made.
    """
    size = (opened.width, opened.height)
    whole = video.start_frame == 0 and video.stop_frame is None
    if not video.path.is_dir() and whole and video.path.stat().st_size <= EMBED_AS_IT_IS_BYTES:
        media_type, _ = playable_as(video.path)
        if media_type:
            return Media(data_uri(video.path.read_bytes(), media_type), 0.0, "", *size)
    return Media(data_uri(small_copy(opened), "video/mp4"), 0.0, "", *size)


def playable_as(path: Path) -> tuple[str, str]:
    """The media type under which browsers play the file, or "" and why they may not."""
    media_type, codecs = PLAYABLE.get(path.suffix.lower(), ("", set()))
    codec = probe(path).codec
    if codec in codecs:
        return media_type, ""
    return "", f"Browsers may not play {codec} in a {path.suffix.lower() or 'nameless'} file."


def relative_address(target: Path, page: Path) -> str:
    """The address of a file as seen from a page; percent-encoded, so that no name can end it."""
    try:
        relative = os.path.relpath(target.resolve(), page.resolve().parent)
    except ValueError:  # another drive
        return target.resolve().as_uri()
    # Without "./", a file called "javascript:..." would be a scheme.
    return "./" + quote(Path(relative).as_posix())


def _offset_seconds(video: Video) -> float:
    if not video.start_frame:
        return 0.0
    with open_video(Video(video_id=video.video_id, path=video.path)) as whole:
        return float(whole.timeline.pts_seconds[video.start_frame])


def small_copy(opened: OpenVideo) -> bytes:
    """The performance as an mp4 of at most 480 lines, without sound, each frame at its own time."""
    timeline = opened.timeline
    scale = min(1.0, EMBEDDED_HEIGHT / opened.height)
    width, height = (max(2, round(side * scale / 2) * 2) for side in (opened.width, opened.height))
    ticks = (timeline.pts_seconds * 90_000).round().astype(int)
    content = io.BytesIO()
    try:
        with av.open(content, "w", format="mp4") as container:
            rate = Fraction(timeline.num_frames / timeline.duration_seconds).limit_denominator(1001)
            stream = container.add_stream("libx264", rate=rate, options={"crf": EMBEDDED_CRF})
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.time_base = Fraction(1, 90_000)
            for index, picture in opened.frames(range(timeline.num_frames)):
                small = np.asarray(Image.fromarray(picture).resize((width, height)))
                frame = av.VideoFrame.from_ndarray(small, format="rgb24")
                frame.pts, frame.time_base = int(ticks[index]), Fraction(1, 90_000)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    except av.FFmpegError as error:
        raise VideoError(f"no copy can be made for the page: {error}. Leave out --embed.") from error
    return content.getvalue()
