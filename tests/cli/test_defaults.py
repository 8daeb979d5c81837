"""What commands take where a person leaves it open: the one obvious choice, said in a line, or a question."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import cli
from aqa_pipeline.commands.defaults import find_dataset, near, only_run, stored_roots
from aqa_pipeline.errors import DatasetError, RunError, StoreError, UnknownName
from aqa_pipeline.store import Origin, Store, write_origin

FIT = ("fit", "--head", "svr-average", "--streams", "segments", "--seeds", "0", "--device", "cpu")


def aqa(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def write_skating(root: Path) -> Path:
    root.mkdir(parents=True)
    lines = [f"{at}_Worlds-abcdefghij{at % 3} {60 + at}.5 {30 + at}.0 30.5 0 96" for at in range(1, 13)]
    (root / "annotations.txt").write_text("\n".join(lines) + "\n")
    return root


def write_gymnastics(root: Path) -> Path:
    root.mkdir(parents=True)
    scores = np.random.default_rng(0).uniform(5, 20, size=12).round(2)
    for side, numbers in (("train", range(8)), ("test", range(8, 12))):
        lines = [f"Ball_{n:03d}\t5.0 {scores[n] - 5:.2f}\t{scores[n]:.2f} 0.0\t20.0" for n in numbers]
        (root / f"{side}.txt").write_text("\n".join(["a header line", *lines]) + "\n")
    return root


def write_own(root: Path) -> Path:
    root.mkdir(parents=True)
    (root / "scores.csv").write_text("video,score\na.mp4,1\nb.mp4,2\n")
    return root


def simulate(name: str, root: Path) -> None:
    simulation = ("simulate", "--like", name, "--root", root, "--store", "features", "--streams", "segments")
    assert aqa(*simulation).exit_code == 0


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def skating(here: Path) -> Path:
    """Write a store with features of one dataset; return the dataset's folder, not data/mit-skating."""
    root = write_skating(here / "elsewhere" / "skating")
    simulate("mit-skating", Path("elsewhere") / "skating")
    return root


def test_fit_takes_the_only_dataset_from_where_it_was_and_says_so(skating):
    result = aqa(*FIT)
    assert result.exit_code == 0, result.output
    assert (
        "Fitting svr-average on mit-skating (elsewhere/skating) with the features in features, "
        "into runs/mit-skating-svr-average.\n"
    ) in result.stderr
    again = aqa(*FIT, "--dataset", "mit-skating", "--root", skating, "--out", "runs/mit-skating-svr-average")
    assert "(0 trained, 5 already there)" in again.stdout, again.output
    assert "Fitting" not in again.stderr


def test_fit_asks_which_of_several_datasets(skating, here):
    simulate("rhythmic-gymnastics", write_gymnastics(here / "gymnastics"))
    result = aqa(*FIT)
    assert result.exit_code == 1
    assert "choose one with --dataset (mit-skating, rhythmic-gymnastics)" in result.output
    assert not (here / "runs").exists()
    assert aqa(*FIT, "--dataset", "mit-skating").exit_code == 0


def test_fit_without_features_names_the_command_that_makes_them(here):
    result = aqa("fit", "--head", "action-net")
    assert result.exit_code == 1
    assert (
        "there are no features in features: run `aqa extract --dataset NAME --store features`"
        in result.output
    )
    assert not list(here.iterdir())


def test_fit_names_an_unknown_head_before_it_says_what_it_does(skating):
    result = aqa("fit", "--head", "action-nett")
    assert result.exit_code == 1
    assert "Did you mean 'action-net'" in result.output
    assert "Fitting" not in result.output


def test_a_repeated_run_goes_beside_the_old_one(skating, here):
    assert aqa(*FIT).exit_code == 0
    result = aqa("fit", "--repeat", "runs/mit-skating-svr-average")
    assert result.exit_code == 0, result.output
    assert "Run: runs/mit-skating-svr-average-again" in result.stdout


def test_commands_on_runs_take_the_only_one_or_list_them(skating, here):
    for command in ("evaluate", "report"):
        result = aqa(command)
        assert result.exit_code == 1
        assert "there is no run in runs/: give its path, or train one with `aqa fit`" in result.output
    assert aqa(*FIT).exit_code == 0
    result = aqa("evaluate")
    assert result.exit_code == 0
    assert result.stderr == "Run: runs/mit-skating-svr-average, the only one in runs/\n"
    assert result.stdout == aqa("evaluate", "runs/mit-skating-svr-average").stdout
    assert aqa("report").exit_code == 0
    assert (here / "report.html").is_file()
    assert aqa(*FIT, "--out", "runs/second").exit_code == 0
    for command in (("evaluate",), ("report",), ("score", "new.mp4")):
        result = aqa(*command)
        assert result.exit_code == 1
        assert "choose one of runs/mit-skating-svr-average, runs/second" in result.output


def test_reproduce_finds_the_dataset_where_it_was_extracted_from(skating, here):
    table = ("reproduce", "action-net-table1", "--columns", "mit-skating", "--rows", "i3d-svr-average")
    result = aqa(*table, "--simulated", "--seeds", "0", "--jobs", "1", "--device", "cpu")
    assert result.exit_code == 0, result.output
    assert stored_roots(Store(Path("features"))) == {"mit-skating": Path("elsewhere/skating")}


def test_check_takes_the_only_dataset_of_the_folder_data(here):
    assert (
        "give the name of a dataset (see `aqa datasets list`): data/ holds none"
        in aqa("datasets", "check").output
    )
    write_skating(here / "data" / "mit-skating")
    result = aqa("datasets", "check")
    assert result.exit_code == 3  # no videos
    assert "mit-skating" in result.output
    write_gymnastics(here / "data" / "rhythmic-gymnastics")
    assert "there are 2 in data/ (mit-skating, rhythmic-gymnastics)" in aqa("datasets", "check").output


def test_pack_writes_beside_the_store(skating, here):
    assert aqa("store", "pack").exit_code == 0
    assert (here / "features.h5").is_file()


def test_an_own_folder_is_found_by_its_name_by_its_kind_and_by_nothing(here, monkeypatch):
    root = write_own(here / "my-videos")
    store = Store(here / "store")
    write_origin(store.root, Origin("folder", "my-videos", root))
    monkeypatch.setattr(Store, "datasets", lambda self: ["my-videos"])
    for name in ("my-videos", "folder", None):
        found = find_dataset(store, name=name, root=None)
        assert (found.name, found.adapter, found.root) == ("my-videos", "folder", Path("my-videos"))
    other = write_own(here / "other")
    assert find_dataset(store, name="folder", root=other).name == "other"
    assert find_dataset(store, name="folder", root=other, called="mine").name == "mine"


def test_several_own_folders_are_asked_for_by_name(here, monkeypatch):
    store = Store(here / "store")
    for name in ("friday", "monday"):
        write_origin(store.root, Origin("folder", name, write_own(here / name)))
    monkeypatch.setattr(Store, "datasets", lambda self: ["friday", "mit-skating", "monday"])
    with pytest.raises(StoreError, match=r"choose one with --dataset \(friday, monday\)"):
        find_dataset(store, name="folder", root=None)
    assert find_dataset(store, name="monday", root=None).root == Path("monday")


def test_a_dataset_that_moved_to_the_usual_place_is_found_there(here):
    write_origin(here / "store", Origin("mit-skating", "mit-skating", here / "gone"))
    store = Store(here / "store")
    with pytest.raises(DatasetError, match="gone is not a folder"):
        find_dataset(store, name="mit-skating", root=None)
    write_skating(here / "data" / "mit-skating")
    assert find_dataset(store, name="mit-skating", root=None).root == Path("data/mit-skating")


def test_an_unknown_dataset_is_an_error_that_lists_the_known_ones(here):
    with pytest.raises(UnknownName, match="Did you mean 'mit-skating'"):
        find_dataset(Store(here / "store"), name="mit-skatng", root=None)


def test_paths_below_the_current_folder_are_short(here):
    assert near(here / "data" / "x") == Path("data/x")
    assert near(Path("data") / ".." / "x") == Path("x")
    assert near(here.parent) == here.parent


def test_a_run_that_is_named_is_taken_as_it_is(here):
    assert only_run(Path("anywhere")) == Path("anywhere")
    with pytest.raises(RunError, match="there is no run"):
        only_run(None)


def test_the_environment_sets_options(skating, monkeypatch):
    monkeypatch.setenv("AQA_FIT_OUT", "named/by-environment")
    result = aqa(*FIT)
    assert "into named/by-environment" in result.stderr
