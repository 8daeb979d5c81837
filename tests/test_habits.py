"""Files that newcomers look for hold what they should: table of contents, citation, hooks."""

import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import yaml

import aqa

REPOSITORY = Path(__file__).resolve().parents[1]


def test_the_reference_shows_every_public_name_of_aqa():
    shown = re.findall(r"auto\w+:: aqa\.(\w+)", (REPOSITORY / "docs" / "api.md").read_text())
    assert sorted(shown) == sorted(set(aqa.__all__) - {"__version__"})


def test_every_page_of_the_docs_is_in_the_table_of_contents():
    listed = set(re.findall(r"^([a-z-]+)$", (REPOSITORY / "docs" / "index.md").read_text(), re.MULTILINE))
    assert listed == {path.stem for path in (REPOSITORY / "docs").glob("*.md")} - {"index"}


def test_the_citation_has_the_version_and_the_three_papers():
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text())
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert (citation["version"], citation["license"]) == (project["version"], project["license"])
    assert len(citation["references"]) == 3
    assert all(paper["authors"] and paper["title"] and paper["year"] for paper in citation["references"])


def test_hooks_run_programs_of_the_environment_and_download_nothing():
    hooks = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())
    assert [each["repo"] for each in hooks["repos"]] == ["local"]
    assert all(hook["language"] == "system" for hook in hooks["repos"][0]["hooks"])


def test_the_size_hook_refuses_a_file_above_500_kb(tmp_path: Path):
    hooks = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    guard = next(hook["entry"] for hook in hooks if hook["id"] == "large-files")
    small, large = tmp_path / "small.npy", tmp_path / "large.npy"
    small.write_bytes(b"0" * 500_000)
    large.write_bytes(b"0" * 600_000)
    assert subprocess.run([*shlex.split(guard), small], check=False).returncode == 0
    refused = subprocess.run([*shlex.split(guard), small, large], check=False, capture_output=True, text=True)
    assert (refused.returncode, refused.stdout) == (1, f"{large} has more than 500 kB\n")
