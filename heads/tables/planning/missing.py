"""What a table needs per dataset: files, features, weights, time, disk, and the first command."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from aqa_pipeline.datasets import DATASETS, load_dataset
from aqa_pipeline.errors import AqaError, UnknownName
from aqa_pipeline.records import Dataset, Video
from aqa_pipeline.simulation import find_stream, name_of_stream
from heads.registry import find_head
from heads.tables.planning.needs import FeatureNeed
from heads.tables.planning.plan import TablePlan
from heads.tables.planning.trained_backbones import missing_starts, total_flop
from heads.tables.running import is_finished
from heads.tables.settings import Settings
from heads.tables.table import Column, Count, ExtractionChoice, Method, Table
from heads.training.pool.workload import SECONDS_PER_EPOCH

# (stream, backbone) pairs -> names of missing weights; passed in, because this package imports no networks.
WeightsLacking = Callable[[Sequence[tuple[str, str]]], Sequence[str]]
FLOAT32_FACTOR = 2  # simulated features are float16, so float32 features are twice as large


@dataclass(frozen=True)
class Cost:
    """The size of the features to make, and the training time of heads on one core; None if unknown.

    `backbone_flop` are the floating-point operations of the backbones to train.
    """

    megabytes: float | None
    core_seconds: float | None
    backbone_flop: float = 0.0


@dataclass(frozen=True)
class Lack:
    """What the table cells of one dataset need before they can be run.

    `reason` says why the dataset cannot be read. `num_absent` videos are not on disk. `streams` stand with
    their networks: backbones, and for pixels the tracker or "".
    """

    dataset: str
    root: Path
    num_cells: int
    num_blocked: int
    reason: str
    num_absent: int
    streams: tuple[tuple[str, str], ...]
    weights: tuple[str, ...]
    command: str
    cost: Cost


def find_lacks(plan: TablePlan, weights_lacking: WeightsLacking) -> list[Lack]:
    """Return what each dataset needs, in the table's order; read labels and store, and write nothing."""
    names = dict.fromkeys(column.dataset for column in plan.table.columns)
    return [_lack_of(name, plan, weights_lacking) for name in names]


def _lack_of(name: str, plan: TablePlan, weights_lacking: WeightsLacking) -> Lack:
    table, settings = plan.table, plan.settings
    columns = [column for column in table.columns if column.dataset == name]
    cells = [
        (row.name, column.name)
        for column in columns
        for row in table.rows
        if _source(table, row.name, column)
    ]
    blocked = {(cell.row, cell.column) for cell in plan.blocked} & set(cells)
    dataset = _load(name, columns, settings)
    needs = [need for need in plan.needs if need.dataset == name]
    streams = tuple(
        dict.fromkeys(_streams(table, columns, blocked) if isinstance(dataset, str) else _of_needs(needs))
    )
    weights: tuple[str, ...] = ()
    if not settings.features.simulated:
        weights = tuple(dict.fromkeys([*weights_lacking(streams), *_starts(plan, columns, blocked)]))
    return Lack(
        dataset=name,
        root=settings.root(name),
        num_cells=len(cells),
        num_blocked=len(blocked),
        reason=dataset if isinstance(dataset, str) else "",
        num_absent=max((len(need.lacking) - need.num_present for need in needs), default=0),
        streams=streams,
        weights=weights,
        command=_first_command(dataset, name, needs, weights, plan),
        cost=Cost(None, None)
        if isinstance(dataset, str)
        else Cost(
            _megabytes(needs, dataset),
            _core_seconds(plan, columns, dataset),
            _backbone_flop(plan, columns, dataset),
        ),
    )


def _source(table: Table, row: str, column: Column) -> Method | Count | None:
    source = table.source_of(table.row(row), column.name)
    return source if isinstance(source, Method | Count) else None


def _load(name: str, columns: Sequence[Column], settings: Settings) -> Dataset | str:
    """Return the dataset, or the first line of the reason why it cannot be read."""
    try:
        dataset = load_dataset(name, settings.root(name))
        for split in (split for column in columns for split in column.splits):
            dataset.split(split)
    except (AqaError, UnknownName) as error:
        return str(error).splitlines()[0].partition(" Expected for")[0]
    return dataset


def _streams(
    table: Table, columns: Sequence[Column], blocked: set[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """Yield the streams and usual networks that the blocked table cells read."""
    for source in _blocked_sources(table, columns, blocked):
        for stream, backbones in source.streams.items():
            yield stream, backbones[0] or _tracker(source.extraction)


def _blocked_sources(
    table: Table, columns: Sequence[Column], blocked: set[tuple[str, str]]
) -> Iterator[Method | Count]:
    for column in columns:
        for row in table.rows:
            source = _source(table, row.name, column)
            if source is not None and (row.name, column.name) in blocked:
                yield source


def _of_needs(needs: Sequence[FeatureNeed]) -> Iterator[tuple[str, str]]:
    return ((need.stream, need.backbone or _tracker(need.extraction)) for need in needs)


def _tracker(extraction: ExtractionChoice) -> str:
    return extraction.frames.tracker if extraction.frames else ""


def _starts(plan: TablePlan, columns: Sequence[Column], blocked: set[tuple[str, str]]) -> Iterator[str]:
    """Yield the missing weights that blocked trainings of backbones start from."""
    for source in _blocked_sources(plan.table, columns, blocked):
        if isinstance(source, Method) and source.trained is not None:
            yield from missing_starts(source.trained, plan.settings)


def _first_command(
    dataset: Dataset | str, name: str, needs: Sequence[FeatureNeed], weights: Sequence[str], plan: TablePlan
) -> str:
    """Return the first command to run for the dataset; "" if no table cell is blocked."""
    settings = plan.settings
    if isinstance(dataset, str) or (
        needs and not settings.features.simulated and not any(n.num_present for n in needs)
    ):
        return f"aqa datasets check {name} --root {settings.root(name)}"
    if weights:
        return f"aqa weights fetch {' '.join(weights)}"
    return needs[0].command(settings) if needs else ""


def _megabytes(needs: Sequence[FeatureNeed], dataset: Dataset) -> float | None:
    """Return the size of the missing features by the lengths in the labels; None if a length is unknown."""
    videos = {video.video_id: video for video in dataset.videos}
    total = 0
    for stream, backbone, frames, lacking in dict.fromkeys(
        (n.stream, n.backbone, n.extraction.frames, n.lacking) for n in needs
    ):
        of_videos = [videos[video_id] for video_id in lacking]
        size = (
            len(lacking) * frames.num_bytes
            if frames is not None
            else _num_bytes(stream, backbone, of_videos, dataset.adapter)
        )
        if size is None:
            return None
        total += size
    return total / 1e6


def _num_bytes(stream: str, backbone: str, videos: Sequence[Video], dataset: str) -> int | None:
    try:
        shape = find_stream(name_of_stream(stream, backbone), dataset=dataset)
    except UnknownName:
        return None
    if shape.backbone != backbone and stream != "tubes":
        return None
    if stream not in ("clips", "tubes") and any(video.duration_seconds is None for video in videos):
        return None
    factor = 1 if stream == "tubes" else FLOAT32_FACTOR
    return factor * sum(shape.num_bytes(video) for video in videos)


def _core_seconds(plan: TablePlan, columns: Sequence[Column], dataset: Dataset) -> float | None:
    """Return the training time of unfinished heads on one core; None if a head was never timed."""
    total = 0.0
    for method, column in _unfinished(plan, columns):
        if method.trained is not None:
            continue
        if method.head not in SECONDS_PER_EPOCH:
            return None
        total += _seconds_of(method, column, dataset, plan.settings)
    return total


def _backbone_flop(plan: TablePlan, columns: Sequence[Column], dataset: Dataset) -> float:
    """Return the operations of the backbones that unfinished table cells train."""
    epochs, seeds = plan.settings.training.epochs, plan.settings.training.seeds
    return sum(
        total_flop(method, column, dataset, epochs=epochs, seeds=seeds)
        for method, column in _unfinished(plan, columns)
        if method.trained is not None
    )


def _unfinished(plan: TablePlan, columns: Sequence[Column]) -> Iterator[tuple[Method, Column]]:
    """Yield what is still to be trained; columns that share runs are trained once."""
    seen = {task.place for task in plan.tasks if is_finished(task)}
    for column in columns:
        for row in plan.table.rows:
            source = _source(plan.table, row.name, column)
            if isinstance(source, Method) and (row.name, column.folder) not in seen:
                seen.add((row.name, column.folder))
                yield source, column


def _seconds_of(method: Method, column: Column, dataset: Dataset, settings: Settings) -> float:
    lengths = {stream: [1] for stream in method.streams}
    seconds = 0.0
    for name in column.splits:
        recipe = find_head(method.head).choose_recipe(column.dataset, name, method.variant, lengths)
        at_once = recipe.is_closed_form
        epochs = recipe.epochs if at_once else settings.training.epochs or recipe.epochs
        hundreds = len(dataset.split(name).train) / 100
        seconds += epochs * SECONDS_PER_EPOCH[method.head] * len(method.streams) * hundreds
    return seconds * len(settings.training.seeds)


def num_cores() -> int:
    """Return the number of usable processors."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def where_from(dataset: str) -> str:
    """Return where the videos and labels of a dataset come from."""
    return DATASETS[dataset].where
