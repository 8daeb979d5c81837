"""One picture per video of what the `crops` stream saw: the frames with their boxes, the crops beside."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from aqa_pipeline.athlete.events import told_athlete
from aqa_pipeline.athlete.field_of_view import looked_at
from aqa_pipeline.backbones.preprocess import get_preprocess
from aqa_pipeline.files import whole_file
from aqa_pipeline.records import Record, StreamSpec, Video
from aqa_pipeline.store import Store, file_name
from aqa_pipeline.video import open_video
from extract.detectors import crop_person
from extract.preview.grid import INK, PAPER, compose_sheet
from extract.run.extraction import Extraction

CELL_HEIGHT, LABEL_HEIGHT, MAX_CELLS = 150, 22, 32
BOX = (255, 90, 31)
STANDING = (100, 200)  # width and height of the box of somebody who stands


def contact_sheets(
    extraction: Extraction, specs: Sequence[StreamSpec], videos: Sequence[Video], folder: Path
) -> Iterator[str]:
    """Draw the sheet of every video with crops, and say where it is, or why there is none."""
    store, dataset = extraction.store, extraction.dataset
    (crops,) = (spec for spec in specs if spec.stream == "crops")
    for video in videos:
        if not store.has(dataset, video.video_id, crops):
            continue
        compared = extraction.compare(video, crops)
        if compared.gone or compared.reasons:
            why = f"no longer there: {compared.gone}" if compared.gone else ", ".join(compared.reasons)
            yield f"no contact sheet of {video.video_id}: {why}"
        else:
            record = store.read(dataset, video.video_id, crops)
            others = [_part(store, record, spec) for spec in specs if spec != crops]
            sheet = write_contact_sheet(video, record, folder, others=[each for each in others if each])
            yield f"contact sheet: {sheet}"


def _part(store: Store, crops: Record, spec: StreamSpec) -> str | None:
    """Say which part of the video another stream looks at; None for all of it, or where it is not stored."""
    if not store.has(crops.dataset, crops.video_id, spec):
        return None
    intervals = store.map(crops.dataset, crops.video_id, spec).pts_seconds
    part = looked_at(spec, intervals, crops.footage)
    return f"{spec.stream} look at {part} ({part.option} looks at all)" if part else None


def write_contact_sheet(video: Video, record: Record, folder: Path, *, others: Sequence[str] = ()) -> Path:
    """Draws the sheet of one `crops` record and returns its path, `FOLDER/<video id>.jpg`.

    `others` are sentences on the video's other streams.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{file_name(video.video_id)}.jpg"
    with whole_file(path) as part:
        contact_sheet(video, record, others=others).save(part, "JPEG", quality=88)
    return path


def contact_sheet(video: Video, record: Record, *, others: Sequence[str] = ()) -> Image.Image:
    """Up to 32 evenly spaced crops of a record, in order of time, and how many frames were dropped."""
    num_crops = len(record.features)
    steps = np.unique(np.linspace(0, num_crops - 1, min(num_crops, MAX_CELLS)).round().astype(int))
    steps_of_frame = {int(record.extras["frame_index"][step, 0]): int(step) for step in steps}
    cells = []
    if steps_of_frame:
        with open_video(video) as opened:
            for index, frame in opened.frames(sorted(steps_of_frame)):
                cells.append(_cell(frame, record, steps_of_frame[index]))
    return compose_sheet(cells, title=video.video_id, facts="; ".join([_facts(record, len(cells)), *others]))


def _facts(record: Record, num_shown: int) -> str:
    num_steps, dropped = record.counts["num_steps"], record.counts["num_steps_without_person"]
    facts = f"{num_steps - dropped} of {num_steps} sampled frames show a person, {dropped} dropped"
    told = told_athlete(record)
    facts = "; ".join(filter(None, (facts, told, crops_in_words(record.spec))))
    return facts if num_shown == num_steps - dropped else f"{facts}; {num_shown} are shown here"


def crops_in_words(spec: StreamSpec) -> str:
    """Say how crops of a standing athlete are drawn beside the frames."""
    changed = get_preprocess(str(spec.facts["preprocess"])).in_words(STANDING)
    return "crops as the network gets them" + (f", {changed}" if changed else "")


def _cell(frame: np.ndarray, record: Record, step: int) -> Image.Image:
    """The frame with the box drawn, its crop as the network gets it, and when that was."""
    *box, confidence = record.extras["boxes"][step].tolist()
    scale = CELL_HEIGHT / len(frame)
    picture = Image.fromarray(frame).resize((max(1, round(frame.shape[1] * scale)), CELL_HEIGHT))
    ImageDraw.Draw(picture).rectangle([side * scale for side in box], outline=BOX, width=3)
    geometry = get_preprocess(str(record.spec.facts["preprocess"])).geometry
    crop = Image.fromarray(geometry(crop_person(frame, np.array(box)))).resize((CELL_HEIGHT, CELL_HEIGHT))
    cell = Image.new("RGB", (picture.width + CELL_HEIGHT, CELL_HEIGHT + LABEL_HEIGHT), PAPER)
    cell.paste(picture, (0, LABEL_HEIGHT))
    cell.paste(crop, (picture.width, LABEL_HEIGHT))
    minutes, seconds = divmod(int(record.pts_seconds[step, 0]), 60)
    label = f"{minutes}:{seconds:02d}   confidence {confidence:.2f}"
    ImageDraw.Draw(cell).text((0, 2), label, fill=INK, font=ImageFont.load_default(14))
    return cell
