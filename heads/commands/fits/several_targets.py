"""Several targets of one `aqa fit`: a run for each, in folders of one folder, and a table of them."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from heads.evaluation.run_scores import Evaluation
    from heads.training.options import FitRequest

TABLE_FILE = "targets.csv"


def requests_of(request: "FitRequest", targets: Sequence[str]) -> list["FitRequest"]:
    """Return the request of each target; a single one keeps the folder of the run.

    Raises `UnknownName` for a target that the dataset has not, and `UsageError` for one that comes twice or
    for a folder that holds the run of one target.
    """
    from aqa_pipeline.store import file_name

    if not targets:
        return [request]
    for name in targets:
        request.dataset.target(name)
    if len(set(targets)) < len(targets):
        raise click.UsageError(f"--target wants each target once; got {', '.join(targets)}.")
    options = [request.options.model_copy(update={"target": name}) for name in targets]
    if len(targets) == 1:
        return [replace(request, options=options[0])]
    if (request.out / "config.json").exists():
        raise click.UsageError(
            f"{request.out} is the run of one target; several targets want another folder: --out FOLDER."
        )
    return [
        replace(request, options=each, out=request.out / file_name(name))
        for name, each in zip(targets, options, strict=True)
    ]


def write_table(folder: Path, evaluations: Mapping[str, "Evaluation"]) -> str:
    """Write `targets.csv` into the folder of the runs; return the same table for the terminal."""
    from aqa_pipeline.disk.files import write_whole
    from aqa_pipeline.text_table import format_table

    header = ("target", "metric", "value", "low", "high", "mean error", "videos")
    rows = list(_rows(evaluations))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    write_whole(folder / TABLE_FILE, text.getvalue().encode())
    return format_table(header, rows)


def _rows(evaluations: Mapping[str, "Evaluation"]) -> Iterator[tuple[str, ...]]:
    for target, evaluation in evaluations.items():
        overall = evaluation.overall
        errors = [split.ensemble.mean_error for split in evaluation.splits]
        bounds = (overall.interval.low, overall.interval.high)
        numbers = (overall.mean, *bounds, sum(errors) / len(errors))
        metric = evaluation.cells[0].scores.metric
        yield (target, metric, *(f"{number:.3f}" for number in numbers), str(overall.num_videos))
