"""What every command promises: help with an example, exit codes, errors in one line, and a light start."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import cli

REPOSITORY = Path(__file__).resolve().parents[2]


def leaves(command: click.Command = cli.main, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Return the words of every command that does something, such as ("store", "ls")."""
    if not isinstance(command, click.Group) or command.invoke_without_command:
        yield path
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from leaves(inner, (*path, name))


def run(*arguments: object) -> click.testing.Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


@pytest.mark.parametrize("path", list(leaves()), ids=" ".join)
def test_every_command_has_help(path):
    result = run(*path, "--help")
    assert result.exit_code == 0
    assert result.output.count("\n") > 5


@pytest.mark.parametrize(
    "path", [p for p in leaves() if p not in {("datasets", "list"), ("weights", "list")}]
)
def test_help_of_a_command_with_arguments_ends_with_an_example(path):
    output = run(*path, "--help").output
    if path != ("weights", "verify"):
        assert f"aqa {' '.join(path)}" in output.split("Example:")[-1]


def test_readme_names_every_command():
    readme = (REPOSITORY / "README.md").read_text()
    missing = [path for path in leaves() if f"aqa {path[0]}" not in readme]
    assert not missing


def test_every_command_in_the_readme_exists_with_its_options():
    for line in _shell_lines((REPOSITORY / "README.md").read_text()):
        words = line.split()
        command: click.Command = cli.main
        at = 1
        while isinstance(command, click.Group) and (command is cli.main or words[at] in command.commands):
            command = command.commands[words[at]]
            at += 1
        known = {name for parameter in command.params for name in parameter.opts}
        unknown = [word for word in words[at:] if word.startswith("--") and word not in known]
        assert not unknown, line


def _shell_lines(text: str) -> list[str]:
    joined = text.replace("\\\n", " ")
    return [line.split("#")[0] for line in joined.splitlines() if line.startswith("aqa ")]


def test_starting_imports_no_heavy_library():
    heavy = ("torch", "numpy", "h5py", "cv2", "av", "pydantic")
    code = f"import sys, cli; print([name for name in {heavy} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_a_domain_error_is_one_message_and_exit_code_1():
    result = run("datasets", "check", "mit-skatng")
    assert result.exit_code == 1
    assert result.output.startswith(
        "Error: unknown dataset 'mit-skatng'. Did you mean 'mit-skating'? Known: "
    )


def test_a_wrong_command_line_is_exit_code_2():
    assert run("extract").exit_code == 2
    assert run("extract", "--dataset", "folder", "--workers", "0").exit_code == 2


def test_streams_and_for_exclude_each_other(tmp_path):
    (tmp_path / "scores.csv").write_text("video,score\na,1\n")
    result = run(
        "extract", "--dataset", "folder", "--root", tmp_path, "--streams", "crops", "--for", "action-net"
    )
    assert result.exit_code == 2
    assert "exclude each other" in result.output


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--streams", "segmnts", "unknown stream 'segmnts'. Did you mean 'segments'"),
        ("--for", "action", "unknown head 'action'. Did you mean 'action-net'"),
        ("--backbone", "i3f", "unknown backbone 'i3f'. Did you mean 'i3d'"),
        ("--detector", "yollo", "unknown .*'yollo'.*yolo"),
        ("--videos", "b", "unknown video of mine 'b'"),
        ("--device", "tpu", "device 'tpu' cannot be used"),
    ],
)
def test_unknown_names_list_the_known_ones(tmp_path, option, value, message):
    (tmp_path / "scores.csv").write_text("video,score\na,1\n")
    given = ["--weights", "random:0", "--detector", "annotations", option, value]
    result = run(
        "extract",
        "--dataset",
        "folder",
        "--name",
        "mine",
        "--root",
        tmp_path,
        "--store",
        tmp_path / "s",
        *given,
    )
    assert result.exit_code == 1
    assert re.search(message, result.output), result.output


def test_missing_weights_name_the_command_that_gets_them(tmp_path, monkeypatch):
    monkeypatch.setenv("AQA_HOME", str(tmp_path / "home"))
    (tmp_path / "scores.csv").write_text("video,score\na,1\n")
    result = run("extract", "--dataset", "folder", "--root", tmp_path, "--streams", "segments")
    assert result.exit_code == 1
    assert "aqa weights fetch i3d-kinetics-hassony2" in result.output


def test_doctor_explains_an_empty_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("AQA_HOME", str(tmp_path / "home"))
    result = run("doctor", "--data", tmp_path / "data", "--store", tmp_path / "store")
    assert result.exit_code == 0
    for topic in ("python", "gpu", "av", "weights", "dataset mit-skating", "store", "disk"):
        assert f" {topic}: " in result.output or f"  {topic}: " in result.output


def test_doctor_calls_a_dataset_without_videos_lacking(tmp_path):
    labels = tmp_path / "data" / "mit-skating"
    labels.mkdir(parents=True)
    (labels / "annotations.txt").write_text("1_Worlds-abcdefghijk 60.5 30.0 30.5 1000 3400\n")
    result = run("doctor", "--data", tmp_path / "data", "--store", tmp_path / "store")
    assert "-- dataset mit-skating: 0 of 1 video" in " ".join(result.output.split())
