"""Draw one contact sheet per video of `crops` or `poses`: frames with the athlete's box, and the athlete."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from aqa_pipeline.athlete.covered_part import covered_part
from aqa_pipeline.athlete.events import describe_tracking
from aqa_pipeline.backbones.preprocess import get_preprocess
from aqa_pipeline.disk.files import whole_file
from aqa_pipeline.poses import joint_set
from aqa_pipeline.records import Record, StreamSpec, Video
from aqa_pipeline.spec_facts import typed_facts
from aqa_pipeline.store import Store, file_name
from aqa_pipeline.video import open_video
from extract.detectors import crop_person
from extract.preview.grid import INK, MARK, PAPER, compose_sheet, even_choice
from extract.preview.skeletons import IN_WORDS, around_athlete
from extract.run.extraction import Extraction

SHOWN_STREAMS = ("crops", "poses")
TILE_HEIGHT, LABEL_HEIGHT, MAX_TILES = 150, 22, 32
STANDING = (100, 200)  # width and height of a standing person's box


def contact_sheets(
    extraction: Extraction, specs: Sequence[StreamSpec], videos: Sequence[Video], folder: Path
) -> Iterator[str]:
    """Draw the sheet of every video with stored crops, or else with stored poses.

    Yield its path, or why it is not drawn.
    """
    store, dataset = extraction.store, extraction.dataset
    by_stream = {spec.stream: spec for spec in specs}
    crops = next(by_stream[stream] for stream in SHOWN_STREAMS if stream in by_stream)
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
    """Return which part of the video another stream sees; None for all of it, or if it is not stored."""
    if not store.has(crops.dataset, crops.video_id, spec):
        return None
    intervals = store.map(crops.dataset, crops.video_id, spec).pts_seconds
    part = covered_part(spec, intervals, crops.pictures.footage)
    return f"{spec.stream} look at {part} ({part.option} looks at all)" if part else None


def write_contact_sheet(video: Video, record: Record, folder: Path, *, others: Sequence[str] = ()) -> Path:
    """Draw the sheet of one record of crops or poses, and return its path, `FOLDER/<video id>.jpg`.

    `others` are sentences on the video's other streams, printed above the tiles.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{file_name(video.video_id)}.jpg"
    with whole_file(path) as part:
        contact_sheet(video, record, others=others).save(part, "JPEG", quality=88)
    return path


def contact_sheet(video: Video, record: Record, *, others: Sequence[str] = ()) -> Image.Image:
    """Return a sheet of up to 32 evenly spaced steps of a record in order of time, with counts above."""
    steps = even_choice(len(record.features), MAX_TILES)
    steps_of_frame = {int(record.extras["frame_index"][step, 0]): step for step in steps}
    tiles = []
    if steps_of_frame:
        with open_video(video) as opened:
            for index, frame in opened.frames(sorted(steps_of_frame)):
                tiles.append(_tile(frame, record, steps_of_frame[index]))
    return compose_sheet(tiles, title=video.video_id, facts="; ".join([_facts(record, len(tiles)), *others]))


def _facts(record: Record, num_shown: int) -> str:
    num_steps, dropped = record.counts["num_steps"], record.counts["num_steps_without_person"]
    what, shown = ("pose", IN_WORDS) if _has_poses(record) else ("person", crops_in_words(record.spec))
    facts = f"{num_steps - dropped} of {num_steps} sampled frames show a {what}, {dropped} dropped"
    facts = "; ".join(filter(None, (facts, describe_tracking(record), shown)))
    return facts if num_shown == num_steps - dropped else f"{facts}; {num_shown} are shown here"


def _has_poses(record: Record) -> bool:
    return record.spec.stream == "poses"


def crops_in_words(spec: StreamSpec) -> str:
    """Return how the network changes the crop of a standing athlete, in words."""
    changed = get_preprocess(str(typed_facts(spec).preprocess)).in_words(STANDING)
    return "crops as the network gets them" + (f", {changed}" if changed else "")


def _athlete(frame: np.ndarray, record: Record, step: int, box: np.ndarray) -> Image.Image:
    """Return the athlete with the skeleton, or the crop as the network gets it."""
    facts = typed_facts(record.spec)
    if _has_poses(record):
        joints = joint_set(str(facts.joints))
        return around_athlete(frame, box, record.extras["joints"][step], joints, side=TILE_HEIGHT)
    crop = get_preprocess(str(facts.preprocess)).geometry(crop_person(frame, box))
    return Image.fromarray(crop).resize((TILE_HEIGHT, TILE_HEIGHT))


def _tile(frame: np.ndarray, record: Record, step: int) -> Image.Image:
    """Return a tile: the frame with the box, the athlete, and the time in the video."""
    *box, confidence = record.extras["boxes"][step].tolist()
    scale = TILE_HEIGHT / len(frame)
    picture = Image.fromarray(frame).resize((max(1, round(frame.shape[1] * scale)), TILE_HEIGHT))
    ImageDraw.Draw(picture).rectangle([side * scale for side in box], outline=MARK, width=3)
    crop = _athlete(frame, record, step, np.array(box))
    tile = Image.new("RGB", (picture.width + TILE_HEIGHT, TILE_HEIGHT + LABEL_HEIGHT), PAPER)
    tile.paste(picture, (0, LABEL_HEIGHT))
    tile.paste(crop, (picture.width, LABEL_HEIGHT))
    minutes, seconds = divmod(int(record.pts_seconds[step, 0]), 60)
    label = f"{minutes}:{seconds:02d}   confidence {confidence:.2f}"
    ImageDraw.Draw(tile).text((0, 2), label, fill=INK, font=ImageFont.load_default(14))
    return tile
