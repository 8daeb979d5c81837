"""What a reviewer does: report on runs and compare them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli

pytestmark = pytest.mark.xdist_group("scoring")  # one worker makes the runs for all of them


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def test_a_report_links_the_worst_videos_and_leaves_plots_in_the_run(home: Path, tmp_path: Path) -> None:
    result = run("report", home / "run", "--html", tmp_path / "report.html", "--worst", 2)
    assert result.exit_code == 0, result.output
    pages = list((tmp_path / "report-videos").rglob("*.html"))
    assert len(pages) == 2
    text = (tmp_path / "report.html").read_text()
    for page in pages:
        assert f'href="./{page.relative_to(tmp_path).as_posix()}"' in text
    assert "RANDOM WEIGHTS" in text
    assert "The groups are those of the dataset." in text
    assert "The judges gave" in pages[0].read_text()
    assert all("← the report</a>" in page.read_text() for page in pages)
    names = {path.name for path in (home / "run" / "plots").iterdir()}
    plots = ("predictions", "residuals", "learning-curves")  # an adapted score is not that of one epoch
    assert names == {f"{plot}.{kind}" for plot in plots for kind in ("svg", "png")}


def test_runs_are_compared_on_one_page(home: Path, tmp_path: Path) -> None:
    html = tmp_path / "both.html"
    result = run("report", home / "run", home / "other", "--html", html, "--worst", 0)
    assert result.exit_code == 0, result.output
    text = html.read_text()
    assert "2 runs compared" in text
    assert "not comparable: " in text  # the runs have no seed in common


def test_a_report_works_where_the_videos_are_gone(home: Path, tmp_path: Path) -> None:
    config = json.loads((home / "run" / "config.json").read_text())
    config["dataset"]["root"] = str(tmp_path / "gone")
    moved = tmp_path / "run"
    moved.mkdir()
    for path in (home / "run").rglob("split-*/**/*"):
        if path.is_file():
            target = moved / path.relative_to(home / "run")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    (moved / "config.json").write_text(json.dumps(config))
    result = run("report", moved, "--html", tmp_path / "report.html")
    assert result.exit_code == 0, result.output
    assert f"no page: the dataset is not at {tmp_path / 'gone'}" in (tmp_path / "report.html").read_text()


def test_a_folder_that_is_no_run_is_one_message(tmp_path: Path) -> None:
    result = run("report", tmp_path, "--html", tmp_path / "report.html")
    assert result.exit_code == 1
    assert "is not a run directory" in result.output
