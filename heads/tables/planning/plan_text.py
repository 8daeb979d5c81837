"""The plan of a table as text: per dataset what is missing, its cost, and the first command."""

from collections.abc import Iterator, Sequence

from aqa_pipeline.disk.free_space import free_bytes
from aqa_pipeline.plurals import counted
from aqa_pipeline.weights import get_weights_file, total_text
from heads.tables.planning.missing import Lack, num_cores, where_from
from heads.tables.planning.plan import TablePlan
from heads.tables.planning.trained_backbones import GPU_FLOPS


def format_plan(plan: TablePlan, lacks: Sequence[Lack]) -> str:
    """Return which table cells can be run now, and what the others need."""
    return "\n".join(_lines(plan, lacks))


def _lines(plan: TablePlan, lacks: Sequence[Lack]) -> Iterator[str]:
    num_cells, num_blocked = sum(each.num_cells for each in lacks), sum(each.num_blocked for each in lacks)
    yield f"{plan.table.title} ({plan.table.source})"
    if plan.settings.quick:
        yield "A quick look, no reproduction: the first split of each column, few epochs."
    yield f"{num_cells - num_blocked} of {counted(num_cells, 'cell')} can be run now."
    for lack in lacks:
        yield ""
        yield from _of_dataset(lack)
    yield ""
    free = free_bytes(plan.settings.store)
    yield f"Free disk for features at {plan.settings.store}: {free / 1e9:.0f} GB. Processors: {num_cores()}."
    yield (
        "Training times are an estimate from one core of another machine. `aqa extract --limit 3` measures "
        "extraction on this one."
    )


def _of_dataset(lack: Lack) -> Iterator[str]:
    cells = counted(lack.num_cells, "cell waits", "cells wait")
    waiting = f"{lack.num_blocked} of {cells}" if lack.num_blocked else "nothing is missing"
    yield f"{lack.dataset}: {waiting}"
    if lack.reason:
        yield f"  dataset   {lack.reason}"
    if lack.num_absent:
        yield f"  dataset   {lack.num_absent} of its videos are not in {lack.root}"
    if lack.reason or lack.num_absent:
        yield from (f"            {line}" for line in where_from(lack.dataset).splitlines())
    if lack.streams:
        shown = (f"{stream} ({network})" if network else stream for stream, network in lack.streams)
        yield f"  features  {', '.join(shown)}"
    if lack.weights:
        entries = [get_weights_file(name) for name in lack.weights]
        yield f"  weights   {', '.join(lack.weights)}: {total_text(entries)} to fetch"
    if lack.num_blocked:
        yield f"  disk      {_disk(lack)}"
    yield f"  training  {_training(lack)}"
    if lack.cost.backbone_flop:
        yield f"  backbones {_backbones(lack.cost.backbone_flop)}"
    if lack.command:
        yield f"  first     {lack.command}"


def _disk(lack: Lack) -> str:
    if lack.cost.megabytes is None:
        return "unknown until its labels tell how long the videos are"
    return f"about {lack.cost.megabytes:,.0f} MB of features"


def _training(lack: Lack) -> str:
    if lack.reason:
        return "unknown until its labels tell how many videos there are"
    if lack.cost.core_seconds is None:
        return "not measured for heads of these cells"
    return f"about {_duration(lack.cost.core_seconds)} on one core"


def _backbones(flop: float) -> str:
    """Return the work of training backbones, and the time that it takes at a stated rate."""
    petaflop = f"{flop / 1e15:,.0f}" if flop >= 1e16 else f"{flop / 1e15:.1f}"
    rate = f"{GPU_FLOPS / 1e12:.0f} TFLOP/s"
    return f"{petaflop} PFLOP to train them: {_duration(flop / GPU_FLOPS)} at {rate}, a large GPU in bf16"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
