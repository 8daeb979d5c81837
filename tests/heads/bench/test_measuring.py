"""A block is measured as `aqa evaluate` measures its runs, and takes only runs of the same data."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from aqa_pipeline.records import Dataset, Split
from heads.bench.measuring import measure_block
from heads.evaluation.evaluate import FISHER_Z_MEAN, evaluate
from heads.training.fit import fit
from small_world import World

HALVES = {"one": slice(0, 20), "two": slice(20, 40)}  # two splits of ten training and ten test videos
RUNS = {"mean": "runs/mean", "ridge": "runs/ridge"}


def apart(dataset: Dataset) -> Dataset:
    """Return the dataset with two splits that share no video, as the apparatus of gymnastics."""
    ids = [video.video_id for video in dataset.videos]
    splits = {
        name: Split(name, tuple(ids[half][:10]), tuple(ids[half][10:])) for name, half in HALVES.items()
    }
    return replace(dataset, splits=splits, default_splits=tuple(splits))


def fit_baseline(world: World, folder: Path, head: str) -> None:
    closed_form = {"variant": "adapted", "epochs": None, "streams": ("segments",), "baselines": False}
    fit(world.request(folder / RUNS[head], head=head, **closed_form))


def measure(folder: Path, runs: Mapping[str, str] = RUNS):
    return measure_block(folder, "synthetic/segments-toy-3d", runs, encoder="segments-toy-3d")


@pytest.fixture
def gymnasts(world: World) -> World:
    return replace(world, dataset=apart(world.dataset))


def test_splits_that_share_no_video_are_averaged_by_fishers_z(gymnasts: World, tmp_path: Path) -> None:
    for head in RUNS:
        fit_baseline(gymnasts, tmp_path, head)
    block, failed = measure(tmp_path)
    assert failed == []
    assert block.mean_over_splits == FISHER_Z_MEAN
    expected = evaluate(tmp_path / RUNS["ridge"])
    ridge = block.cell("ridge")
    assert ridge.value == pytest.approx(expected.overall.mean)
    assert ridge.interval.low == expected.overall.interval.low
    assert ridge.mean_error == pytest.approx(
        sum(cell.scores.mean_error for cell in expected.cells) / len(expected.cells)
    )
    assert block.num_videos == 20


def with_other_label(dataset: Dataset) -> Dataset:
    first, *others = dataset.videos
    labels = {**first.labels, "score": 1.0}
    return replace(dataset, videos=(replace(first, labels=labels), *others))


def without_a_video(dataset: Dataset) -> Dataset:
    one = dataset.splits["one"]
    return replace(dataset, splits={**dataset.splits, "one": Split("one", one.train[1:], one.test)})


@pytest.mark.parametrize(
    ("change", "what"), [(with_other_label, "features or labels"), (without_a_video, "splits")]
)
def test_a_run_on_other_data_is_left_out_with_the_reason(
    gymnasts: World, tmp_path: Path, change, what: str
) -> None:
    fit_baseline(gymnasts, tmp_path, "mean")
    fit_baseline(replace(gymnasts, dataset=change(gymnasts.dataset)), tmp_path, "ridge")
    block, (failed,) = measure(tmp_path)
    assert [cell.row for cell in block.cells] == ["mean"]
    assert failed.row == "ridge"
    assert f"runs/ridge and runs/mean do not have the same {what}:" in failed.reason


def test_no_run_is_no_block(tmp_path: Path) -> None:
    block, failed = measure(tmp_path)
    assert block is None
    assert [each.row for each in failed] == ["mean", "ridge"]
