"""A cross-validation of one's own folder: fitted, repeated, resumed, evaluated and scored."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import aqa
import cli
from aqa_pipeline.errors import DatasetError, RunError
from heads.evaluation.evaluate import evaluate
from heads.reports.figures import COLORS
from heads.runs.config import read_config

NUM_VIDEOS, DIM = 24, 4
FIT = ("fit", "--head", "svr-average", "--streams", "frames", "--seeds", "0", "--device", "cpu")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def run_well(*arguments: object) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.output


def write_table(root: Path, *, groups: str) -> None:
    scores = np.random.default_rng(0).permutation(NUM_VIDEOS) + 40
    rows = [f"v{at:02d},{score},{groups[at % len(groups)]}" for at, score in enumerate(scores)]
    (root / "scores.csv").write_text("\n".join(["video,score,group", *rows]) + "\n")


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the table of six athletes, and the store of noisy features that tell the score."""
    home = tmp_path_factory.mktemp("home")
    (home / "mine").mkdir()
    (home / "arrays").mkdir()
    write_table(home / "mine", groups="abcdef")
    rng = np.random.default_rng(1)
    for line in (home / "mine/scores.csv").read_text().splitlines()[1:]:
        name, score, _ = line.split(",")
        features = float(score) / 10 + rng.normal(size=(5, DIM))
        np.save(home / "arrays" / f"{name}.npy", features.astype(np.float32))
    run_well(
        *("store", "import", home / "store", "--dataset", "folder", "--root", home / "mine"),
        *("--features", home / "arrays", "--stream", "frames", "--backbone", "toy"),
    )
    return home


@pytest.fixture
def home(pristine: Path) -> Path:
    write_table(pristine / "mine", groups="abcdef")
    return pristine


def fit(home: Path, out: Path, *arguments: str) -> Result:
    place = ("--dataset", "folder", "--root", home / "mine", "--store", home / "store", "--out", out)
    return run(*FIT, *place, *arguments)


def videos_by_split(out: Path) -> list[list[str]]:
    """Return the test videos of each split, by its predictions."""
    return [
        sorted(line.split(",")[0] for line in path.read_text().splitlines() if ",test," in line)
        for path in sorted(out.glob("split-*/seed-0/predictions.csv"))
    ]


def test_folds_are_fitted_repeated_and_resumed(home: Path, tmp_path: Path) -> None:
    result = fit(home, tmp_path / "run", "--folds", "3")
    assert result.exit_code == 0, result.output
    config = read_config(tmp_path / "run")
    assert list(config.splits) == ["fold-1-of-3", "fold-2-of-3", "fold-3-of-3"]
    tested = [video_id for split in videos_by_split(tmp_path / "run") for video_id in split]
    assert sorted(tested) == [f"v{at:02d}" for at in range(NUM_VIDEOS)]
    assert {split.num_sharing_group for split in config.splits.values()} == {0}

    run_well("fit", "--repeat", tmp_path / "run", "--out", tmp_path / "again")
    assert videos_by_split(tmp_path / "again") == videos_by_split(tmp_path / "run")

    (tmp_path / "run/split-fold-2-of-3/seed-0/predictions.csv").unlink()  # as if killed
    result = fit(home, tmp_path / "run", "--folds", "3")
    assert "(1 trained, 2 already there)" in result.output
    assert videos_by_split(tmp_path / "again") == videos_by_split(tmp_path / "run")
    assert "fold-2-of-3" in run_well("evaluate", tmp_path / "run")


def test_a_resumed_run_refuses_other_folds(home: Path, tmp_path: Path) -> None:
    """The same videos, labels, features and sizes, but other groups, make other folds."""
    assert fit(home, tmp_path / "run", "--folds", "3").exit_code == 0
    write_table(home / "mine", groups="aabbccddeeff")
    result = fit(home, tmp_path / "run", "--folds", "3")
    assert result.exit_code == 1
    assert "splits.fold-1-of-3.data_sha256: " in result.output


def test_leave_one_group_out(home: Path, tmp_path: Path) -> None:
    result = fit(home, tmp_path / "run", "--leave-one-group-out")
    assert result.exit_code == 0, result.output
    assert list(read_config(tmp_path / "run").splits) == [f"group-{name}" for name in "abcdef"]
    assert videos_by_split(tmp_path / "run")[0] == ["v00", "v06", "v12", "v18"]


def test_a_new_video_is_scored_by_the_networks_of_all_folds(home: Path, tmp_path: Path) -> None:
    assert fit(home, tmp_path / "run", "--folds", "3").exit_code == 0
    run_well(
        *("score", "--features", home / "arrays/v00.npy", "--run", tmp_path / "run"),
        *("--json", tmp_path / "all.json"),
    )
    run_well(
        *("score", "--features", home / "arrays/v00.npy", "--run", tmp_path / "run"),
        *("--split", "fold-1-of-3", "--json", tmp_path / "one.json"),
    )
    assert json.loads((tmp_path / "all.json").read_text()) != json.loads((tmp_path / "one.json").read_text())


def test_the_report_shows_all_folds_in_one_plot(home: Path, tmp_path: Path) -> None:
    for name, head in (("run", "svr-average"), ("other", "svr-maximum")):
        assert fit(home, tmp_path / name, "--folds", "3", "--head", head).exit_code == 0
    run_well("report", tmp_path / "run", "--html", tmp_path / "one.html", "--worst", "0")
    page = (tmp_path / "one.html").read_text()
    assert "Out-of-fold predictions, pooled" in page
    assert "Spearman, pooled over folds" in page
    assert "no 95 % interval: too few videos" in page  # of the mean over folds of eight videos
    pooled = evaluate(tmp_path / "run").pooled
    assert pooled is not None
    assert f'alt="24 videos, Spearman {pooled.ensemble.spearman:.3f}; fold-1-of-3: mean residual ' in page
    svg = (tmp_path / "run/plots/pooled.svg").read_text()
    points = [len(re.findall(rf"<use [^>]*fill: {color}", svg)) for color in COLORS[:3]]
    assert points == [
        len(fold) + 1 for fold in videos_by_split(tmp_path / "run")
    ]  # one of each in the legend
    run_well("report", tmp_path / "run", tmp_path / "other", "--html", tmp_path / "two.html", "--worst", "0")
    rows = (tmp_path / "two.html").read_text().count(", pooled over folds</td>")
    assert rows == 3  # of each run and of their difference
    assert "pooled: all folds together" in run_well("compare", tmp_path / "run", tmp_path / "other")


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--folds", "3", "--split", "random"), 2, "--split and --folds both choose the splits"),
        (("--folds", "3", "--leave-one-group-out"), 2, "--folds and --leave-one-group-out both choose"),
        (("--folds", "1"), 2, "1 is not in the range x>=2"),
        (("--folds", "13"), 1, "13 folds of the 24 videos of mine that have a score: expected at least 2"),
        (("--folds", "7"), 1, "7 folds of mine, whose 6 groups stay whole"),
    ],
)
def test_choices_that_make_no_sense(
    home: Path, tmp_path: Path, options: tuple[str, ...], code: int, message: str
) -> None:
    result = fit(home, tmp_path / "run", *options)
    assert (result.exit_code, (tmp_path / "run").exists()) == (code, False)
    assert message in " ".join(result.output.split())


def test_folds_from_python(home: Path, tmp_path: Path) -> None:
    dataset, store = aqa.load_dataset("folder", home / "mine"), aqa.open_store(home / "store")
    how = {"head": "svr-average", "streams": ["frames"], "seeds": [0], "device": "cpu"}
    aqa.fit(dataset, store, folds=3, out=tmp_path / "run", **how)
    assert fit(home, tmp_path / "other", "--folds", "3").exit_code == 0
    assert videos_by_split(tmp_path / "run") == videos_by_split(tmp_path / "other")
    aqa.fit(dataset, store, splits=["leave-one-group-out"], out=tmp_path / "groups", **how)
    assert len(videos_by_split(tmp_path / "groups")) == 6
    with pytest.raises(RunError, match=r"folds=3 and splits=\['random'\] both choose the splits"):
        aqa.fit(dataset, store, folds=3, splits=["random"], out=tmp_path / "none", **how)
    with pytest.raises(DatasetError, match="0 folds: expected 2 or more"):
        aqa.fit(dataset, store, folds=0, out=tmp_path / "none", **how)
