"""The command that installs an extra fits the way in which the package was installed."""

import json
import re
import shlex
import subprocess
import sys
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest

from aqa_pipeline import installation
from aqa_pipeline.installation import install_command

REPOSITORY = Path(__file__).resolve().parents[2]
REQUIRES = [
    "click>=8.1",
    'ultralytics>=8.3.200; extra == "yolo"',
    'xlrd>=2.0.1; extra == "xls"',
    "decord>=0.6; (sys_platform == 'linux') and extra == 'decord'",
    'aqa-pipeline[xls,yolo]; extra == "all"',
]


def installed_from(folder: Path, monkeypatch: pytest.MonkeyPatch, origin: dict[str, object] | None) -> None:
    """Stand a distribution in `folder` in the place of ours; `origin` is what pip wrote of where it was."""
    info = folder / "aqa_pipeline-0.1.0.dist-info"
    info.mkdir(parents=True)
    lines = ["Metadata-Version: 2.4", "Name: aqa-pipeline", "Version: 0.1.0"]
    (info / "METADATA").write_text("\n".join([*lines, *(f"Requires-Dist: {line}" for line in REQUIRES)]))
    if origin is not None:
        (info / "direct_url.json").write_text(json.dumps(origin))
    monkeypatch.setattr(installation, "distributions", lambda name: [PathDistribution(info)])


def checkout(folder: Path) -> Path:
    folder.mkdir()
    (folder / "pyproject.toml").write_text("")
    return folder


def test_an_editable_checkout_is_installed_again_with_the_extra(tmp_path, monkeypatch):
    folder = checkout(tmp_path / "our checkout")
    installed_from(tmp_path, monkeypatch, {"url": folder.as_uri(), "dir_info": {"editable": True}})
    assert install_command("yolo") == f"pip install -e '{folder}[yolo]'"


def test_a_folder_is_installed_again_with_the_extra(tmp_path, monkeypatch):
    folder = checkout(tmp_path / "checkout")
    installed_from(tmp_path, monkeypatch, {"url": folder.as_uri(), "dir_info": {}})
    assert install_command("yolo") == f"pip install '{folder}[yolo]'"


@pytest.mark.parametrize(
    "origin",
    [
        None,
        {"url": "file:///tmp/aqa_pipeline-0.1.0-py3-none-any.whl", "archive_info": {}},
        {"url": "file:///is/gone", "dir_info": {"editable": False}},
        {"url": "https://example.org/aqa.git", "vcs_info": {"vcs": "git", "commit_id": "0"}},
    ],
    ids=["index", "wheel", "gone", "git"],
)
def test_elsewhere_the_packages_are_named(tmp_path, monkeypatch, origin):
    installed_from(tmp_path, monkeypatch, origin)
    assert install_command("yolo") == "pip install 'ultralytics>=8.3.200'"
    assert install_command("decord") == "pip install 'decord>=0.6'"


def test_what_is_not_installed_is_a_checkout(monkeypatch):
    monkeypatch.setattr(installation, "distributions", lambda name: [])
    assert install_command("yolo") == f"pip install -e {shlex.quote(f'{REPOSITORY}[yolo]')}"


def test_what_a_build_left_in_the_current_folder_is_not_the_installation(tmp_path, monkeypatch):
    folder = checkout(tmp_path / "checkout")
    installed_from(tmp_path, monkeypatch, {"url": folder.as_uri(), "dir_info": {"editable": True}})
    (installed,) = installation.distributions(name="aqa-pipeline")
    left = folder / "aqa_pipeline.egg-info"
    left.mkdir()
    (left / "PKG-INFO").write_text("Metadata-Version: 2.4\nName: aqa-pipeline\nVersion: 0.1.0\n")
    monkeypatch.setattr(installation, "distributions", lambda name: [PathDistribution(left), installed])
    assert install_command("yolo") == f"pip install -e '{folder}[yolo]'"


def test_pip_understands_the_command_of_this_installation(tmp_path):
    """A dry run without dependencies: pip finds the folder, and the extra in it."""
    command = shlex.split(install_command("xls"))
    dry = ["--dry-run", "--no-deps", "--no-build-isolation", "--quiet", "--disable-pip-version-check"]
    answer = subprocess.run(
        [sys.executable, "-m", *command, *dry], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert answer.returncode == 0, answer.stderr
    assert "does not provide the extra" not in answer.stderr


def test_no_text_names_what_is_not_published():
    """`aqa-pipeline` is on no index: `pip install aqa-pipeline` finds nothing, or a stranger."""
    folders = ("aqa_pipeline", "extract", "heads", "docs", "benchmarks", "campaigns")
    files = [
        path
        for folder in folders
        for path in (REPOSITORY / folder).rglob("*")
        if path.suffix in (".py", ".md")
    ]
    named = [
        str(path.relative_to(REPOSITORY))
        for path in [*files, REPOSITORY / "README.md", REPOSITORY / "cli.py"]
        if re.search(r"pip install ['\"]?aqa", path.read_text()) and path.name != "installation.py"
    ]
    assert len(files) > 100
    assert named == []
