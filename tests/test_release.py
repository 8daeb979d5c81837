"""The notes of a release come from the changelog; what is missing stops it with the next step."""

import importlib.util
import shlex
import subprocess
from pathlib import Path

import pytest

spec = importlib.util.spec_from_file_location("release", Path(__file__).with_name("release.py"))
release = importlib.util.module_from_spec(spec)
spec.loader.exec_module(release)

CHANGELOG = "# Changelog\n\n## 1.2.0 (2026-02-03)\n\n* new\n\n## 1.1.0 (2026-01-31)\n\n* old\n"


def test_notes_are_the_section_of_the_version() -> None:
    assert release.notes_of("1.2.0", CHANGELOG) == "AQA pipeline 1.2.0\n\n* new\n"
    assert release.notes_of("1.1.0", CHANGELOG) == "AQA pipeline 1.1.0\n\n* old\n"


@pytest.mark.parametrize(
    ("changelog", "reason"),
    [
        (CHANGELOG, "has no section `## 1.3.0"),
        ("## 1.3.0 (unreleased)\n\n* new\n", "put the date of the release there"),
    ],
)
def test_a_version_without_notes_is_not_released(changelog: str, reason: str) -> None:
    with pytest.raises(SystemExit, match=reason):
        release.notes_of("1.3.0", changelog)


def test_a_changed_tree_is_not_released(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(release, "run", lambda *command, capture: " M README.md")
    with pytest.raises(SystemExit, match=r"Not committed:\n M README\.md"):
        release.refuse_changes()


def test_the_tag_keeps_the_headings_of_the_notes(tmp_path: Path) -> None:
    notes = tmp_path / "notes.md"
    notes.write_text("AQA pipeline 1.2.0\n\n### Systems\n\n* new\n")
    person = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for words in (["init", "--quiet"], ["commit", "--quiet", "--allow-empty", "-m", "first"]):
        subprocess.run(["git", *person, *words], cwd=tmp_path, check=True)
    command = shlex.split(release.tag_command("1.2.0", notes))
    subprocess.run(["git", *person, *command[1:]], cwd=tmp_path, check=True)
    shown = subprocess.run(
        ["git", "cat-file", "tag", "v1.2.0"], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert shown.stdout.endswith(notes.read_text())
