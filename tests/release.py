"""Build sdist and wheel, try the wheel in a fresh environment, and write the notes of the release's tag.

Run by `make release`. The tree must be clean, and CHANGELOG.md must have a dated section of the version.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "dist"


def main() -> None:
    """Check the tree, build, try the wheel, write the notes, and say how the tag is made."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    refuse_changes()
    notes = notes_of(version, (ROOT / "CHANGELOG.md").read_text())
    run(sys.executable, "-m", "build", "--outdir", OUT, ".")
    run(sys.executable, ROOT / "tests" / "smoke.py", OUT)
    path = OUT / f"notes-v{version}.md"
    path.write_text(notes)
    say(f"Built in {OUT.relative_to(ROOT)}: sdist, wheel, {path.name}.")
    say(f"Next: {tag_command(version, path.relative_to(ROOT))}")


def refuse_changes() -> None:
    """Exit unless everything is committed: a release is made of a commit."""
    changed = run("git", "status", "--porcelain", capture=True)
    if changed:
        sys.exit(f"Not committed:\n{changed}\nCommit or remove these files, then run `make release` again.")


def notes_of(version: str, changelog: str) -> str:
    """Return the version's section of the changelog; exit if it has none, or no date."""
    section = re.search(rf"^## {re.escape(version)} \((.*?)\)\n(.*?)(?=^## |\Z)", changelog, re.S | re.M)
    if section is None:
        sys.exit(
            f"CHANGELOG.md has no section `## {version} (DATE)`: write it, then run `make release` again."
        )
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", section[1]):
        sys.exit(
            f"CHANGELOG.md says {version} ({section[1]}): put the date of the release there, as 2026-01-31."
        )
    return f"AQA pipeline {version}\n\n{section[2].strip()}\n"


def tag_command(version: str, notes: Path) -> str:
    """Return the command of the tag; without --cleanup git drops lines that begin with #: headings."""
    return f"git tag -a v{version} --cleanup=whitespace -F {notes}"


def run(*command: object, capture: bool = False) -> str:
    """Run a command in the repository; return what it printed, where that is captured."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE if capture else None)
    return (done.stdout or "").strip()


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    main()
