"""A run beside its baselines: values by scipy, what is undefined, and the table on the terminal."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from heads.data.score_scale import ScoreScale
from heads.evaluation.against_baselines import (
    AgainstBaseline,
    AgainstBaselines,
    against_baselines,
    format_against_baselines,
)
from heads.evaluation.baselines import FILE, BaselineRow
from heads.runs.config import write_config
from heads.runs.epoch import Epoch
from heads.runs.run_config import RunConfig
from heads.runs.trained_cell import TrainedCell, VideoScore, cell_folder, split_folder, write_cell, write_rows

NUM_VIDEOS, NUM_RESAMPLES = 30, 300
MakeConfig = Callable[..., RunConfig]
RNG = np.random.default_rng(4)
TRUE = {split: RNG.normal(50, 10, NUM_VIDEOS) for split in ("one", "two")}
NOISE = {name: RNG.normal(size=NUM_VIDEOS) for name in ("a", "b", "ridge", "rbf_svr", "svr_average")}
SEEDS = {0: "a", 5: "b"}


def predicted(split: str, name: str, *, noise: float) -> np.ndarray:
    return TRUE[split] + noise * NOISE[name]


def write_run(
    folder: Path, make_config: MakeConfig, *, splits: tuple[str, ...] = ("one",), **changes
) -> Path:
    """Write a run of two seeds with noise of 5 points beside baselines with noise of 20, and a constant."""
    write_config(folder, make_config(splits, seeds=tuple(SEEDS), **changes))
    for split in splits:
        videos = [f"{split}-{at}" for at in range(NUM_VIDEOS)]
        for seed, name in SEEDS.items():
            told = predicted(split, name, noise=5)
            rows = [
                VideoScore(video, "test", true, score)
                for video, true, score in zip(videos, TRUE[split].tolist(), told.tolist(), strict=True)
            ]
            train = VideoScore(f"{split}-train", "train", 50.0, 50.0)
            epochs = (Epoch(1, 0.1, 0.01, 0.01, 0.0, 0.5),)
            cell = TrainedCell(split, seed, 1, ScoreScale(0, 25), epochs, (train, *rows))
            write_cell(cell_folder(folder, split=split, seed=seed), cell, {})
        columns = {name: predicted(split, name, noise=20) for name in ("ridge", "rbf_svr", "svr_average")}
        write_rows(
            split_folder(folder, split) / FILE,
            [
                asdict(
                    BaselineRow(
                        video,
                        float(TRUE[split][at]),
                        50.0,
                        **{name: float(values[at]) for name, values in columns.items()},
                    )
                )
                for at, video in reversed(list(enumerate(videos)))  # matched by name, not by place
            ],
        )
    return folder


@pytest.fixture
def run(tmp_path: Path, make_config: MakeConfig) -> Path:
    (tmp_path / "run").mkdir()
    return write_run(tmp_path / "run", make_config)


def compared(run: Path) -> AgainstBaselines:
    found = against_baselines(run, num_resamples=NUM_RESAMPLES)
    assert found is not None
    return found


def of(found: AgainstBaselines, name: str) -> AgainstBaseline:
    return next(each for each in found.baselines if each.baseline == name)


def test_values_are_those_of_scipy_and_differences_are_run_minus_baseline(run: Path) -> None:
    found = compared(run)
    own = np.mean(
        [spearmanr(predicted("one", name, noise=5), TRUE["one"]).statistic for name in SEEDS.values()]
    )
    ridge = spearmanr(predicted("one", "ridge", noise=20), TRUE["one"]).statistic
    assert found.value == pytest.approx(own)
    assert of(found, "ridge").value == pytest.approx(ridge)
    assert of(found, "ridge").difference == pytest.approx(own - ridge)
    interval = of(found, "ridge").interval
    assert interval.low < own - ridge < interval.high


def test_errors_are_those_of_the_mean_over_seeds_in_points(run: Path) -> None:
    found = compared(run)
    assert found.mean_error == pytest.approx(np.abs(5 * (NOISE["a"] + NOISE["b"]) / 2).mean())
    assert of(found, "rbf-svr").mean_error == pytest.approx(np.abs(20 * NOISE["rbf_svr"]).mean())
    assert of(found, "mean").mean_error == pytest.approx(np.abs(TRUE["one"] - 50).mean())


def test_a_run_that_is_clearly_better_has_an_interval_above_zero(run: Path) -> None:
    found = compared(run)
    assert all(of(found, name).interval.low > 0 for name in ("ridge", "rbf-svr", "svr-average"))


def test_a_constant_has_no_correlation_and_no_difference(run: Path) -> None:
    mean = of(compared(run), "mean")
    assert mean.to_dict() == {
        "baseline": "mean",
        "value": None,
        "mean_error": mean.mean_error,
        "difference": None,
        "interval": [None, None],
    }
    json.dumps(mean.to_dict(), allow_nan=False)


def test_the_table_names_the_run_first_and_leaves_the_undefined_empty(run: Path) -> None:
    lines = format_against_baselines(compared(run), title="wd").splitlines()
    assert lines[0].split() == ["head", "Spearman", "mean", "error", "difference", "95", "%", "interval"]
    assert [line.split()[0] for line in lines[2:]] == ["wd", "mean", "ridge", "rbf-svr", "svr-average"]
    assert lines[3].split()[1] == "undefined"
    assert len(lines[3].split()) == 3
    ridge = of(compared(run), "ridge")
    assert f"{ridge.difference:+.3f}" in lines[4]
    assert f"[{ridge.interval.low:+.3f}, {ridge.interval.high:+.3f}]" in lines[4]


def test_several_splits_are_one_number(tmp_path: Path, make_config: MakeConfig) -> None:
    """Splits that share no video are averaged by Fisher's z, as in `aqa evaluate`."""
    found = compared(write_run(tmp_path, make_config, splits=("one", "two")))
    by_split = [
        spearmanr(predicted(split, "ridge", noise=20), TRUE[split]).statistic for split in ("one", "two")
    ]
    assert of(found, "ridge").value == pytest.approx(np.tanh(np.arctanh(by_split).mean()))


def test_a_run_without_baselines_stands_alone(run: Path) -> None:
    (run / "split-one" / FILE).unlink()
    assert against_baselines(run) is None


def test_a_baseline_of_an_unfinished_run_is_compared_as_far_as_it_is(run: Path) -> None:
    (cell_folder(run, split="one", seed=5) / "cell.json").unlink()
    own = spearmanr(predicted("one", "a", noise=5), TRUE["one"]).statistic
    assert compared(run).value == pytest.approx(own)
    (cell_folder(run, split="one", seed=0) / "cell.json").unlink()
    assert against_baselines(run) is None
