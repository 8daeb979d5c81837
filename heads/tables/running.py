"""Run the table cells of a plan, several at once, and continue where an earlier call stopped.

Each table cell has a run directory, `OUT/runs/<row>/<column>`, as `aqa fit` writes it.
"""

from collections.abc import Callable, Sequence

from aqa_pipeline.errors import RunError
from heads.runs.config import read_config
from heads.runs.run_config import RunConfig
from heads.runs.trained_cell import cell_folder, is_complete
from heads.tables.planning.plan import CellTask
from heads.training.pool.fits import Advance, Outcome, run_fits


def run_tasks(
    tasks: Sequence[CellTask], *, jobs: int, progress: Callable[[Advance], None] | None = None
) -> list[Outcome]:
    """Run every unfinished table cell, as `run_fits` does."""
    return run_fits(tasks, is_finished=is_finished, jobs=jobs, progress=progress)


def is_finished(task: CellTask) -> bool:
    """Return True if the run directory holds all splits and seeds of exactly these settings.

    Features are compared by their spec only, because reading gigabytes again for every finished table cell
    would make each call as slow as the first. The device may differ.
    """
    folders = [
        cell_folder(task.out, split=split, seed=seed)
        for split in task.splits
        for seed in task.settings.training.seeds
    ]
    if not all(map(is_complete, folders)) or not (task.out / "summary.json").is_file():
        return False
    try:
        config = read_config(task.out)
    except RunError:  # damaged or of another version: the fit will say what is wrong
        return False
    asked = {
        "seeds": tuple(task.settings.training.seeds),
        "select": task.settings.training.select,
        "epochs": task.epochs,
        "precision": task.settings.training.precision,
    }
    return (
        config.training.model_copy(update=asked) == config.training
        and config.left_out.allow_missing == task.settings.features.allow_missing
        and (config.head.name, config.head.variant) == (task.head, task.variant)
        and _is_of_backbone(task, config)
        and {name: stream.hash for name, stream in config.streams.items()} == dict(task.specs)
        and list(config.splits) == list(task.splits)
    )


def _is_of_backbone(task: CellTask, config: RunConfig) -> bool:
    backbone = config.head.backbone
    return backbone is None if task.trained is None else task.trained.is_of(backbone)
