"""A log for TensorBoard, in the folder `tensorboard` of the run: `tensorboard --logdir runs`."""

from pathlib import Path
from typing import Any

from heads.runs.epoch import Epoch
from heads.runs.trained_cell import cell_folder
from heads.training.logs.log import missing_package, numbers_of


class TensorboardLog:
    """Scalars of each trained cell in a folder of its own, so that their curves lie above each other.

    Raises `RunError` if TensorBoard is not installed.
    """

    def __init__(self, run_dir: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise missing_package("tensorboard", error) from error
        self._make_writer, self._folder = SummaryWriter, run_dir / "tensorboard"
        self._writers: dict[Path, Any] = {}

    def begin(self, config: str) -> None:
        """Write config.json as text."""
        self._writer(self._folder).add_text("config", _as_code(config))

    def add_epoch(self, split: str, seed: int, epoch: Epoch) -> None:
        """Write one scalar per column of epochs.csv."""
        writer = self._writer(cell_folder(self._folder, split=split, seed=seed))
        for name, value in numbers_of(epoch).items():
            writer.add_scalar(name, value, epoch.epoch)
        writer.flush()

    def end(self, table: str) -> None:
        """Write the evaluation as text."""
        self._writer(self._folder).add_text("evaluation", _as_code(table))

    def close(self, *, is_whole: bool) -> None:
        """Close the files."""
        for writer in self._writers.values():
            writer.close()

    def _writer(self, folder: Path) -> Any:
        if folder not in self._writers:
            self._writers[folder] = self._make_writer(str(folder))
        return self._writers[folder]


def _as_code(text: str) -> str:
    """Return text that TensorBoard shows as it is: Markdown takes indented lines as code."""
    return "\n".join(f"    {line}" for line in text.splitlines())
