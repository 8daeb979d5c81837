"""What a log of a fit can do, and the numbers that it gets."""

import math
from collections.abc import Mapping
from typing import Protocol

from aqa_pipeline.errors import RunError
from aqa_pipeline.installation import install_command
from heads.runs.epoch import Epoch


class Log(Protocol):
    """A log of one fit. Methods are called in the order in which they stand here."""

    def begin(self, config: str) -> None:
        """Write the run's config.json, before the first epoch."""

    def add_epoch(self, split: str, seed: int, epoch: Epoch) -> None:
        """Write the numbers of an epoch. Epochs before an interruption come a second time."""

    def end(self, table: str) -> None:
        """Write the evaluation of the whole run."""

    def close(self, *, is_whole: bool) -> None:
        """Finish the log of a fit that is whole, or one that an error ended."""


def numbers_of(epoch: Epoch) -> Mapping[str, float]:
    """Return loss, learning rates and metrics by column of epochs.csv, without those that are undefined."""
    numbers = {name: float(str(value)) for name, value in epoch.to_row().items() if name != "epoch"}
    return {name: value for name, value in numbers.items() if math.isfinite(value)}


def missing_package(name: str, error: ImportError) -> RunError:
    """Return the error of a log whose package is not installed."""
    return RunError(
        f"--log {name} needs the package {name}, which cannot be imported ({error}): {install_command(name)}"
    )
