"""Entry points of installed packages: imported when they are looked up; a broken one costs itself alone."""

import subprocess
import sys
from pathlib import Path

import pytest

from aqa_pipeline.datasets import DatasetAdapter
from aqa_pipeline.datasets.registry import OURS
from aqa_pipeline.errors import PluginError
from aqa_pipeline.plugins import Registry

ADAPTER = 'DatasetAdapter("{name}", "title", lambda root: None, "here", "layout")'
MODULE = "from aqa_pipeline.datasets import DatasetAdapter\n"


def install(folder: Path, package: str, points: dict[str, str], source: str) -> None:
    """Write a package as pip installs it: a module, and metadata with entry points."""
    (folder / f"{package}.py").write_text(source)
    info = folder / f"{package}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
    lines = [f"{name} = {package}:{value}" for name, value in points.items()]
    (info / "entry_points.txt").write_text("\n".join(["[aqa.datasets]", *lines, ""]))


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    install(tmp_path, "good_club", {"club": "CLUB"}, MODULE + "CLUB = " + ADAPTER.format(name="club"))
    install(tmp_path, "bad_club", {"broken": "X"}, 'raise RuntimeError("hm")')
    source = MODULE + "CLUB = " + ADAPTER.format(name="folder")
    install(tmp_path, "odd_club", {"number": "int", "other": "CLUB", "folder": "CLUB"}, source + "\nint = 5")
    return tmp_path


def registry() -> Registry[DatasetAdapter]:
    return Registry("dataset", OURS, of=DatasetAdapter, group="aqa.datasets")


def test_only_what_is_looked_up_is_imported(packages: Path) -> None:
    datasets = registry()
    assert {"club", "broken", "number", "other"} < set(datasets)
    assert "club" in datasets
    assert "good_club" not in sys.modules
    assert datasets.find("club").name == "club"
    assert str(datasets.origin("club")) == "good_club (version 1.2)"
    assert not {"bad_club", "odd_club"} & set(sys.modules)
    del sys.modules["good_club"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "broken",
            r"dataset 'broken' of the package bad_club \(version 1.2\) cannot be loaded: RuntimeErr.*hm",
        ),
        (
            "number",
            r"odd_club \(version 1.2\) is a int \(odd_club:int\): expected a Dataset.* named 'num",
        ),
        ("other", r"is a DatasetAdapter named 'folder' \(odd_club:CLUB\): expected .* named 'other'"),
    ],
)
def test_a_broken_package_is_named(packages: Path, name: str, message: str) -> None:
    with pytest.raises(PluginError, match=message):
        registry().find(name)
    assert registry().find("folder") is OURS["folder"], "ours is not replaced"


def test_a_list_has_all_that_work_and_tells_the_others(packages: Path) -> None:
    found, problems = registry().listed()
    assert set(found) == {*OURS, "club"}
    assert len(problems) == 4
    assert sum("odd_club" in problem for problem in problems) == 3
    assert any("'folder', but this name is built in" in problem for problem in problems)


def test_two_packages_of_one_name_are_both_named(packages: Path) -> None:
    install(packages, "second_club", {"club": "CLUB"}, "")
    with pytest.raises(PluginError, match=r"(?=.*good_club)(?=.*second_club).*each define a dataset 'club'"):
        registry().find("club")


def aqa(packages: Path, *words: str) -> subprocess.CompletedProcess[str]:
    code = f"import sys; sys.path.insert(0, {str(packages)!r}); import cli; cli.main()"
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)


def test_commands_list_packages_and_help_imports_none(packages: Path) -> None:
    assert aqa(packages, "--help").returncode == 0
    assert not list(packages.glob("__pycache__"))
    listed = aqa(packages, "datasets", "list")
    assert listed.returncode == 3
    assert "club: title" in listed.stdout
    assert "broken' of the package bad_club (version 1.2) cannot be loaded" in listed.stderr
    assert "Traceback" not in listed.stderr
