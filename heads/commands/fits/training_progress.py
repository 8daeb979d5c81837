"""The progress bar of a fit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aqa_pipeline.commands.options import progress_bar

if TYPE_CHECKING:
    from heads.training.fit import Progress


def _limit(progress: "Progress") -> str:
    """Return what held the last epoch up, if its batches were read from files."""
    share = progress.epoch.loading_share if progress.epoch else None
    if share is None:
        return ""
    name, part = ("data", share) if share > 0.5 else ("the network", 1 - share)
    return f", limited by {name} {part:.0%}"


@contextmanager
def training_progress() -> Iterator[Callable[["Progress"], None]]:
    """One bar over all epochs of all splits and seeds."""
    with progress_bar(None, unit=" epochs") as bar:

        def show(progress: "Progress") -> None:
            done = progress.epoch.epoch if progress.epoch else 0
            bar.total = progress.num_cells * progress.num_epochs
            inner = f", {progress.inner}" if progress.inner else _limit(progress)
            bar.set_description(
                f"split {progress.split}, seed {progress.seed}{inner}", refresh=bool(progress.inner)
            )
            bar.update((progress.cell - 1) * progress.num_epochs + done - bar.n)

        yield show
