"""`aqa serve` says at once what keeps it from starting."""

import importlib.util
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli


def serve(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, ["serve", *map(str, arguments)])


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "aqa.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_needs_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = serve()
    assert (result.exit_code, "make a project with `aqa init FOLDER`" in result.stderr) == (1, True)


def test_absent_libraries_are_named_with_the_command_that_installs_them(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "uvicorn" else find(name, *rest)
    )
    result = serve()
    assert result.exit_code == 1
    assert "`aqa serve` needs uvicorn: pip install" in result.stderr


def test_a_port_that_is_taken_is_an_error_that_names_the_option(project: Path) -> None:
    pytest.importorskip("uvicorn", reason="uvicorn is not installed (pip install '.[serve]')")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        result = serve("--port", other.getsockname()[1])
    assert (result.exit_code, "Choose another with --port" in result.stderr) == (1, True)


def test_a_folder_that_leads_elsewhere_is_refused_before_anything_is_written(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    pytest.importorskip("uvicorn", reason="uvicorn is not installed (pip install '.[serve]')")
    victim = tmp_path_factory.mktemp("victim")
    (project / ".serve").symlink_to(victim)
    result = serve()
    assert (result.exit_code, "is a link" in result.stderr) == (1, True)
    assert not list(victim.iterdir())
