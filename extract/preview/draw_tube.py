"""What a tube looks like: the video with the quad drawn, and one sheet of pictures."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from aqa_pipeline.disk_errors import explain_disk_error
from aqa_pipeline.errors import VideoError
from aqa_pipeline.files import whole_file
from extract.preview.grid import INK, PAPER, compose_sheet
from extract.trackers.tube import Step, Tube

CELL_WIDTH, LABEL_HEIGHT = 300, 22
MAX_CELLS, MAX_EVENT_CELLS = 24, 12
QUAD, ALARM, NEWS = (255, 90, 31), (200, 20, 40), (0, 110, 80)

Frames = Iterable[tuple[int, np.ndarray]]


def draw_step(frame: np.ndarray, step: Step, *, caption: str = "") -> np.ndarray:
    """A copy of an RGB frame (H, W, 3) with the quad, and a caption in the upper left corner."""
    picture = Image.fromarray(frame)
    draw = ImageDraw.Draw(picture)
    thick = max(2, round(min(picture.size) / 120))
    if step.present:
        corners = [(float(x), float(y)) for x, y in step.quad]
        draw.line([*corners, corners[0], corners[1]], fill=QUAD, width=thick, joint="curve")
    if caption:
        font = ImageFont.load_default(max(11, round(min(picture.size) / 20)))
        left, top, right, bottom = draw.textbbox((4, 4), caption, font=font)
        draw.rectangle((left - 3, top - 3, right + 3, bottom + 3), fill=PAPER)
        draw.text((4, 4), caption, fill=INK if step.present else ALARM, font=font)
    return np.asarray(picture)


def write_tube_video(path: Path, frames: Frames, tube: Tube, *, fps: Fraction | float) -> Path:
    """The frames (index, RGB) of the tube with its quads and events, as an mp4 that browsers play.

    Frames that the tube does not name are left out. In place only when whole.
    Raises `VideoError` where it cannot be encoded.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with whole_file(path) as part:
            _encode(part, _captioned(frames, tube), rate=Fraction(fps).limit_denominator(10_000))
    except av.FFmpegError as error:
        if explain_disk_error(error):
            raise
        raise VideoError(
            f"{path} cannot be encoded: {error}. PyAV needs the encoder libx264; its own wheels have it"
        ) from error
    return path


def _captioned(frames: Frames, tube: Tube) -> Iterable[np.ndarray]:
    row_of = {int(index): row for row, index in enumerate(tube.frame_index)}
    news = _news(tube)
    latest = ""
    for index, frame in frames:
        if index in row_of:
            latest = news.get(index, latest)
            step = Step(tube.quads[row_of[index]], float(tube.scores[row_of[index]]))
            yield draw_step(frame, step, caption=f"{index}: {step.score:.2f}; {latest}")


def _news(tube: Tube) -> dict[int, str]:
    """What happened, by frame: a loss and a new start may fall into one."""
    told: dict[int, str] = {}
    for event in tube.events:
        before = f"{told[event.frame_index]}, " if event.frame_index in told else f"{event.frame_index} "
        told[event.frame_index] = f"{before}{event.kind}"
    return told


def _encode(path: Path, pictures: Iterable[np.ndarray], *, rate: Fraction) -> None:
    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as container:
        stream = container.add_stream(
            "libx264", rate=rate, options={"preset": "veryfast", "crf": "23", "threads": "1"}
        )
        stream.pix_fmt = "yuv420p"
        for at, picture in enumerate(pictures):
            even = picture[: len(picture) // 2 * 2, : picture.shape[1] // 2 * 2]  # 4:2:0 takes even sizes
            if at == 0:
                stream.height, stream.width = even.shape[:2]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(even), format="rgb24")
            frame.pts = at
            frame.time_base = 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def write_tube_sheet(path: Path, frames: Frames, tube: Tube, *, title: str) -> Path:
    """Up to 24 frames in order of time, the tube's events first of all, as one .png or .jpg.

    `frames` are (index, RGB) pairs; those that are not shown are skipped. In place only when whole.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet = tube_sheet(frames, tube, title=title)
    with whole_file(path) as part:
        sheet.save(part, "PNG" if path.suffix.lower() == ".png" else "JPEG", quality=88)
    return path


def tube_sheet(frames: Frames, tube: Tube, *, title: str) -> Image.Image:
    """The sheet of `write_tube_sheet`."""
    rows = chosen_rows(tube)
    row_of = {int(tube.frame_index[row]): row for row in rows}
    news = _news(tube)
    cells = [_cell(frame, tube, row_of[index], news.get(index)) for index, frame in frames if index in row_of]
    facts = f"{int(tube.present.sum())} of {len(tube)} frames have a quad; {len(tube.events)} events"
    return compose_sheet(cells, title=title, facts=facts)


def chosen_rows(tube: Tube) -> list[int]:
    """The tube's rows that a sheet shows: those with an event (the first 12), and evenly spaced others."""
    named = {event.frame_index for event in tube.events[:MAX_EVENT_CELLS]}
    eventful = [row for row, index in enumerate(tube.frame_index) if int(index) in named]
    room = min(MAX_CELLS - len(eventful), len(tube))
    even = np.linspace(0, len(tube) - 1, room).round().astype(int).tolist() if room else []
    return sorted({*eventful, *even})


def _cell(frame: np.ndarray, tube: Tube, row: int, news: str | None) -> Image.Image:
    step = Step(tube.quads[row], float(tube.scores[row]))
    scale = CELL_WIDTH / frame.shape[1]
    small = Image.fromarray(frame).resize((CELL_WIDTH, max(1, round(len(frame) * scale))))
    drawn = draw_step(np.asarray(small), Step(step.quad * np.float32(scale), step.score))
    cell = Image.new("RGB", (CELL_WIDTH, LABEL_HEIGHT + len(drawn)), PAPER)
    cell.paste(Image.fromarray(drawn), (0, LABEL_HEIGHT))
    label, ink = f"{tube.frame_index[row]}   score {step.score:.2f}", INK
    if not step.present:
        label, ink = f"{tube.frame_index[row]}   nobody", ALARM
    if news is not None:
        label, ink = news, ALARM if "lost" in news else NEWS
    ImageDraw.Draw(cell).text((0, 3), label, fill=ink, font=ImageFont.load_default(13))
    return cell
