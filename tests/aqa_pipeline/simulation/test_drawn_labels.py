"""Labels that a simulation draws where there are none: as many, and as they are in the papers' datasets."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import cli
from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.errors import DatasetError, UnknownName
from aqa_pipeline.records import Dataset
from aqa_pipeline.simulation import (
    Simulation,
    draw_labels,
    simulate,
    thinned,
)
from aqa_pipeline.simulation.shares import in_proportion
from aqa_pipeline.store import Store


@pytest.fixture(scope="module")
def jumps(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    root = tmp_path_factory.mktemp("labels") / "fr-fs"
    draw_labels("fr-fs", root, seed=3)
    return load_dataset("fr-fs", root)


def test_drawn_jumps_have_the_sizes_of_fr_fs(jumps: Dataset) -> None:
    clean = [video.labels["clean"] for video in jumps.videos]
    assert (len(clean), sum(clean)) == (417, 276)
    official = jumps.split("official")
    assert (len(official.train), len(official.test)) == (209, 208)
    assert sum(jumps.video(video_id).labels["clean"] for video_id in official.test) == 138
    assert not jumps.problems
    assert "drawn at random" in (jumps.root / "DRAWN.txt").read_text()


def test_drawn_scores_have_the_sizes_of_aqa7(tmp_path: Path) -> None:
    draw_labels("aqa7", tmp_path / "aqa7")
    found = load_dataset("aqa7", tmp_path / "aqa7")
    sizes = {name: len(split.train) + len(split.test) for name, split in found.splits.items()}
    assert sizes["diving"] == 370
    assert sum(sizes.values()) == len(found.videos) == 1106
    assert sum(len(split.test) for split in found.splits.values()) == 303
    assert not found.problems


def test_drawn_marks_have_the_sizes_of_jigsaws(tmp_path: Path) -> None:
    draw_labels("jigsaws", tmp_path / "jigsaws")
    found = load_dataset("jigsaws", tmp_path / "jigsaws")
    tasks = Counter(video.video_id.rsplit("_", 1)[0] for video in found.videos)
    assert tasks == {"Suturing": 39, "Needle_Passing": 28, "Knot_Tying": 36}
    items = [target.name for target in found.targets[1:]]
    assert all(sum(video.labels[item] for item in items) == video.labels["total"] for video in found.videos)
    of_surgeons = [
        np.mean([v.labels["total"] for v in found.videos if v.group == surgeon]) for surgeon in "BCDEFGHI"
    ]
    assert np.ptp(of_surgeons) > 8
    assert not found.problems
    store = Store(tmp_path / "s")
    (spec,) = simulate(found, store, Simulation(), streams=["segments"], limit=40).specs
    steps = [len(store.read("jigsaws", name, spec).features) for name in store.video_ids("jigsaws", spec)]
    assert 12 <= min(steps) < max(steps) <= 62


def test_drawn_labels_do_not_go_beside_others(tmp_path: Path) -> None:
    draw_labels("aqa7", tmp_path / "a", seed=1)
    written = {path: path.read_bytes() for path in (tmp_path / "a").rglob("*") if path.is_file()}
    draw_labels("aqa7", tmp_path / "a", seed=1)
    assert all(path.read_bytes() == content for path, content in written.items())
    for root, name, seed in (
        (tmp_path / "a", "aqa7", 2),
        (tmp_path / "a", "fr-fs", 1),
        (tmp_path, "aqa7", 1),
    ):
        with pytest.raises(DatasetError, match=rf"does not hold the labels of {name} with"):
            draw_labels(name, root, seed=seed)
    with pytest.raises(UnknownName, match="mtl-aqa"):
        draw_labels("mtl-aqa", tmp_path / "b")


def test_shares_are_in_proportion() -> None:
    assert in_proportion(10, [1, 1, 1]) == [4, 3, 3]
    assert in_proportion(303, [370, 176, 175, 206, 88, 91]) == [101, 48, 48, 57, 24, 25]


def test_fewer_videos_of_both_sides(jumps: Dataset) -> None:
    chosen = {video.video_id for video in thinned(jumps, 20)}
    official = jumps.split("official")
    assert (len(chosen & set(official.train)), len(chosen & set(official.test))) == (10, 10)
    assert thinned(jumps, None) == thinned(jumps, 1000) == jumps.videos
    with pytest.raises(DatasetError, match="3 of 417 videos of fr-fs leave 1 in one set of a split"):
        thinned(jumps, 3)


def test_a_limit_changes_no_record(jumps: Dataset, tmp_path: Path) -> None:
    """Ranks are those of all labels, whoever is simulated."""
    store = Store(tmp_path / "s")
    report = simulate(jumps, store, Simulation(), streams=["tubes:reference"], limit=4)
    (spec,) = report.specs
    assert report.num_written == 4
    video_id = store.video_ids("fr-fs", spec)[0]
    more = Store(tmp_path / "more")
    simulate(jumps, more, Simulation(), streams=["tubes:reference"], limit=6)
    record = store.read("fr-fs", video_id, spec)
    (same,) = [v for v in more.video_ids("fr-fs", spec) if v == video_id]
    np.testing.assert_array_equal(record.features, more.read("fr-fs", same, spec).features)
    assert record.extras["quads"].shape == (7, 1, 16, 4, 2)
    assert not [problem for _, problem in store.verify() if problem]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def test_the_command_draws_labels_and_tubes(tmp_path: Path) -> None:
    root, store = tmp_path / "fr-fs", tmp_path / "s"
    command = ("simulate", "--like", "fr-fs", "--root", root, "--store", store, "--draw-labels", "--limit", 4)
    result = run(*command)
    assert result.exit_code == 0, result.output
    assert "Wrote random labels to" in result.output
    assert "tubes of i3d-tsa-net: about 46 MB" in result.output
    assert "SIMULATED fr-fs: 4 videos, 4 records written" in result.output
    assert "0 records written" in run(*command).output
    assert "needs --root" in run("simulate", "--like", "fr-fs", "--draw-labels").output
    refused = run("simulate", "--like", "mtl-aqa", "--root", root, "--draw-labels").output
    assert "--like fr-fs or aqa7" in refused
