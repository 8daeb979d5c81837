"""Plots and tables of runs: made from trained cells alone, and the same each time."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aqa_pipeline.errors import RunError
from heads.evaluation.evaluate import evaluate
from heads.evaluation.evaluation_text import format_evaluation
from heads.evaluation.residuals import SplitResiduals, split_residuals, thirds_of_scores
from heads.reports import comparison_plot, run_plots
from heads.reports.comparison_plot import compare_plot
from heads.reports.figures import INK, save_plot
from heads.reports.plot_labels import label
from heads.reports.report import write_report
from heads.reports.run_plots import epoch_gap, learning_curves, predictions, residuals_by_group
from heads.reports.run_tables import metrics_by_seed, metrics_by_split
from heads.reports.worst_videos import worst_videos
from heads.runs.trained_cell import VideoScore, read_cell
from heads.training.fit import fit


def residuals(split: str = "first", *, names: str = "abcdef") -> SplitResiduals:
    true = np.arange(len(names), dtype=np.float64)
    return SplitResiduals(split, tuple(names), true, true - 1, np.zeros(len(names)), 2.0, 0.9)


def test_residuals_are_judges_minus_the_mean_of_the_seeds(world, tmp_path: Path) -> None:
    fit(world.request(tmp_path / "run", seeds=(0, 1)))
    cells = [read_cell(tmp_path / "run", split="first", seed=seed) for seed in (0, 1)]
    found = split_residuals(cells)

    def of(cell, video: str) -> VideoScore:
        return next(row for row in cell.predictions if row.video_id == video)

    assert set(found.videos) == set(world.dataset.split("first").test)
    for at, video in enumerate(found.videos):
        rows = [of(cell, video) for cell in cells]
        expected = rows[0].true - np.mean([row.predicted for row in rows])
        assert found.residuals[at] == pytest.approx(expected)
        assert found.seed_std[at] == pytest.approx(np.std([row.predicted for row in rows], ddof=1))


LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenverein of Vienna, senior women, free skating"
NAMES = (LONG, "$x_1$ <b> & $", "\u7fbd\u751f\u7d50\u5f26", "")


@pytest.fixture
def parts_beyond(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """List the plots whose parts lie beyond their border, in inches; read it after drawing."""
    beyond: list[str] = []

    def measure(figure, folder, *, name, title, alt):
        plot = save_plot(figure, folder, name=name, title=title, alt=alt)  # lays it out
        box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
        if min(box.x0, box.y0, width - box.x1, height - box.y1) < 0:
            beyond.append(f"{name}: {box.extents} of {width} x {height}")
        return plot

    for module in (run_plots, comparison_plot):
        monkeypatch.setattr(module, "save_plot", measure)
    return beyond


def test_no_name_is_cut_or_warned_of(parts_beyond: list[str], tmp_path: Path) -> None:
    """Warnings are errors: also those of collapsed layouts and of characters without a font."""
    for number in range(1, len(NAMES) + 1):
        groups = {video: NAMES[at % number] for at, video in enumerate("abcdef")}
        residuals_by_group([residuals()], tmp_path, groups=groups)
    predictions([residuals(LONG), residuals("$b"), residuals("c")], tmp_path, target=LONG)
    assert not parts_beyond, parts_beyond


def test_plots_of_epochs_and_of_several_runs_hold_long_names(
    world, parts_beyond: list[str], tmp_path: Path
) -> None:
    for name in (LONG, "short"):
        fit(world.request(tmp_path / name, seeds=(0, 1), splits=("first", "second")))
    run_dir = tmp_path / LONG
    cells = [read_cell(run_dir, split=split, seed=seed) for split in ("first", "second") for seed in (0, 1)]
    learning_curves([replace(cell, split=LONG) for cell in cells], tmp_path)
    evaluations = [evaluate(tmp_path / name) for name in (LONG, "short")]
    epoch_gap([replace(cell, split=LONG) for cell in evaluations[0].cells], tmp_path)
    compare_plot(evaluations)
    assert not parts_beyond, parts_beyond


def test_long_names_have_two_lines_and_an_ellipsis() -> None:
    assert label("Anna Lindqvist") == "Anna Lindqvist"
    assert label("Anna Lindqvist of Stockholm, Sweden") == "Anna Lindqvist of\nStockholm, Sweden"
    assert label(LONG) == "Donaudampfschifffahrtsgese\nllschaftskapitänsmützenve\u2026"
    assert label("$1") == r"\$1"


def test_sides_of_a_horizontal_axis_are_left_and_right(tmp_path: Path) -> None:
    """The SVG holds its text as comments beside the paths that matplotlib draws."""
    svg = residuals_by_group([residuals()], tmp_path, groups=dict.fromkeys("abcdef", "all")).svg
    assert "left of 0: predicted too high, right: too low" in svg
    assert "above 0" not in svg


def test_a_head_without_epochs_has_no_curves_and_no_best_epoch(world, tmp_path: Path) -> None:
    at_once = world.request(
        tmp_path / "svr", seeds=(0, 1), head="svr-average", streams=("segments",), epochs=None
    )
    fit(at_once)
    fit(world.request(tmp_path / "net", seeds=(0, 1)))
    curves = {"learning-curves.svg", "learning-curves.png", "epoch-gap.svg", "epoch-gap.png"}
    words = ("Learning curves", "Best-on-test gain", "Weights kept: last epoch", "momentum")
    for name, has_epochs in (("svr", False), ("net", True)):
        page = write_report([tmp_path / name], tmp_path / f"{name}.html", num_worst=0).read_text()
        drawn = {path.name for path in (tmp_path / name / "plots").iterdir()}
        assert (curves & drawn) == (curves if has_epochs else set())
        assert [word in page for word in words] == [has_epochs] * 4
        evaluation = evaluate(tmp_path / name)
        assert ("last epoch" in metrics_by_seed(evaluation).header) == has_epochs
        assert ("best epoch" in format_evaluation(evaluation)) == has_epochs


def test_a_split_has_one_row_and_every_seed_its_own(world, tmp_path: Path) -> None:
    fit(world.request(tmp_path / "run", seeds=(0, 1), splits=("first", "second")))
    evaluation = evaluate(tmp_path / "run")
    short, full = metrics_by_split(evaluation), metrics_by_seed(evaluation)
    assert [row[0] for row in short.rows] == ["first", "second", "mean over splits"]
    assert short.rows[-1][2].startswith(f"{evaluation.overall.mean:.3f} ± ")
    assert [row[1] for row in full.rows] == ["0", "1", "ensemble", "mean"] * 2
    assert {len(row) for row in full.rows} == {len(full.header)}
    assert {len(row) for row in short.rows} == {len(short.header)}


def test_a_video_of_several_splits_is_among_the_worst_once(world, tmp_path: Path) -> None:
    fit(world.request(tmp_path / "run", splits=("first", "second")))
    splits = [replace(residuals(name), mean=np.arange(6) + off) for name, off in (("a", 1), ("b", -2))]
    worst = worst_videos(
        tmp_path / "run", splits, folder=tmp_path / "pages", report=tmp_path / "r.html", number=9
    )
    assert sorted(each.video for each in worst) == list("abcdef")
    assert {each.split for each in worst} == {"b"}


def test_thirds_are_by_the_judges_scores() -> None:
    groups = thirds_of_scores([residuals()])
    assert [groups[name] for name in "abcdef"] == [
        *["score below 1.67"] * 2,
        *["score 1.67 to 3.33"] * 2,
        *["score above 3.33"] * 2,
    ]


def test_a_plot_is_a_file_of_each_kind_and_words_and_the_same_each_time(tmp_path: Path) -> None:
    groups = dict.fromkeys("abcdef", "$x_1$ <b> & $")  # mathematics to matplotlib, mark-up to a page
    plot = residuals_by_group([residuals()], tmp_path, groups=groups)
    assert (tmp_path / "residuals.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "residuals.svg").read_text() == plot.svg
    assert plot.alt == "$x_1$ <b> & $: mean +1.00 over 6"
    again = residuals_by_group([residuals()], tmp_path / "again", groups=groups)
    assert again.svg == plot.svg
    assert INK in plot.svg
    assert INK not in plot.svg_of_page.replace(f"svg{{color:{INK}}}", "")
    assert "prefers-color-scheme:dark" in plot.svg_of_page


def test_a_video_that_several_splits_test_is_one_point_of_its_group(tmp_path: Path) -> None:
    """Residuals of 1 in the first split and of 3 in the second: 2 for each of the six videos."""
    first = residuals("first")
    splits = [first, replace(first, split="second", mean=first.mean - 2)]
    plot = residuals_by_group(splits, tmp_path, groups=dict.fromkeys("abcdef", "all"))
    assert plot.alt == "all: mean +2.00 over 6"


@pytest.mark.parametrize("number", [1, 2, 4])
def test_any_number_of_splits_fits(tmp_path: Path, number: int) -> None:
    splits = [residuals(f"split {at}") for at in range(number)]
    plot = predictions(splits, tmp_path, target="total $core")
    assert plot.alt.count("90% of 6 test videos within ± 2.00") == number


def test_learning_curves_name_every_seed(world, tmp_path: Path) -> None:
    fit(world.request(tmp_path / "run", seeds=(0, 7), splits=("first", "second")))
    cells = [read_cell(tmp_path / "run", split=s, seed=k) for s in ("first", "second") for k in (0, 7)]
    plot = learning_curves(cells, tmp_path / "plots")
    for split in ("first", "second"):
        for seed in (0, 7):
            assert f"split {split}, seed {seed}: 3 epochs" in plot.alt


def test_several_runs_stand_beside_each_other_with_paired_differences(world, tmp_path: Path) -> None:
    for name, changes in (("honest", {}), ("control", {"shuffle_labels": True})):
        fit(world.request(tmp_path / name, seeds=(0, 1), splits=("first", "second"), **changes))
    runs = [tmp_path / "honest", tmp_path / "control"]
    page = write_report(runs, tmp_path / "both.html", num_worst=1).read_text()
    assert "2 runs compared" in page
    assert "SHUFFLED LABELS" in page
    assert f"{runs[0]} against {runs[1]}" in page
    assert "Paired bootstrap over videos and seeds" in page
    assert "no page: the dataset is not at" in page
    assert "mean over splits" in page


def test_an_unfinished_run_is_reported_as_far_as_it_is(world, tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    fit(world.request(run_dir, seeds=(0, 1)))
    (run_dir / "split-first" / "seed-1" / "cell.json").unlink()
    page = write_report([run_dir], tmp_path / "report.html", num_worst=0).read_text()
    assert "1 trained cell (split and seed) is missing" in page


def test_a_damaged_summary_is_one_message(world, tmp_path: Path) -> None:
    fit(world.request(tmp_path / "run"))
    (tmp_path / "run" / "summary.json").write_text("{")
    with pytest.raises(RunError, match=r"summary\.json is damaged .* run the same `aqa fit` command again"):
        write_report([tmp_path / "run"], tmp_path / "report.html", num_worst=0)
