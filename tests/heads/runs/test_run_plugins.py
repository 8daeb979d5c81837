"""Runs of plug-in heads: the run knows the file, asks for it, refuses another, and never runs one itself."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

import cli
from aqa_pipeline.errors import PluginError, RunError
from aqa_pipeline.plugins import Origin, PluginFile, plugged_in, read_plugin
from heads.registry import HEADS
from heads.runs.config import dataset_of, read_config
from heads.runs.run_config import RunConfig
from heads.scoring.ensemble import load_ensemble
from heads.training.fit import fit

SOURCE = """
from dataclasses import replace
from heads.registry import find_head
MINE = replace(find_head("svr-average"), name="mine", source="nobody")
"""


@pytest.fixture
def plugin(tmp_path: Path) -> PluginFile:
    (tmp_path / "mine.py").write_text(SOURCE)
    return read_plugin(tmp_path / "mine.py")


@pytest.fixture
def run(world, tmp_path: Path, plugin: PluginFile) -> Path:
    with plugged_in([plugin]):
        fit(world.request(tmp_path / "run", head="mine", epochs=None))
    return tmp_path / "run"


def test_the_run_knows_the_file_and_scores_with_it_alone(run: Path, plugin: PluginFile) -> None:
    assert read_config(run).software.plugins == {"head": plugin.origin}
    with plugged_in([plugin]):
        assert len(load_ensemble(run).cells) == 1
    with pytest.raises(PluginError, match=r"plug-in mine.py \(sha256:.*not given: .*--plugin mine.py"):
        load_ensemble(run)
    other = PluginFile(plugin.path, SOURCE.encode() + b"# another\n")
    with plugged_in([other]), pytest.raises(PluginError, match=r"but here it is of mine.py \(sha256:"):
        load_ensemble(run)


def with_plugin(config: RunConfig, kind: str, origin: Origin) -> RunConfig:
    """Return the configuration of a run whose head or dataset came from that plug-in."""
    plugins = {**config.software.plugins, kind: origin}
    return config.model_copy(update={"software": config.software.model_copy(update={"plugins": plugins})})


def test_runs_of_our_own_heads_say_nothing_of_plugins(world, tmp_path: Path) -> None:
    fit(world.request(tmp_path / "run"))
    assert read_config(tmp_path / "run").software.plugins == {}


def test_a_file_that_a_run_names_is_never_run(run: Path, tmp_path: Path) -> None:
    """Not even where it lies there under that very name, with that digest."""
    trap = tmp_path / "mine.py"
    trap.write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')\n{SOURCE}")
    config = json.loads((run / "config.json").read_text())
    config["software"]["plugins"]["head"] = {"name": str(trap), "identity": read_plugin(trap).origin.identity}
    config["dataset"]["adapter"] = "mine"
    (run / "config.json").write_text(json.dumps(config))
    (tmp_path / "video.mp4").touch()
    for words in (
        ["score", str(tmp_path / "video.mp4"), "--run", str(run)],
        ["evaluate", str(run)],
        ["report", str(run), "--html", str(tmp_path / "report.html")],
        ["fit", "--repeat", str(run)],
    ):
        result = CliRunner().invoke(cli.main, words)
        assert "Traceback" not in result.output
        assert result.exit_code == (0 if words[0] in ("evaluate", "report") else 1), (words, result.output)
    assert not (tmp_path / "sprung").exists()


def test_a_name_of_a_stranger_cannot_command_the_terminal(run: Path) -> None:
    config = json.loads((run / "config.json").read_text())
    config["software"]["plugins"]["head"]["name"] = "\x1b[2Jmine.py"
    (run / "config.json").write_text(json.dumps(config))
    with pytest.raises(
        RunError, match=r"software.plugins.head.name is '\\x1b\[2Jmine.py', expected printable text"
    ):
        load_ensemble(run)


def test_numbers_need_no_plugin_and_say_whose_they_are(run: Path) -> None:
    result = CliRunner().invoke(cli.main, ["evaluate", str(run)])
    assert result.exit_code == 0, result.output
    assert "plug-in mine.py (sha256:" in result.stderr
    assert "Mean error" in result.stdout
    given = CliRunner().invoke(cli.main, ["evaluate", str(run), "--plugin", str(run.parent / "mine.py")])
    assert given.stdout == result.stdout
    assert "plug-in" not in given.stderr


def test_a_repeated_run_needs_the_very_file(world, run: Path) -> None:
    again = ["fit", "--repeat", str(run), "--out", str(run.with_name("again"))]
    assert "name that file with --plugin" in CliRunner().invoke(cli.main, again).output


def test_another_version_of_a_package_is_told_and_taken(
    run: Path, plugin: PluginFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr("heads.runs.run_plugins.log.warning", lambda text, *facts: told.append(text % facts))
    config = with_plugin(read_config(run), "head", Origin("aqa-mine", "version 1.0"))
    with plugged_in([plugin]):
        here = Origin("aqa-mine", "version 2.0")
        monkeypatch.setattr(HEADS, "origin", lambda name: here)
        from heads.runs.run_plugins import head_of

        assert head_of(config).name == "mine"
        assert "made with aqa-mine (version 1.0); here is version 2.0" in told[0]
        monkeypatch.setattr(HEADS, "origin", lambda name: replace(here, name="aqa-other"))
        with pytest.raises(PluginError, match=r"but here it is of aqa-other .*install it \(aqa-mine\)"):
            head_of(config)


def test_a_dataset_of_a_plugin_is_asked_for(run: Path) -> None:
    config = with_plugin(read_config(run), "dataset", Origin("club.py", "sha256:00"))
    config = config.model_copy(update={"dataset": config.dataset.model_copy(update={"adapter": "club"})})
    with pytest.raises(PluginError, match=r"dataset 'club' is of the plug-in club.py \(sha256:00\)"):
        dataset_of(config)
