"""`--plugin FILE.py` on commands: a file that cannot be used is one message with its line."""

from pathlib import Path

import pytest

BACKBONE = """
from dataclasses import replace

from aqa_pipeline.backbones import BACKBONES

MINE = replace(BACKBONES["resnet18"], name="my-net", weights="my-weights")
"""

BROKEN = {
    "an error": ("x = 1\nraise RuntimeError('not today')\n", "fails in line 2: RuntimeError: not today."),
    "a misspelled name": ("\n\nprnt('x')\n", "fails in line 3: NameError: name 'prnt' is not defined"),
    "no Python": ("def f(:\n", "fails in line 1: SyntaxError: "),
    "a missing library": (
        "import no_such_library\n",
        "fails in line 1: ModuleNotFoundError: No module named",
    ),
    "an exit": ("raise SystemExit(5)\n", "fails in line 1: SystemExit: 5."),
    "nothing": (
        "",
        "defines no entry: expected a HeadKind, a Backbone or a DatasetAdapter at its top level.",
    ),
    "a comment": ("# nothing yet\n", "defines no entry"),
    "a class": ("from aqa_pipeline.backbones import Backbone\n", "defines no entry"),
}
COMMANDS = {
    "datasets list": ("datasets", "list"),
    "datasets check": ("datasets", "check", "folder", "--root", "."),
    "backbones": ("backbones",),
    "store verify": ("store", "verify", "."),
    "extract": ("extract", "--dataset", "folder", "--root", "."),
}


@pytest.mark.parametrize(("source", "message"), BROKEN.values(), ids=BROKEN)
def test_a_file_that_cannot_be_used_is_one_message(aqa, here, source, message):
    (here / "mine.py").write_text(source)
    result = aqa("backbones", "--plugin", "mine.py", code=1)
    assert result.output.startswith("Error: the plug-in mine.py ")
    assert message in result.output
    assert result.output.count("\n") <= 2


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_every_command_tells_of_a_broken_file_before_its_work(aqa, here, command):
    (here / "mine.py").write_text("raise RuntimeError('not today')\n")
    output = aqa(*command, "--plugin", "mine.py", code=1).output
    assert "the plug-in mine.py fails in line 1: RuntimeError: not today." in output


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_what_is_no_file_is_a_wrong_command_line(aqa, here, command):
    assert "'absent.py' does not exist" in aqa(*command, "--plugin", "absent.py", code=2).output
    (here / "folder").mkdir()
    assert "'folder' is a directory" in aqa(*command, "--plugin", "folder", code=2).output


def test_help_runs_no_file(aqa, here):
    (here / "mine.py").write_text("open('it-ran', 'w').close()\n")
    aqa("backbones", "--plugin", "mine.py", "--help")
    assert not Path("it-ran").exists()


def test_an_entry_is_known_to_the_command_that_names_its_file_and_to_no_other(aqa, here):
    (here / "mine.py").write_text(BACKBONE)
    output = aqa("backbones", "--plugin", "mine.py", "--takes", "image").output
    (row,) = (line for line in output.splitlines() if line.startswith("my-net"))
    assert "my-weights" in row
    assert row.endswith("those of a plug-in")
    assert "my-net" not in aqa("backbones").output
    assert "my-net" not in aqa("backbones", "--plugin", "mine.py", "--takes", "clip").output


def test_two_files_are_both_known_and_an_entry_of_one_name_is_told(aqa, here):
    (here / "one.py").write_text(BACKBONE)
    (here / "two.py").write_text(BACKBONE.replace("my-net", "other-net"))
    output = aqa("backbones", "--plugin", "one.py", "--plugin", "two.py").output
    assert "my-net" in output
    assert "other-net" in output
    (here / "two.py").write_text(BACKBONE + "# another file\n")
    result = aqa("backbones", "--plugin", "one.py", "--plugin", "two.py", code=3)
    assert "each define a backbone 'my-net': use only one." in result.stderr
    assert "resnet18" in result.stdout, "the others are listed"


def test_a_name_of_ours_cannot_be_taken(aqa, here):
    (here / "mine.py").write_text(BACKBONE.replace("my-net", "i3d"))
    result = aqa("backbones", "--plugin", "mine.py", code=3)
    assert "defines a backbone 'i3d', but this name is built in: rename it." in result.stderr
