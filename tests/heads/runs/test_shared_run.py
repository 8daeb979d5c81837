"""A run in one file: whole on another machine, and harmless if it comes from a stranger."""

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

import cli
from aqa_pipeline.errors import RunError
from heads.evaluation.evaluate import evaluate
from heads.reports.card import card_of
from heads.runs.config import read_config
from heads.runs.shared_run import is_shared_run, read_shared_run, write_shared_run
from small_club import Club


@pytest.fixture(scope="module")
def run(make_club: Callable[..., Club], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a finished run of ridge regression."""
    club = make_club(tmp_path_factory.mktemp("club"))
    words = [
        "fit",
        "--head",
        "ridge",
        "--streams",
        "clips",
        "--seeds",
        "0",
        "--split",
        "given",
        *club.options,
    ]
    assert CliRunner().invoke(cli.main, [*words, "--out", str(club.run("ridge"))]).exit_code == 0
    return club.run("ridge")


@pytest.fixture
def shared_file(run: Path, tmp_path: Path) -> Path:
    write_shared_run(run, tmp_path / "ridge.zip", card=card_of(run))
    return tmp_path / "ridge.zip"


def test_the_run_is_the_same_elsewhere(run: Path, shared_file: Path, tmp_path: Path) -> None:
    read_shared_run(shared_file, tmp_path / "there")
    there = tmp_path / "there"
    mine, theirs = evaluate(run), evaluate(there)
    assert theirs.cells == mine.cells
    assert str(theirs.verdict) == str(mine.verdict)
    names = {path.relative_to(there) for path in there.rglob("*") if path.is_file()}
    for name in names - {Path("config.json"), Path("CARD.md")}:
        assert (there / name).read_bytes() == (run / name).read_bytes(), name
    assert "# ridge (adapted) on clips of club" in (there / "CARD.md").read_text()
    write_shared_run(there, tmp_path / "again.zip", card=(there / "CARD.md").read_text())
    assert (tmp_path / "again.zip").read_bytes() == shared_file.read_bytes()


def test_it_names_no_folder_of_the_machine(run: Path, shared_file: Path) -> None:
    with zipfile.ZipFile(shared_file) as archive:
        for name in archive.namelist():
            assert str(run.parents[2]).encode() not in archive.read(name), name
        config = json.loads(archive.read("config.json"))
    assert (config["dataset"]["root"], config["store"]) == ("club", "features")


def test_an_unfinished_run_is_not_handed_on(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "half")
    (tmp_path / "half" / "split-given" / "seed-0" / "model.safetensors").unlink()
    with pytest.raises(RunError, match="is not finished: it lacks given seed 0"):
        write_shared_run(tmp_path / "half", tmp_path / "half.zip", card="")
    assert not (tmp_path / "half.zip").exists()


@pytest.mark.parametrize(
    "name",
    [
        "../evil.csv",
        "/tmp/evil.csv",
        "split-a/../../evil.csv",
        "split-given/seed-0/model.pt",
        "plugin.py",
        "C:\\evil.csv",
        "split-a\\..\\..\\summary.csv",
    ],
)
def test_a_file_that_no_run_has_is_refused(shared_file: Path, tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(shared_file, "a") as archive:
        archive.writestr(name, "evil")
    with pytest.raises(RunError, match="is no file of a run: nothing was written"):
        read_shared_run(shared_file, tmp_path / "deep" / "there")
    assert not [path for path in tmp_path.rglob("*evil*")]
    assert not (tmp_path / "deep" / "there").exists()


def test_two_files_of_one_name_are_refused(shared_file: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(shared_file, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("config.json", "{}")
    with pytest.raises(RunError, match="some of one name"):
        read_shared_run(shared_file, tmp_path / "there")


def test_a_changed_byte_is_noticed(shared_file: Path, tmp_path: Path) -> None:
    content = bytearray(shared_file.read_bytes())
    at = content.index(b"model.safetensors") + 400
    content[at] ^= 1
    shared_file.write_bytes(content)
    with pytest.raises(RunError, match="is damaged"):
        read_shared_run(shared_file, tmp_path / "there")
    assert not (tmp_path / "there").exists()


def test_a_cell_that_is_missing_is_noticed(shared_file: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(shared_file) as archive, zipfile.ZipFile(tmp_path / "less.zip", "w") as less:
        for name in archive.namelist():
            if "seed-0/predictions" not in name:
                less.writestr(name, archive.read(name))
    with pytest.raises(RunError):
        read_shared_run(tmp_path / "less.zip", tmp_path / "there")
    assert not (tmp_path / "there").exists()


def test_nothing_is_overwritten(shared_file: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(RunError, match="is there already"):
        read_shared_run(shared_file, tmp_path / "there")


def test_a_checkpoint_of_torch_is_no_shared_run(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(2)}, tmp_path / "ball.pth")
    assert not is_shared_run(tmp_path / "ball.pth")


def test_the_commands_hand_a_run_on(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exported = CliRunner().invoke(cli.main, ["run", "export", str(run)])
    assert exported.exit_code == 0, exported.output
    assert "## What it is not for" in exported.stdout
    imported = CliRunner().invoke(cli.main, ["run", "import", "ridge.zip"])
    assert imported.exit_code == 0, imported.output
    assert imported.stdout.endswith("next: aqa score VIDEO --run runs/ridge\n")
    assert read_config(tmp_path / "runs" / "ridge").head.name == "ridge"
