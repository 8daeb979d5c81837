"""One trained cell of a run, `split-NAME/seed-K/`: absent or complete, never half.

    epochs.csv         one row per epoch
    predictions.csv    one row per video: video_id, part (train, validation, test), true, predicted (raw)
    model.safetensors  the kept state
    cell.json          split, seed, kept epoch, score scale

A cell is written into a hidden folder beside its place and moved there when whole, so a kill leaves
either nothing or a folder that the next run clears away. The hidden folder has a name of its own in every
process: two commands that write one cell leave one whole cell.
"""

import csv
import io
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from safetensors import safe_open
from safetensors.torch import load_file, save
from torch import Tensor

from aqa_pipeline.disk.files import whole_folder
from aqa_pipeline.errors import RunError
from aqa_pipeline.store import file_name, write_whole
from aqa_pipeline.untrusted.bounded_files import (
    LABEL_BYTES,
    RUN_BYTES,
    check_bounded,
    open_bounded_text,
    read_bounded_json,
)
from aqa_pipeline.untrusted.csv_fields import original_field, safe_field
from heads.data.score_scale import ScoreScale
from heads.runs.epoch import Epoch

Part = Literal["train", "validation", "test"]

FILES = ("epochs.csv", "predictions.csv", "model.safetensors", "cell.json")


@dataclass(frozen=True)
class VideoScore:
    """One row of predictions.csv, on the raw scale of the judges."""

    video_id: str
    part: Part
    true: float
    predicted: float


@dataclass(frozen=True, eq=False)
class TrainedCell:
    """The trained network of one split and seed: its epochs and its predictions."""

    split: str
    seed: int
    chosen_epoch: int
    scale: ScoreScale
    epochs: tuple[Epoch, ...]
    predictions: tuple[VideoScore, ...]


def cell_folder(run_dir: Path, *, split: str, seed: int) -> Path:
    """Return the folder of that cell; no split name leads out of the run."""
    return own_folder(split_folder(run_dir, split) / f"seed-{seed}")


def split_folder(run_dir: Path, split: str) -> Path:
    """Return the folder of that split's cells."""
    return own_folder(run_dir / f"split-{file_name(split)}")


def own_folder(folder: Path) -> Path:
    """Return the folder of a run; raise `RunError` for a link, which may lead out of the run."""
    if folder.is_symlink():
        raise RunError(f"{folder} is a link, which is never followed: put the folder itself in its place.")
    return folder


def is_complete(folder: Path) -> bool:
    """Return True if the cell is there with all its files."""
    return all((folder / name).is_file() for name in FILES)


def write_cell(folder: Path, cell: TrainedCell, state: Mapping[str, Tensor]) -> None:
    """Write the cell whole; a complete one that is there already is kept, an incomplete one is replaced."""
    facts = {
        "split": cell.split,
        "seed": cell.seed,
        "chosen_epoch": cell.chosen_epoch,
        "score_scale": asdict(cell.scale),
    }
    with whole_folder(folder) as part:
        write_rows(part / "epochs.csv", [epoch.to_row() for epoch in cell.epochs])
        write_rows(part / "predictions.csv", [asdict(row) for row in cell.predictions])
        write_whole(part / "model.safetensors", save(dict(state)))
        write_whole(part / "cell.json", json.dumps(facts, indent=2).encode())
        _put_in_place(part, folder)


def _put_in_place(part: Path, folder: Path) -> None:
    """Move the written cell to its place, unless another command has finished the same cell meanwhile."""
    if folder.exists() and not is_complete(folder):
        with whole_folder(folder) as aside:
            os.replace(folder, aside)
    try:
        os.replace(part, folder)
    except OSError:
        if not is_complete(folder):
            raise


def read_cell(run_dir: Path, *, split: str, seed: int) -> TrainedCell:
    """Return the cell; raise `RunError` if it is not complete or its files are damaged."""
    folder = cell_folder(run_dir, split=split, seed=seed)
    if not is_complete(folder):
        raise RunError(
            f"{folder} is not complete: run the same `aqa fit` command again, it goes on where it stopped."
        )
    try:
        facts = read_bounded_json(folder / "cell.json", most_bytes=RUN_BYTES)
        if (facts["split"], facts["seed"]) != (split, seed):
            raise ValueError(f"it is of split {facts['split']!r}, seed {facts['seed']!r}")
        predictions = tuple(_video_score(row) for row in read_rows(folder / "predictions.csv"))
        if not any(row.part == "test" for row in predictions):
            raise ValueError("predictions.csv has no test video")
        return TrainedCell(
            split=split,
            seed=seed,
            chosen_epoch=int(facts["chosen_epoch"]),
            scale=ScoreScale(**facts["score_scale"]),
            epochs=tuple(Epoch.from_row(row) for row in read_rows(folder / "epochs.csv")),
            predictions=predictions,
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError, csv.Error) as error:
        raise RunError(
            f"{folder} is damaged ({error!r}): delete that folder and run the same `aqa fit` command again."
        ) from error


def shapes_of_state(folder: Path) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor of a cell's state, from the file's header alone."""
    path = folder / "model.safetensors"
    try:
        check_bounded(path)
        with safe_open(path, "pt") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except Exception as error:  # safetensors' own error type is a bare Exception
        raise RunError(f"{path} cannot be read ({error}): delete the folder and fit again.") from error


def read_state(folder: Path) -> dict[str, Tensor]:
    """Return the kept state of a cell, on the CPU; safetensors hold numbers only and run no code."""
    try:
        check_bounded(folder / "model.safetensors")
        state: dict[str, Tensor] = load_file(folder / "model.safetensors")
    except Exception as error:  # safetensors' own error type is a bare Exception
        raise RunError(
            f"{folder / 'model.safetensors'} cannot be read ({error}): delete the folder and fit again."
        ) from error
    return state


def write_rows(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write a CSV with a header; numbers keep all their digits, and text is safe in spreadsheets."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows({name: safe_field(value) for name, value in row.items()} for row in rows)
    write_whole(path, text.getvalue().encode())


def read_rows(path: Path) -> list[dict[str, str]]:
    """Read a CSV with a header as one dictionary per row; raise `ValueError` if it has none."""
    with open_bounded_text(path, most_bytes=LABEL_BYTES, newline="") as file:
        rows = list(csv.DictReader(file, restkey="", restval=""))
    if not rows:
        raise ValueError(f"{path.name} has no row")
    return rows


def _video_score(row: Mapping[str, str]) -> VideoScore:
    if row["part"] not in get_args(Part):
        raise ValueError(f"a video of the part {row['part']!r}")
    part: Part = row["part"]  # type: ignore[assignment]
    true, predicted = float(row["true"]), float(row["predicted"])
    if not (math.isfinite(true) and math.isfinite(predicted)):
        raise ValueError(f"a score of {row['video_id'][:40]!r} is no finite number")
    return VideoScore(original_field(row["video_id"]), part, true, predicted)
