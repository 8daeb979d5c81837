"""Opening the logs that a fit was asked for, and telling them what happens."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from heads.evaluation.evaluation_text import format_evaluation
from heads.runs.config import FILE
from heads.training.distributed.world import World
from heads.training.fit import Progress, RunSummary, ShowProgress
from heads.training.logs.log import Log
from heads.training.logs.mlflow_log import MlflowLog
from heads.training.logs.tensorboard_log import TensorboardLog

log = logging.getLogger(__name__)

LOGS: Mapping[str, Callable[[Path], Log]] = {"tensorboard": TensorboardLog, "mlflow": MlflowLog}


class OpenedLogs:
    """The logs of one fit, by name. A log that fails is left out from then on, and training goes on."""

    def __init__(self, logs: Mapping[str, Log], run_dir: Path) -> None:
        self._logs, self._run_dir = dict(logs), run_dir
        self._has_begun = False

    def tell(self, progress: Progress) -> None:
        """Write the epoch, if one has ended."""
        epoch = progress.epoch
        if epoch is not None:
            self._begin()
            self._each(lambda each: each.add_epoch(progress.split, progress.seed, epoch))

    def after(self, show: ShowProgress) -> ShowProgress:
        """Return a function that shows progress, and then writes it."""

        def show_and_tell(progress: Progress) -> None:
            show(progress)
            self.tell(progress)

        return show_and_tell

    def end(self, summary: RunSummary) -> None:
        """Write the evaluation; of several processes the first one does."""
        if not World.from_environment().is_first:
            return
        table = format_evaluation(summary.evaluation)
        self._begin()
        self._each(lambda each: each.end(table))

    def close(self, *, is_whole: bool) -> None:
        """Finish the logs."""
        self._each(lambda each: each.close(is_whole=is_whole))

    def _begin(self) -> None:
        """Write the run's configuration, which is there once training has begun."""
        if not self._has_begun:
            self._has_begun = True
            config = (self._run_dir / FILE).read_text()
            self._each(lambda each: each.begin(config))

    def _each(self, act: Callable[[Log], None]) -> None:
        for name, each in tuple(self._logs.items()):
            try:
                act(each)
            except Exception as error:  # of another package, or of a server
                del self._logs[name]
                log.warning(
                    "the log %s has failed (%s) and ends here. Training goes on; epochs.csv has all epochs.",
                    name,
                    error,
                )


@contextmanager
def open_logs(names: Sequence[str], run_dir: Path) -> Iterator[OpenedLogs]:
    """Yield the logs of a fit into `run_dir`; raise `RunError` for one whose package is not installed."""
    logs = OpenedLogs({name: LOGS[name](run_dir) for name in dict.fromkeys(names)}, run_dir)
    is_whole = False
    try:
        yield logs
        is_whole = True
    finally:
        logs.close(is_whole=is_whole)
