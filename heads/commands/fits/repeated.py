"""`aqa fit --repeat RUN`: the request of a finished run, into another folder."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aqa_pipeline.commands.defaults import near
from aqa_pipeline.commands.options import ENGINE_OPTIONS

if TYPE_CHECKING:
    from heads.training.options import FitRequest


def beside(run: Path) -> Path:
    """Return the folder RUN-again beside the run, which may be named by `.` or `..`."""
    full = Path(os.path.abspath(run))
    return near(full.with_name(f"{full.name}-again"))


def repeated(ctx: click.Context, repeat: Path, out: Path) -> "FitRequest":
    """Return the request of a finished run; its config says everything, so raise for other options."""
    from aqa_pipeline.store import Store
    from heads.runs.config import dataset_of, read_config
    from heads.runs.run_plugins import head_of
    from heads.training.options import FitOptions, FitRequest

    given = [
        name
        for name in ctx.params
        if name not in ("repeat", "out", "logs", *ENGINE_OPTIONS)
        and ctx.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(f"--repeat takes everything from the old run: leave out {', '.join(given)}.")
    config = read_config(repeat)
    head_of(config)  # the very one
    return FitRequest(FitOptions.from_config(config), dataset_of(config), Store(config.store), out)
