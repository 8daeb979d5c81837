"""Draw a sheet of what the networks would see of one video, without running backbones.

Detectors, trackers and pose networks do run: what they find is what there is to look at.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from aqa_pipeline.athlete.covered_part import covered_part
from aqa_pipeline.backbones.preprocess import get_preprocess
from aqa_pipeline.disk.files import whole_file
from aqa_pipeline.plurals import counted
from aqa_pipeline.records import Video
from aqa_pipeline.spec_facts import typed_facts
from aqa_pipeline.store import file_name
from aqa_pipeline.video import OpenVideo, ReaderName, open_video
from extract.detectors import crop_person
from extract.preview.contact_sheet import crops_in_words
from extract.preview.grid import ALARM, INK, LINE_HEIGHT, MARGIN, MARK, PAPER, QUIET, even_choice, wrapped
from extract.preview.pixels import preview_pixels
from extract.preview.skeletons import IN_WORDS, preview_poses
from extract.preview.tubes import TUBE_SIDE, TubePreview, preview_tube
from extract.streams import Steps, Stream
from extract.streams.crops import Crops
from extract.streams.pixels import Pixels
from extract.streams.poses import Poses
from extract.streams.tubes import Tubes

LABEL_HEIGHT, HEADING_HEIGHT, TITLE_HEIGHT = 18, 30, 44
CLIP_SIDE, CROP_SIDE, POSE_HEIGHT = 84, 118, 180
CLIP_FRAMES_SHOWN, CLIPS_SHOWN, CROPS_SHOWN, CROPS_IN_A_ROW = 16, 6, 24, 4
WIDTH = CLIP_FRAMES_SHOWN * (CLIP_SIDE + 2) + 2 * MARGIN


@dataclass(frozen=True)
class StreamPreview:
    """One stream's part of the sheet: a sentence, the picture below it, and lines for the terminal."""

    fact: str
    picture: Image.Image
    details: tuple[str, ...] = ()


def write_preview(
    video: Video, streams: Sequence[Stream], folder: Path, *, reader: ReaderName = "auto"
) -> tuple[Path, list[str]]:
    """Draw `FOLDER/<video id>.preview.jpg`. Return its path, and the lines that describe it.

    Raise `VideoError` for a video that cannot be read.
    """
    with open_video(video, reader=reader) as opened:
        facts = (
            f"{opened.width}x{opened.height}, {counted(opened.timeline.num_frames, 'frame')}, "
            f"{opened.timeline.duration_seconds:.2f} s, read by {opened.reader}"
        )
        parts = [_preview(stream, video, opened) for stream in streams]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{file_name(video.video_id)}.preview.jpg"
    with whole_file(path) as unfinished:
        _compose(parts, title=f"{video.video_id}: {facts}").save(unfinished, "JPEG", quality=88)
    return path, [facts, *(line for part in parts for line in (part.fact, *part.details))]


def _preview(stream: Stream, video: Video, opened: OpenVideo) -> StreamPreview:
    steps = stream.intake.plan(opened.timeline)
    num_frames = steps.frame_index.shape[1]
    part = covered_part(stream.spec, steps.pts_seconds, opened.footage)
    looks = f", look at {part} ({part.option} looks at all)" if part else ""
    if isinstance(stream, Pixels):
        num_frames = 1  # the others are only tracked
    of_frames = f"{counted(len(steps), 'step')} of {counted(num_frames, 'frame')}"
    fact = f"{stream.spec.stream}: {of_frames}{looks}"
    if isinstance(stream, Crops):
        tiles, num_found, events = _crop_tiles(stream, steps, video, opened)
        who = f"{num_found} with a person ({stream.rule.athlete}), {crops_in_words(stream.spec)}"
        return StreamPreview(f"{fact}, {who}", _grid(tiles, columns=CROPS_IN_A_ROW), events)
    if isinstance(stream, Poses):
        scale = POSE_HEIGHT / opened.height
        pictures, num_found, events = preview_poses(stream, steps, video, opened, scale=scale)
        tiles = [_labeled(picture, _when(steps, step)) for step, picture in sorted(pictures.items())]
        fact = f"{fact}, {num_found} with a pose ({stream.rule.athlete}), {IN_WORDS}"
        return StreamPreview(fact, _grid(tiles, columns=max(1, WIDTH // (tiles[0].width + MARGIN))), events)
    if isinstance(stream, Tubes):
        tube = preview_tube(stream, steps, video, opened)
        rows = [_tube_row(tube, steps, step) for step in even_choice(len(steps), CLIPS_SHOWN)]
        return StreamPreview(f"{fact}; {tube.fact}", _grid(rows, columns=1), tube.details)
    if isinstance(stream, Pixels):
        pixels = preview_pixels(stream, steps, video, opened)
        tiles = [_labeled(picture, _when(steps, step)) for step, picture in sorted(pixels.pictures.items())]
        columns = max(1, (WIDTH - MARGIN) // (tiles[0].width + MARGIN))
        return StreamPreview(f"{fact}; {pixels.fact}", _grid(tiles, columns=columns), pixels.details)
    changed = get_preprocess(str(typed_facts(stream.spec).preprocess)).in_words((opened.width, opened.height))
    fact = f"{fact}, pictures {changed}" if changed else fact
    if num_frames == 1:
        return StreamPreview(fact, _grid(list(_frame_tiles(stream, steps, opened)), columns=8))
    return StreamPreview(fact, _grid(_clip_rows(stream, steps, opened), columns=1))


def _clip_rows(stream: Stream, steps: Steps, opened: OpenVideo) -> list[Image.Image]:
    """Return one row of frames, as the network gets them, for each shown step."""
    frames = {
        step: [
            int(steps.frame_index[step, at])
            for at in even_choice(steps.frame_index.shape[1], CLIP_FRAMES_SHOWN)
        ]
        for step in even_choice(len(steps), CLIPS_SHOWN)
    }
    wanted = sorted({index for of_step in frames.values() for index in of_step})
    seen = {index: _square(stream.intake.prepare(frame), CLIP_SIDE) for index, frame in opened.frames(wanted)}
    rows = []
    for step, of_step in frames.items():
        row = _tile(len(of_step) * (CLIP_SIDE + 2), CLIP_SIDE, _when(steps, step))
        for place, index in enumerate(of_step):
            row.paste(seen[index], (place * (CLIP_SIDE + 2), LABEL_HEIGHT))
        rows.append(row)
    return rows


def _frame_tiles(stream: Stream, steps: Steps, opened: OpenVideo) -> Iterator[Image.Image]:
    """Yield a tile for each shown step of a stream with one frame a step."""
    step_of = {int(steps.frame_index[step, 0]): step for step in even_choice(len(steps), CROPS_SHOWN)}
    for index, frame in opened.frames(sorted(step_of)):
        tile = _tile(CROP_SIDE, CROP_SIDE, _when(steps, step_of[index]))
        tile.paste(_square(stream.intake.prepare(frame), CROP_SIDE), (0, LABEL_HEIGHT))
        yield tile


def _crop_tiles(
    stream: Crops, steps: Steps, video: Video, opened: OpenVideo
) -> tuple[list[Image.Image], int, tuple[str, ...]]:
    """Return the tiles of the shown steps, how many of all steps have a person, and a line per event."""
    detect = stream.detector.for_video(video, opened.footage)
    picker = stream.rule.picker(video, opened.footage)
    shown = set(even_choice(len(steps), CROPS_SHOWN))
    steps_of: dict[int, list[int]] = {}
    for step, index in enumerate(steps.frame_index[:, 0].tolist()):
        steps_of.setdefault(index, []).append(step)
    tiles, num_found = [], 0
    for index, frame in opened.frames(sorted(steps_of)):
        person = picker.pick(index, frame, detect([frame], [index])[0])
        num_found += len(steps_of[index]) * (person is not None)
        for step in steps_of[index]:
            if step in shown:
                tiles.append(_crop_tile(stream, frame, person, _when(steps, step)))
    events = tuple(f"  frame {event.frame_index}: {event.kind} ({event.detail})" for event in picker.events)
    return tiles, num_found, events


def _crop_tile(stream: Crops, frame: np.ndarray, person: np.ndarray | None, when: str) -> Image.Image:
    room = WIDTH // CROPS_IN_A_ROW - CROP_SIDE - MARGIN
    scale = min(CROP_SIDE / frame.shape[0], room / frame.shape[1])
    width, height = (max(1, round(side * scale)) for side in (frame.shape[1], frame.shape[0]))
    picture = Image.fromarray(frame).resize((width, height))
    label = when if person is None else f"{when}   confidence {person[4]:.2f}"
    tile = _tile(width + CROP_SIDE, CROP_SIDE, label)
    if person is None:
        ImageDraw.Draw(picture).text((6, 6), "nobody found", fill=ALARM, font=ImageFont.load_default(16))
    else:
        ImageDraw.Draw(picture).rectangle((person[:4] * scale).tolist(), outline=MARK, width=3)
        crop = stream.backbone.preprocess.geometry(crop_person(frame, person[:4]))
        tile.paste(_square(crop, CROP_SIDE), (width, LABEL_HEIGHT))
    tile.paste(picture, (0, LABEL_HEIGHT))
    return tile


def _labeled(picture: Image.Image, label: str) -> Image.Image:
    tile = _tile(picture.width, picture.height, label)
    tile.paste(picture, (0, LABEL_HEIGHT))
    return tile


def _tube_row(tube: TubePreview, steps: Steps, step: int) -> Image.Image:
    """Return a row: the clip's first frame uncut, then its frames as the network gets them, with quads."""
    pictures = tube.clips[step]
    row = _tile(WIDTH - 2 * MARGIN, TUBE_SIDE, f"{_when(steps, step)}   {tube.captions[step]}")
    left = 0
    for picture in pictures:
        row.paste(picture, (left, LABEL_HEIGHT))
        left += picture.width + 2
    return row


def _when(steps: Steps, step: int) -> str:
    start, stop = steps.pts_seconds[step]
    return f"{step}:  {start:.2f} - {stop:.2f} s"


def _square(picture: np.ndarray, side: int) -> Image.Image:
    return Image.fromarray(picture).resize((side, side))


def _tile(width: int, height: int, label: str) -> Image.Image:
    tile = Image.new("RGB", (width, height + LABEL_HEIGHT), PAPER)
    ImageDraw.Draw(tile).text((0, 2), label, fill=QUIET, font=ImageFont.load_default(12))
    return tile


def _grid(tiles: Sequence[Image.Image], *, columns: int) -> Image.Image:
    width, height = max(tile.width for tile in tiles), max(tile.height for tile in tiles)
    rows = -(-len(tiles) // columns)
    grid = Image.new("RGB", (columns * (width + MARGIN), rows * (height + MARGIN)), PAPER)
    for at, tile in enumerate(tiles):
        row, column = divmod(at, columns)
        grid.paste(tile, (column * (width + MARGIN), row * (height + MARGIN)))
    return grid


def _compose(parts: Sequence[StreamPreview], *, title: str) -> Image.Image:
    width = max(WIDTH, *(part.picture.width + 2 * MARGIN for part in parts))
    font = ImageFont.load_default(15)
    facts = [wrapped(part.fact, font, width=width - 2 * MARGIN) for part in parts]
    headings = [HEADING_HEIGHT + (len(lines) - 1) * LINE_HEIGHT for lines in facts]
    height = TITLE_HEIGHT + sum(headings) + sum(part.picture.height for part in parts) + MARGIN
    sheet = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, 12), title, fill=INK, font=ImageFont.load_default(18))
    top = TITLE_HEIGHT
    for part, lines, heading in zip(parts, facts, headings, strict=True):
        draw.text((MARGIN, top + 6), "\n".join(lines), fill=INK, font=font)
        sheet.paste(part.picture, (MARGIN, top + heading))
        top += heading + part.picture.height
    return sheet
