"""A log for MLflow: one MLflow run per fit, and below it one per trained cell.

MLflow's own variables say where it goes: MLFLOW_TRACKING_URI, MLFLOW_EXPERIMENT_NAME.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from heads.runs.epoch import Epoch
from heads.training.logs.log import missing_package, numbers_of

SECTIONS = ("head", "dataset", "labels", "training")  # of config.json, as parameters that MLflow compares
LONGEST_PARAMETER = 500
PARENT = "mlflow.parentRunId"


class MlflowLog:
    """Metrics of each trained cell in a run of its own, so that their curves lie above each other.

    Raises `RunError` if MLflow is not installed.
    """

    def __init__(self, run_dir: Path) -> None:
        try:
            import mlflow
        except ImportError as error:
            raise missing_package("mlflow", error) from error
        self._mlflow, self._name = mlflow, run_dir.name
        self._client: Any = None
        self._run: Any = None
        self._cells: dict[tuple[str, int], str] = {}

    def begin(self, config: str) -> None:
        """Start the run; write config.json as a file and its main values as parameters."""
        self._run = self._mlflow.start_run(run_name=self._name)
        self._client = self._mlflow.MlflowClient()
        values = json.loads(config)
        for section in SECTIONS:
            for name, value in _flat(values.get(section), section):
                self._client.log_param(self._run.info.run_id, name, str(value)[:LONGEST_PARAMETER])
        self._client.log_text(self._run.info.run_id, config, "config.json")

    def add_epoch(self, split: str, seed: int, epoch: Epoch) -> None:
        """Write one metric per column of epochs.csv."""
        cell = self._cell(split, seed)
        for name, value in numbers_of(epoch).items():
            self._client.log_metric(cell, name, value, step=epoch.epoch)

    def end(self, table: str) -> None:
        """Write the evaluation as a file."""
        self._client.log_text(self._run.info.run_id, table, "evaluation.txt")

    def close(self, *, is_whole: bool) -> None:
        """End all runs."""
        status = "FINISHED" if is_whole else "FAILED"
        for cell in self._cells.values():
            self._client.set_terminated(cell, status)
        if self._run is not None:
            self._mlflow.end_run(status)

    def _cell(self, split: str, seed: int) -> str:
        if (split, seed) not in self._cells:
            made = self._client.create_run(
                self._run.info.experiment_id,
                tags={PARENT: self._run.info.run_id, "split": split, "seed": str(seed)},
                run_name=f"{self._name}, split {split}, seed {seed}",
            )
            self._cells[split, seed] = made.info.run_id
        return self._cells[split, seed]


def _flat(value: object, name: str) -> Iterator[tuple[str, object]]:
    """Yield the values within JSON objects by names such as `training.epochs`."""
    if isinstance(value, Mapping):
        for inner, each in value.items():
            yield from _flat(each, f"{name}.{inner}")
    else:
        yield name, value
