"""Counted table cells: the cost of attention modules on the tubes of videos, stored or implied by the paper.

Counting needs no training: the stored quads of a video give the grid positions of its tube, and
heads/models/tube_attention/cost.py gives their cost.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from aqa_pipeline.store import Store
from heads.data.tube_maps import OpenedRecord, open_maps
from heads.models.tube_attention.cost import NL_POSITIONS, full_count, paper_count, paper_positions
from heads.tables.planning.plan import CountTask, TablePlan
from heads.tables.table import Count

Sizes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TubeSizes:
    """Grid positions of each video, int64 `(video)`: in its tube, and in the whole grid."""

    tube: Sizes
    grid: Sizes


def _full_count(positions: int, stacked: int) -> int:
    return stacked * full_count("tsa-as-written", [positions])


def _cheapest_count(positions: int, stacked: int) -> int:
    return stacked * full_count("tsa", [positions])


def _paper_count(positions: int, stacked: int) -> int:
    return paper_count(positions, stacked=stacked)


# (positions, stacked modules) -> multiply-adds; dense attention counts all positions of the grid.
WAYS: Mapping[str, Callable[[int, int], int]] = {
    "paper-count": _paper_count,
    "full-count": _full_count,
    "cheapest-count": _cheapest_count,
}


@dataclass(frozen=True, eq=False)
class Counted:
    """Multiply-adds of each video, `(video)`."""

    values: NDArray[np.float64]
    status: Literal["counted", "implied"]


def count_tasks(plan: TablePlan) -> dict[tuple[str, str], Counted]:
    """Return the counts of every task of the plan by row and column; read the tubes of each dataset once."""
    store = Store(plan.settings.store)
    sizes: dict[tuple[str, str, tuple[str, ...]], TubeSizes] = {}
    counted = {}
    for task in plan.counts:
        row = plan.table.row(task.row)
        assert row.count is not None, "only rows with a count are counted"
        if task.spec is None:
            of_videos = implied_sizes(row.count, task.column)
        else:
            key = (task.dataset, task.spec.hash, task.videos)
            of_videos = sizes[key] = sizes.get(key) or stored_sizes(store, task)
        metric = plan.table.metric_name(row, task.column)
        known = task.spec is not None or row.count.everywhere
        values = count(metric, row.count, of_videos)
        counted[task.row, task.column] = Counted(values, "counted" if known else "implied")
    return counted


def count(way: str, block: Count, sizes: TubeSizes) -> NDArray[np.float64]:
    """Return the multiply-adds of each video, `(video)`."""
    positions = sizes.grid if block.everywhere else sizes.tube
    return np.array([WAYS[way](int(number), block.stacked) for number in positions], np.float64)


def stored_sizes(store: Store, task: CountTask) -> TubeSizes:
    """Return the tube sizes of the task's videos in the reference view (eq. 1-3), without missing records."""
    assert task.spec is not None
    stored = set(store.video_ids(task.dataset, task.spec))
    records = [store.map(task.dataset, video, task.spec) for video in task.videos if video in stored]
    opened = [OpenedRecord(each.spec, each.features, each.extras, each.checksum) for each in records]
    tubes = [of_video[:, 0] for of_video in open_maps(task.spec.stream, opened).tubes]
    return TubeSizes(np.array([int(tube.sum()) for tube in tubes]), np.array([tube.size for tube in tubes]))


def implied_sizes(block: Count, column: str) -> TubeSizes:
    """Return the tube size of one video that the paper's printed count of one module implies."""
    grid = np.array([NL_POSITIONS])
    if block.everywhere:
        return TubeSizes(grid, grid)
    return TubeSizes(np.array([paper_positions(1e9 * block.implied_by[column])]), grid)
