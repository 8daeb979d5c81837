"""The file aqa.toml: what it may say, and where its paths may lead."""

from pathlib import Path

import pytest

from aqa_pipeline.errors import DatasetError
from aqa_pipeline.project.find import find_project, need_project
from aqa_pipeline.project.option_defaults import option_defaults
from aqa_pipeline.project.project_file import ProjectFile, read_project_file, write_project_file


def test_what_is_written_is_read(tmp_path: Path) -> None:
    project = ProjectFile(head="wd", name='a "name"', folds=4, videos="/media/disk")
    write_project_file(tmp_path / "aqa.toml", project)
    assert read_project_file(tmp_path / "aqa.toml") == project


def test_a_project_file_is_never_overwritten(tmp_path: Path) -> None:
    write_project_file(tmp_path / "aqa.toml", ProjectFile())
    with pytest.raises(DatasetError, match="is there already"):
        write_project_file(tmp_path / "aqa.toml", ProjectFile(head="wd"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("store = ", "is no TOML"),
        ("plugin = 'evil.py'", "'plugin' is no field of it. Its fields are videos, name, store"),
        ("store = '../elsewhere'", "store is '../elsewhere', expected a path inside the project's folder"),
        ("run = '/etc/cron.d/x'", "expected a path inside the project's folder"),
        ("run = 'C:\\x'", "expected a path inside the project's folder"),
        ("run = 'a\\..\\..\\x'", "expected a path inside the project's folder"),
        ("folds = 1", "folds is '1'"),
        ("preset = 'best'", "preset is 'best'"),
        ("head = 'a" + "a" * 100_000 + "'", "more than 100000 bytes"),
    ],
)
def test_a_wrong_file_is_explained(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "aqa.toml").write_text(text)
    with pytest.raises(DatasetError) as caught:
        read_project_file(tmp_path / "aqa.toml")
    assert message in str(caught.value)


def test_a_project_is_found_from_below_with_paths_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_project_file(tmp_path / "aqa.toml", ProjectFile(videos="clips"))
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    project = need_project()
    assert (project.folder, project.root, project.store) == (
        tmp_path,
        Path("../../clips"),
        Path("../../features"),
    )
    assert project.name == "clips"


def test_outside_a_project_the_way_in_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_project(tmp_path) is None
    with pytest.raises(DatasetError, match="make a project with `aqa init FOLDER`"):
        need_project()


@pytest.mark.parametrize("words", [["--dataset", "mit-skating"], ["--root=x"], ["--repeat", "runs/a"]])
def test_a_command_on_another_dataset_takes_nothing_from_the_project(
    tmp_path: Path, words: list[str]
) -> None:
    write_project_file(tmp_path / "aqa.toml", ProjectFile())
    project = find_project(tmp_path)
    assert project is not None
    assert option_defaults(project, "fit", ["--head", "wd"])["head"] == "stack"
    assert option_defaults(project, "fit", words) == {}
