"""Draw what the stream `pixels` stores of one video: pictures, with the athlete's quads if it is tracked."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

from aqa_pipeline.records import Event, Video
from aqa_pipeline.video import OpenVideo
from extract.preview.grid import even_choice
from extract.preview.tubes import NOBODY, draw_step
from extract.streams import Steps
from extract.streams.pixels import Pixels
from extract.streams.tracked_frames import TrackedFrames
from extract.trackers import Step
from extract.trackers.tube import no_quad

SHOWN = 24
TILE_WIDTH = 300  # in pixels, at most; four tiles stand in a row


@dataclass(frozen=True)
class PixelPreview:
    """A sentence, a line per event of tracking, and the pictures by step."""

    fact: str
    details: tuple[str, ...]
    pictures: Mapping[int, Image.Image]


def preview_pixels(stream: Pixels, steps: Steps, video: Video, opened: OpenVideo) -> PixelPreview:
    """Return the stored pictures of evenly spaced steps, decoded again where they are JPEG.

    Every frame of a tracked stream is tracked. Raise what the tracker, the detector or the video raise.
    """
    tracked = None if stream.source is None else TrackedFrames(stream.source.for_video(video, opened.footage))
    shown = {int(steps.last_frame[step]): step for step in even_choice(len(steps), SHOWN)}
    wanted = sorted(shown) if tracked is None else np.unique(steps.frame_index).tolist()
    pictures: dict[int, np.ndarray] = {}
    places: dict[int, Step] = {}
    for index, frame in opened.frames(wanted):
        place = None if tracked is None else tracked.step(index, frame)
        if index in shown:
            pictures[index] = stream.picture.load(stream.picture.store(frame))
            if place is not None:
                quad = stream.picture.place(place.quad, frame_size=(frame.shape[1], frame.shape[0]))
                places[index] = Step(quad, place.score)
    return PixelPreview(
        _fact(stream, tracked),
        tuple(f"  frame {each.frame_index}: {each.kind} ({each.detail})" for each in _events(tracked)),
        {step: _tile(_drawn(pictures[at], places.get(at), tracked, at)) for at, step in shown.items()},
    )


def _events(tracked: TrackedFrames | None) -> list[Event]:
    return [] if tracked is None else tracked.events


def _fact(stream: Pixels, tracked: TrackedFrames | None) -> str:
    picture = stream.picture
    quality = picture.jpeg_quality
    encoding = "raw" if quality is None else f"JPEG of quality {quality}"
    fact = f"pictures of {picture.width}x{picture.height}, {encoding}"
    if tracked is None or stream.source is None:
        return fact
    counts = tracked.counts()
    num_frames = counts["num_tracked_frames"]
    num_followed = num_frames - counts["num_frames_without_athlete"]
    return f"{fact}; {stream.source.name} follows the athlete in {num_followed} of {num_frames} frames"


def _tile(picture: Image.Image) -> Image.Image:
    """Return the picture, made smaller if it is wider than a tile."""
    picture.thumbnail((TILE_WIDTH, TILE_WIDTH))
    return picture


def _drawn(picture: np.ndarray, place: Step | None, tracked: TrackedFrames | None, index: int) -> Image.Image:
    if place is None or tracked is None:
        return Image.fromarray(picture)
    is_gone = not place.present or bool(tracked.is_lost(np.array([index]))[0])
    return draw_step(picture, Step(no_quad(), 1.0) if is_gone else place, caption=NOBODY if is_gone else "")
