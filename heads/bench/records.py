"""What results.json of a bench holds: typed records that are checked when they are read.

Every number comes from the predictions of the runs beside the file, so `aqa bench verify` can compute it
again. Paths are relative to the folder of results.json.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError, model_validator

from aqa_pipeline.disk.files import file_name, write_whole
from aqa_pipeline.errors import RunError
from aqa_pipeline.metrics import Interval
from aqa_pipeline.misfit import SHOWN, explain_misfit
from aqa_pipeline.untrusted.bounded_files import RUN_BYTES, read_bounded_json
from heads.recipes import MetricName
from heads.runs.config import check_text
from heads.runs.run_config import ConfigRecord, Count

SCHEMA_VERSION: Final = 1
FILE = "results.json"
UNNAMED = ("unknown", None)  # backbones of imported features that nobody named
CONTROL_ENDING = "-shuffled"  # of a row

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class IntervalRecord(ConfigRecord):
    """An interval; both ends are null if there is none, and `why_none` says why."""

    low: float | None
    high: float | None
    why_none: str

    @classmethod
    def of(cls, interval: Interval) -> "IntervalRecord":
        """Return the record of an interval."""
        return cls(low=number(interval.low), high=number(interval.high), why_none=interval.why_none)


class SeedRecord(ConfigRecord):
    """The metric of one seed: its mean over splits."""

    seed: Count
    value: float | None


class DifferenceRecord(ConfigRecord):
    """The metric of a head minus that of ridge regression on the same videos; `p` is two-sided."""

    difference: float | None
    interval: IntervalRecord
    p: float | None


class CellRecord(ConfigRecord):
    """One head on one dataset and encoder.

    `row` names it, `run` is its run directory. `is_control` tells that it was trained on shuffled labels.
    `value` is the metric's mean over splits and seeds, `mean_error` the mean absolute error in points over
    videos, splits and seeds. `epochs` is null where the head's recipe says them. `predictions` are the
    SHA-256 of the run's predictions.csv files, `data_sha256` the digest of each split's features and labels.
    """

    row: str
    run: str
    head: str
    variant: str
    is_control: bool
    epochs: int | None
    value: float | None
    interval: IntervalRecord
    per_seed: tuple[SeedRecord, ...] = Field(min_length=1)
    mean_error: float
    against_ridge: DifferenceRecord | None
    flags: tuple[str, ...]
    data_sha256: Mapping[str, str]
    predictions: Mapping[str, Sha256]

    @model_validator(mode="after")
    def _check_row(self) -> "CellRecord":
        if self.row not in row_names(self.head, self.variant, is_control=self.is_control):
            raise ValueError(f"the row {self.row[:SHOWN]!r} is not named after its head and variant")
        return self


class SplitRecord(ConfigRecord):
    """One split: its numbers of videos and the SHA-256 of their ids (see `split_sha256`)."""

    name: str
    num_train: Count
    num_test: Count
    sha256: Sha256


class EncoderRecord(ConfigRecord):
    """The stored features that every head of a block reads: stream, spec, backbone, dimensions of a step."""

    name: str
    stream: str
    spec: str
    backbone: str | None
    dim: int = Field(gt=0)

    @model_validator(mode="after")
    def _check_name(self) -> "EncoderRecord":
        usual = encoder_name(self.stream, self.backbone)
        if self.name not in (file_name(usual), file_name(f"{usual}-{self.spec}")):
            raise ValueError(f"the encoder {self.name[:SHOWN]!r} is not named after its stream and backbone")
        return self


class BlockRecord(ConfigRecord):
    """All heads on one dataset with its target and one encoder: the same features, splits and test videos.

    `mean_over_splits` says how the metric is averaged. `num_videos` counts different test videos.
    """

    name: str
    dataset: str
    adapter: str
    target: str
    encoder: EncoderRecord
    metric: MetricName
    mean_over_splits: str
    num_videos: Count
    splits: tuple[SplitRecord, ...] = Field(min_length=1)
    cells: tuple[CellRecord, ...] = Field(min_length=1)

    def cell(self, row: str) -> CellRecord | None:
        """Return the cell of that row; None if there is none."""
        return next((cell for cell in self.cells if cell.row == row), None)


class RankedHead(ConfigRecord):
    """A head and its average rank over the blocks; 1 is the best."""

    row: str
    average_rank: float


class RankingRecord(ConfigRecord):
    """Average ranks, Friedman's test, and the critical difference of Nemenyi's test.

    `alike` are the largest sets of heads whose average ranks differ by less than the critical difference.
    Without a ranking `why_none` says why, and `heads` is empty. `left_out` are heads that cannot be ranked.
    """

    why_none: str
    num_blocks: Count
    heads: tuple[RankedHead, ...]
    friedman: float | None
    p: float | None
    critical_difference: float | None
    alike: tuple[tuple[str, ...], ...]
    left_out: Mapping[str, str]


class FailedRecord(ConfigRecord):
    """A head that could not be fitted or measured on a block, and the reason."""

    block: str
    row: str
    reason: str


class BenchResults(ConfigRecord):
    """The results of one bench."""

    schema_version: Literal[1]
    blocks: tuple[BlockRecord, ...]
    ranking: RankingRecord
    failed: tuple[FailedRecord, ...]


def row_names(head: str, variant: str, *, is_control: bool) -> tuple[str, str]:
    """Return the names that a row may have: of the head alone, and with its variant."""
    ending = CONTROL_ENDING if is_control else ""
    return f"{head}{ending}", f"{head}-{variant}{ending}"


def encoder_name(stream: str, backbone: str | None) -> str:
    """Return `STREAM-BACKBONE`, or `STREAM` without a known backbone."""
    return stream if backbone in UNNAMED else f"{stream}-{backbone}"


def number(value: float) -> float | None:
    """Return the number; None for nan."""
    return None if value != value else float(value)


def write_results(folder: Path, results: BenchResults) -> Path:
    """Write results.json into the folder; return its path."""
    path = folder / FILE
    text = json.dumps(results.model_dump(mode="json"), indent=2, allow_nan=False, ensure_ascii=False)
    write_whole(path, f"{text}\n".encode())
    return path


def read_results(path: Path) -> BenchResults:
    """Return the results in that file; raise `RunError` if it is of another schema or does not fit."""
    try:
        values = read_bounded_json(path, most_bytes=RUN_BYTES)
        version = values.get("schema_version")
    except (OSError, ValueError, AttributeError) as error:
        raise RunError(f"{path} cannot be read as results of `aqa bench`: {error!r}.") from error
    if version != SCHEMA_VERSION:
        raise RunError(
            f"{path} has schema_version {str(version)[:SHOWN]}, expected {SCHEMA_VERSION}: bench again."
        )
    try:
        check_text(values)
        return BenchResults.model_validate_json(json.dumps(values))
    except ValueError as error:
        reason = explain_misfit(error) if isinstance(error, ValidationError) else str(error)
        raise RunError(f"{path} is damaged: {reason}. Run the same `aqa bench` command again.") from error


def results_schema() -> dict[str, Any]:
    """Return the JSON schema of results.json."""
    return BenchResults.model_json_schema()
