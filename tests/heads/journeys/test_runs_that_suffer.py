"""What may happen to a run: moved, read-only, killed, cut, edited by hand, features changed underneath."""

import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import cli
from aqa_pipeline.records import Record

Edit = Callable[[dict[str, Any]], object]


def aqa(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def files_of(run: Path) -> dict[str, bytes]:
    return {str(path.relative_to(run)): path.read_bytes() for path in run.rglob("*") if path.is_file()}


def edit(run: Path, change: Edit) -> None:
    values = json.loads((run / "config.json").read_text())
    change(values)
    (run / "config.json").write_text(json.dumps(values))


@pytest.fixture
def wd(club, tmp_path: Path) -> Path:
    """Return an own copy of the run of two seeds."""
    return shutil.copytree(club.run("wd"), tmp_path / "wd")


@pytest.fixture
def new(club, tmp_path: Path) -> Path:
    """Return a file of features of a new video."""
    features = club.store.read("club", "v01", club.spec("clips")).features
    np.save(tmp_path / "new.npy", features + np.float32(0.01))
    return tmp_path / "new.npy"


WD = (
    "--head",
    "wd",
    "--variant",
    "paper",
    "--seeds",
    "0,1",
    "--epochs",
    "3",
    "--split",
    "given",
    "--device",
    "cpu",
    "--threads",
    "1",
)


def test_a_moved_run_is_evaluated_compared_reported_and_gone_on_with(club, tmp_path: Path) -> None:
    moved = shutil.copytree(club.run("wd"), tmp_path / "a" / "b" / "c")
    assert aqa("evaluate", moved).stdout == aqa("evaluate", club.run("wd")).stdout
    assert "No clear difference" in aqa("compare", moved, club.run("wd")).stdout
    assert aqa("report", moved, "--html", tmp_path / "r.html", "--worst", 0).exit_code == 0
    again = aqa("fit", *club.options, *WD, "--out", moved)
    assert "(0 trained, 2 already there)" in again.stdout, again.output


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_run_is_read(wd: Path, new: Path) -> None:
    for folder in (wd, *(path for path in wd.rglob("*") if path.is_dir())):
        folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        assert aqa("evaluate", wd).exit_code == 0
        assert aqa("score", "--features", new, "--run", wd).exit_code == 0
        refused = aqa("report", wd)
        assert refused.exit_code == 1
        assert "cannot write" in refused.output
    finally:
        for folder in (wd, *(path for path in wd.rglob("*") if path.is_dir())):
            folder.chmod(stat.S_IRWXU)


def test_reading_commands_change_no_file_of_the_run(club, wd: Path, new: Path, tmp_path: Path) -> None:
    before = files_of(wd)
    for command in (
        ("evaluate", wd),
        ("compare", wd, club.run("svr"), "--json", tmp_path / "c.json"),
        (
            "score",
            "--features",
            new,
            "--run",
            wd,
            "--html",
            tmp_path / "pages",
            "--json",
            tmp_path / "s.json",
        ),
    ):
        assert aqa(*command).exit_code == 0, command
    assert files_of(wd) == before


def test_a_fit_that_was_cut_between_cells_trains_the_missing_one_to_the_same_bits(club, wd: Path) -> None:
    whole = files_of(wd)
    shutil.rmtree(wd / "split-given" / "seed-1")
    for name in ("summary.json", "summary.csv"):
        (wd / name).unlink()
    (wd / "split-given" / "baselines.csv").unlink()
    result = aqa("fit", *club.options, *WD, "--out", wd)
    assert "(1 trained, 1 already there)" in result.stdout, result.output
    assert files_of(wd) == whole


def test_a_cell_that_was_cut_while_it_was_written_is_trained_anew(club, wd: Path) -> None:
    whole = files_of(wd)
    (wd / "split-given" / "seed-0" / "cell.json").unlink()
    (wd / "split-given" / ".seed-1.part-1234").mkdir()
    result = aqa("fit", *club.options, *WD, "--out", wd)
    assert "(1 trained, 1 already there)" in result.stdout, result.output
    after = files_of(wd)
    assert {name: content for name, content in after.items() if ".part" not in name} == whole


def test_a_fit_that_is_stopped_leaves_what_is_done_and_goes_on(
    club, wd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process is stopped in the second cell; the first stays, and the same command goes on."""
    from heads.training import fit as module

    train, calls = module.train_cell, []

    def stop_at_second(*arguments: object, **options: object) -> object:
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return train(*arguments, **options)

    monkeypatch.setattr(module, "train_cell", stop_at_second)
    stopped = aqa("fit", *club.options, *WD, "--out", tmp_path / "run")
    assert stopped.exit_code != 0
    assert [path.name for path in (tmp_path / "run" / "split-given").glob("seed-*")] == ["seed-0"]
    monkeypatch.undo()
    result = aqa("fit", *club.options, *WD, "--out", tmp_path / "run")
    assert "(1 trained, 1 already there)" in result.stdout, result.output
    name = "split-given/seed-1/model.safetensors"
    assert files_of(tmp_path / "run")[name] == files_of(wd)[name]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v["head"].update(name="wdd"), "unknown head 'wdd'. Did you mean 'wd'?"),
        (lambda v: v["head"].update(variant="best"), "unknown variant of wd 'best'"),
        (lambda v: v["head"].update(name="lstm"), "does not fit config.json: "),
        (lambda v: v["streams"]["clips"].update(dim=13), "does not fit config.json: "),
        (lambda v: v["splits"]["given"]["recipe"].update(num_components=3), "does not fit config.json: "),
        (lambda v: v["training"].update(seeds=[5]), "has no finished trained cell of ['given']"),
        (lambda v: v.update(splits={}), "config.json is damaged: "),
        (lambda v: v.pop("labels"), "config.json is damaged: it has no 'labels'"),
        (lambda v: v["training"].update(luck=1), "'training.luck' is no field of it"),
        (lambda v: v["streams"]["clips"]["facts"].update(backbone="x"), "which is the hash of its facts"),
        (lambda v: v.update(schema_version=1), "config.json has schema_version 1, expected 3: fit again"),
    ],
    ids=[
        *("unknown head", "unknown variant", "another head", "another size", "whitening", "another seed"),
        *("no splits", "no labels", "unknown field", "changed facts", "older schema"),
    ],
)
def test_a_config_that_was_edited_is_one_message(wd: Path, new: Path, change: Edit, message: str) -> None:
    edit(wd, change)
    result = aqa("score", "--features", new, "--run", wd)
    assert result.exit_code == 1, result.output
    assert message in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        *(("model.safetensors", 0), ("model.safetensors", 0.5), ("predictions.csv", 0)),
        *(("cell.json", 0), ("cell.json", 0.5), ("epochs.csv", 0)),
    ],
)
def test_a_file_that_was_cut_off_is_named_and_heals(
    club, wd: Path, new: Path, name: str, kept: float
) -> None:
    whole = files_of(wd)
    path = wd / "split-given" / "seed-0" / name
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    result = aqa("score", "--features", new, "--run", wd)
    assert result.exit_code == 1, result.output
    assert "seed-0" in result.output
    assert "delete" in result.output
    shutil.rmtree(path.parent)  # what the message says
    assert "(1 trained, 1 already there)" in aqa("fit", *club.options, *WD, "--out", wd).stdout
    assert files_of(wd) == whole


def test_networks_of_another_run_are_not_taken(club, wd: Path, new: Path) -> None:
    shutil.copy(
        club.run("net") / "split-given" / "seed-0" / "model.safetensors", wd / "split-given" / "seed-0"
    )
    result = aqa("score", "--features", new, "--run", wd)
    assert result.exit_code == 1
    assert "model.safetensors does not fit config.json: " in result.output
    assert "tensors differ). Fit again into a new folder." in result.output


def test_features_extracted_anew_do_not_change_the_run_and_are_another_one(make_club, tmp_path: Path) -> None:
    club = make_club(tmp_path, num_videos=12)
    assert aqa("fit", *club.options, *WD, "--out", tmp_path / "run").exit_code == 0
    before = aqa("evaluate", tmp_path / "run").stdout
    spec = club.spec("clips")
    old = club.store.read("club", "v01", spec)
    club.store.write(Record("club", "v01", spec, old.features + 1, old.pts_seconds, old.source))
    assert aqa("evaluate", tmp_path / "run").stdout == before
    again = aqa("fit", *club.options, *WD, "--out", tmp_path / "run")
    assert again.exit_code == 1
    assert "splits.given.data_sha256" in again.output
    repeated = aqa("fit", "--repeat", tmp_path / "run", "--out", tmp_path / "again")
    assert repeated.exit_code == 0, repeated.output
    digests = [
        json.loads((tmp_path / name / "config.json").read_text())["splits"]["given"]["data_sha256"]
        for name in ("run", "again")
    ]
    assert digests[0] != digests[1]


def test_features_of_other_settings_beside_the_runs_own_are_not_taken_by_repeat(
    make_club, tmp_path: Path
) -> None:
    club = make_club(tmp_path, num_videos=12)
    assert aqa("fit", *club.options, *WD, "--out", tmp_path / "run").exit_code == 0
    other = type(club.spec("clips"))("clips", {"backbone": "other", "step_seconds": 2.0})
    for name in club.ids:
        old = club.store.read("club", name, club.spec("clips"))
        club.store.write(Record("club", name, other, old.features * 2, old.pts_seconds, old.source))
    ambiguous = aqa("fit", *club.options, *WD, "--out", tmp_path / "new")
    assert "made in 2 ways" in ambiguous.output
    assert aqa("fit", "--repeat", tmp_path / "run", "--out", tmp_path / "again").exit_code == 0
    model = "split-given/seed-0/model.safetensors"
    assert files_of(tmp_path / "run")[model] == files_of(tmp_path / "again")[model]


def test_a_store_that_is_gone_stops_a_repetition_and_no_evaluation(make_club, tmp_path: Path) -> None:
    club = make_club(tmp_path, num_videos=12)
    assert aqa("fit", *club.options, *WD, "--out", tmp_path / "run").exit_code == 0
    shutil.rmtree(club.root / "features")
    assert aqa("evaluate", tmp_path / "run").exit_code == 0
    repeated = aqa("fit", "--repeat", tmp_path / "run", "--out", tmp_path / "again")
    assert repeated.exit_code == 1
    assert "has no 'clips' of club." in repeated.output
    assert not (tmp_path / "again").exists()
