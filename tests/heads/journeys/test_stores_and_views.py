"""Fits from stores of several kinds: packed, of half precision, with views; and groups that overlap."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import cli
from aqa_pipeline.records import Record, StreamSpec
from aqa_pipeline.store import Store
from heads.runs.trained_cell import read_cell

WD = (
    "--head",
    "wd",
    "--seeds",
    "0",
    "--epochs",
    "2",
    "--split",
    "given",
    "--device",
    "cpu",
    "--threads",
    "1",
)


def aqa(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def fit(folder: Path, store: Path, out: Path, *more: object) -> Result:
    result = aqa("fit", "--dataset", "folder", "--root", folder, "--store", store, *WD, "--out", out, *more)
    assert result.exit_code == 0, result.output
    return result


def model_of(run: Path) -> bytes:
    return (run / "split-given" / "seed-0" / "model.safetensors").read_bytes()


def test_a_packed_store_trains_the_same_weights(make_club, tmp_path: Path) -> None:
    club = make_club(tmp_path, num_videos=10)
    packed = aqa("store", "pack", club.root / "features", "--out", tmp_path / "club.h5")
    assert packed.exit_code == 0, packed.output
    fit(club.root / "club", club.root / "features", tmp_path / "folder")
    fit(club.root / "club", tmp_path / "club.h5", tmp_path / "packed")
    assert model_of(tmp_path / "folder") == model_of(tmp_path / "packed")
    config = json.loads((tmp_path / "packed" / "config.json").read_text())
    assert config["store"].endswith("club.h5")
    assert aqa("fit", "--repeat", tmp_path / "packed", "--out", tmp_path / "again").exit_code == 0
    assert model_of(tmp_path / "again") == model_of(tmp_path / "packed")


def rewritten(club, store: Path, spec: StreamSpec, change) -> Path:
    """Write every record of the clips into another store, changed."""
    target = Store(store)
    for name in club.ids:
        old = club.store.read("club", name, club.spec("clips"))
        target.write(Record("club", name, spec, change(old.features), old.pts_seconds, old.source))
    return store


def test_features_of_half_precision_train_almost_the_same(make_club, tmp_path: Path) -> None:
    club = make_club(tmp_path, num_videos=10)
    half = rewritten(club, tmp_path / "half", club.spec("clips"), lambda rows: rows.astype(np.float16))
    fit(club.root / "club", club.root / "features", tmp_path / "whole")
    fit(club.root / "club", half, tmp_path / "halved")
    told = [
        [row.predicted for row in read_cell(tmp_path / name, split="given", seed=0).predictions]
        for name in ("whole", "halved")
    ]
    assert told[0] != told[1]
    np.testing.assert_allclose(told[0], told[1], atol=0.2)


def views_of(rows: np.ndarray) -> np.ndarray:
    """Return the steps as two views: as they are, and shifted far away."""
    return np.stack([rows, rows + 50], axis=1)


def test_testing_and_statistics_read_the_reference_view_alone(make_club, tmp_path: Path) -> None:
    """The baselines of features with views are those without: the second view is never read for them."""
    club = make_club(tmp_path, num_videos=10)
    spec = StreamSpec("clips", {**club.spec("clips").facts, "views": "end-0,end-0-flip"})
    store = rewritten(club, tmp_path / "views", spec, views_of)
    fit(club.root / "club", club.root / "features", tmp_path / "plain")
    fit(club.root / "club", store, tmp_path / "viewed")
    for name in ("baselines.csv", "training_statistics.json"):
        plain, viewed = ((tmp_path / run / "split-given" / name).read_text() for run in ("plain", "viewed"))
        assert plain == viewed
    assert model_of(tmp_path / "plain") != model_of(tmp_path / "viewed"), "training draws both views"


def test_features_for_a_run_of_views_need_the_views(make_club, tmp_path: Path) -> None:
    club = make_club(tmp_path, num_videos=10)
    spec = StreamSpec("clips", {**club.spec("clips").facts, "views": "end-0,end-0-flip"})
    fit(club.root / "club", rewritten(club, tmp_path / "views", spec, views_of), tmp_path / "run")
    rows = club.store.read("club", "v01", club.spec("clips")).features + np.float32(0.01)
    np.save(tmp_path / "plain.npy", rows)
    refused = aqa("score", "--features", tmp_path / "plain.npy", "--run", tmp_path / "run")
    assert refused.exit_code == 3
    assert (
        f"it has the shape ({len(rows)}, 12): the run was trained on (time, 2 views, 12)." in refused.output
    )
    scores = []
    for shift in (50, 7):
        np.save(tmp_path / "views.npy", np.stack([rows, rows + shift], axis=1))
        files = ("--json", tmp_path / "s.json")
        result = aqa("score", "--features", tmp_path / "views.npy", "--run", tmp_path / "run", *files)
        assert result.exit_code == 0, result.output
        (video,) = json.loads((tmp_path / "s.json").read_text())["videos"]
        scores.append(video["seed_scores"])
    assert scores[0] == scores[1], "only the reference view is scored"


def test_groups_on_both_sides_are_counted_and_grouped_splits_have_none(make_club, tmp_path: Path) -> None:
    club = make_club(tmp_path, num_videos=20)
    result = fit(club.root / "club", club.root / "features", tmp_path / "given")
    groups = {video.video_id: video.group for video in club.dataset.videos}
    split = club.dataset.splits["given"]
    trained = {groups[name] for name in split.train}
    shared = sum(groups[name] in trained for name in split.test)
    assert shared > 0
    assert f"{shared} of {len(split.test)} in split given" in result.stderr
    assert "`--split grouped` keeps groups apart" in result.stderr
    config = json.loads((tmp_path / "given" / "config.json").read_text())
    assert config["splits"]["given"]["num_sharing_group"] == shared
    apart = fit(club.root / "club", club.root / "features", tmp_path / "grouped", "--split", "grouped")
    assert "GROUPS OVERLAP" not in apart.stderr
    gone = next(name for name in split.test if groups[name] in trained)
    club.store.path("club", gone, club.spec("clips")).unlink()
    less = fit(club.root / "club", club.root / "features", tmp_path / "less", "--allow-missing")
    assert f"{shared - 1} of {len(split.test) - 1} in split given" in less.stderr


def test_a_damaged_record_is_named_and_no_run_is_left(make_club, tmp_path: Path) -> None:
    club = make_club(tmp_path, num_videos=10)
    path = club.store.path("club", "v04", club.spec("clips"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    path.write_bytes(content)
    where = ("--dataset", "folder", "--root", club.root / "club", "--store", club.root / "features")
    result = aqa("fit", *where, *WD, "--out", tmp_path / "run")
    assert result.exit_code == 1, result.output
    assert "v04" in result.output
    assert "Traceback" not in result.output
    assert not (tmp_path / "run").exists()


def test_a_record_of_another_size_names_the_sizes(make_club, tmp_path: Path) -> None:
    club = make_club(tmp_path, num_videos=10)
    old = club.store.read("club", "v04", club.spec("clips"))
    club.store.write(replace(old, features=old.features[:, :7]))
    where = ("--dataset", "folder", "--root", club.root / "club", "--store", club.root / "features")
    result = aqa("fit", *where, *WD, "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert "the 'clips' features have several sizes, ['12', '7']: extract them again." in result.output


@pytest.mark.parametrize("steps", [0, 1])
def test_videos_of_no_or_one_step_are_trained_with_and_noted(make_club, tmp_path: Path, steps: int) -> None:
    club = make_club(tmp_path, num_videos=12)
    for name in ("v02", "v03"):
        old = club.store.read("club", name, club.spec("clips"))
        club.store.write(replace(old, features=old.features[:steps], pts_seconds=old.pts_seconds[:steps]))
    result = fit(club.root / "club", club.root / "features", tmp_path / "run")
    assert ("Without a step of clips: 2 videos (v02, v03)." in result.stderr) == (steps == 0)
    rows = read_cell(tmp_path / "run", split="given", seed=0).predictions
    assert len(rows) == 12
    assert all(np.isfinite(row.predicted) for row in rows)
