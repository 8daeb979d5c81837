"""The options and the progress bar of commands that run many fits."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from aqa_pipeline.commands.options import clock_time, progress_bar, together

if TYPE_CHECKING:
    from heads.training.pool.fits import Advance, FitTask

pool_options = together(
    click.option(
        "--jobs",
        type=click.IntRange(1),
        help="Trainings at a time.  [default: number of processors; 1 on a GPU]",
    ),
    click.option(
        "--threads", type=click.IntRange(1), default=1, show_default=True, help="Threads of each process."
    ),
)


def usual_jobs(device: str) -> int:
    """Return the number of usable processors, or 1 on a GPU."""
    if device != "cpu":
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def fits_progress(tasks: Iterable["FitTask"]) -> Iterator[Callable[["Advance"], None]]:
    """Show one progress bar over all epochs of all fits, with the time left."""
    layout = "{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} epochs [{elapsed}{postfix}]"
    total = sum(task.num_epochs for task in tasks)
    with progress_bar(total, unit=" epochs", bar_format=layout) as bar:

        def show(advance: "Advance") -> None:
            left = "" if advance.seconds_left is None else f"{clock_time(advance.seconds_left)} left, "
            bar.set_postfix_str(f"{left}{' '.join(advance.place)}", refresh=False)
            bar.update(advance.num_done - bar.n)

        yield show


@contextmanager
def stoppable() -> Iterator[None]:
    """Turn Ctrl-C in the block into a sentence that says how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo("\nStopped. The same command continues where it stopped.", err=True)
        raise click.Abort from None
