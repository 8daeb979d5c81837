"""The front door: environment variables, exit codes, errors without a traceback, complete help."""

import os
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

import cli
from aqa_pipeline.errors import AqaError, RunError, StoreError


def aqa(*arguments: object, **environment: str) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments], env=environment)


def commands(
    group: click.Group = cli.main, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = list(commands())


@pytest.mark.parametrize(
    ("path", "command"), COMMANDS, ids=lambda each: " ".join(each) if isinstance(each, tuple) else ""
)
def test_the_help_names_every_option_and_says_what_it_does(
    path: tuple[str, ...], command: click.Command
) -> None:
    text = aqa(*path, "--help").output
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            assert any(name in text for name in parameter.opts), parameter.name
            told = (
                parameter.help
                or parameter.metavar
                or (parameter.show_default and parameter.default is not None)
            )
            assert told, f"{parameter.opts[0]} of {' '.join(path)} has neither help nor metavar"


@pytest.mark.parametrize(
    ("path", "command"), COMMANDS, ids=lambda each: " ".join(each) if isinstance(each, tuple) else ""
)
def test_no_option_of_a_command_is_named_twice(path: tuple[str, ...], command: click.Command) -> None:
    names = [name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)]
    assert len(set(names)) == len(names), path


@pytest.mark.parametrize("path", [path for path, _ in COMMANDS], ids=" ".join)
def test_an_option_that_does_not_exist_is_exit_code_2(path: tuple[str, ...]) -> None:
    result = aqa(*path, "--no-such-option")
    assert result.exit_code == 2
    assert "--no-such-option" in result.output


def test_a_misspelled_command_is_exit_code_2() -> None:
    result = aqa("fitt")
    assert result.exit_code == 2
    assert "No such command 'fitt'" in result.output


def test_the_version_is_that_of_the_package() -> None:
    from importlib.metadata import version

    assert aqa("--version").output == f"aqa-pipeline {version('aqa-pipeline')}\n"


@pytest.mark.parametrize("asked", ["-h", "--help"])
def test_the_first_page_of_help_names_where_to_start(asked: str) -> None:
    text = aqa(asked).output
    for words in ("aqa demo", "aqa doctor", "aqa datasets check", "aqa extract", "aqa fit", "aqa score"):
        assert words in text
    for path, _ in COMMANDS:
        assert path[0] in text


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("AQA_FIT_SEEDS", "a,b", "--seeds expects numbers such as 0,1,2; got 'a,b'."),
        ("AQA_FIT_EPOCHS", "0", "0 is not in the range x>=1"),
        ("AQA_FIT_SELECT", "best", "'best' is not one of"),
    ],
)
def test_a_wrong_value_of_the_environment_is_a_wrong_command_line(
    tmp_path: Path, variable: str, value: str, message: str
) -> None:
    (tmp_path / "scores.csv").write_text("video,score\na,1\nb,2\n")
    command = (
        "fit",
        "--dataset",
        "folder",
        "--root",
        tmp_path,
        "--store",
        tmp_path / "s",
        "--out",
        tmp_path / "run",
    )
    result = aqa(*command, **{variable: value})
    assert result.exit_code == 2, result.output
    assert message in " ".join(result.output.split())


def test_the_command_line_comes_before_the_environment(tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text("video,score\na,1\nb,2\n")
    command = ("fit", "--dataset", "folder", "--root", tmp_path, "--store", tmp_path / "s", "--head", "wdd")
    result = aqa(*command, AQA_FIT_HEAD="lstm")
    assert "unknown head 'wdd'" in result.output


class Boom(click.Command):
    """A command that raises what it is given."""

    def __init__(self, error: BaseException) -> None:
        super().__init__("boom")
        self.error = error

    def invoke(self, ctx: click.Context) -> None:
        raise self.error


def boom(error: BaseException) -> Result:
    group = cli.FrontDoor("main", commands={"boom": Boom(error)})
    return CliRunner().invoke(group, ["boom"])


@pytest.mark.parametrize("kind", [AqaError, RunError, StoreError])
def test_an_error_of_ours_is_its_message_and_exit_code_1(kind: type[AqaError]) -> None:
    result = boom(kind("runs/x is damaged: fit again."))
    assert result.exit_code == 1
    assert result.output == "Error: runs/x is damaged: fit again.\n"
    assert result.stdout == "", "errors go to stderr"


@pytest.mark.parametrize(
    ("number", "word"),
    [(28, "space"), (30, "read-only"), (13, "ermission")],
    ids=["full", "read-only", "forbidden"],
)
def test_an_error_of_the_disk_is_one_message(number: int, word: str) -> None:
    result = boom(OSError(number, os.strerror(number), "/data/features/x.h5"))
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert "/data/features" in result.output
    assert word in result.output.lower() or word in result.output
    assert "Traceback" not in result.output


def test_a_mistake_of_ours_is_not_hidden() -> None:
    result = boom(ZeroDivisionError("a bug"))
    assert isinstance(result.exception, ZeroDivisionError)
    assert result.exit_code == 1


def test_ctrl_c_is_no_traceback() -> None:
    result = boom(KeyboardInterrupt())
    assert result.exit_code == 1
    assert "Aborted!" in result.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--seeds", "a"), "--seeds expects numbers such as 0,1,2; got 'a'."),
        (("--seeds", "1,1"), "--seeds expects different numbers of at least 0; got '1,1'."),
        (("--seeds", "-3"), "--seeds expects different numbers of at least 0; got '-3'."),
        (("--num-videos", "8"), "8 is not in the range x>=9"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_demo_refuses_wrong_words_before_it_renders(tmp_path: Path, options: tuple, message: str) -> None:
    result = aqa("demo", "--out", tmp_path / "demo", *options)
    assert result.exit_code == 2, result.output
    assert message in " ".join(result.output.split())
    assert not (tmp_path / "demo").exists()


def test_a_demo_does_not_write_over_a_file(tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("mine")
    result = aqa("demo", "--out", tmp_path / "demo")
    assert result.exit_code in (1, 2)
    assert "is a file" in result.output
    assert (tmp_path / "demo").read_text() == "mine"
