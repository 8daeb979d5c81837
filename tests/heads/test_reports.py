"""Plots and tables of runs: made from cells alone, the same each time, right in what they say."""

from pathlib import Path

import numpy as np
import pytest

from aqa_pipeline.errors import RunError
from heads.cells import VideoScore, read_cell
from heads.reports.figures import INK
from heads.reports.plots import learning_curves, predictions, residuals_by_group
from heads.reports.residuals import SplitResiduals, split_residuals, thirds_of_scores
from heads.reports.runs import write_report
from heads.runs import fit


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


def test_thirds_are_by_the_judges_scores() -> None:
    groups = thirds_of_scores([residuals()])
    assert [groups[name] for name in "abcdef"] == [
        *["judged below 1.67"] * 2,
        *["judged 1.67 to 3.33"] * 2,
        *["judged above 3.33"] * 2,
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


@pytest.mark.parametrize("number", [1, 2, 4])
def test_any_number_of_splits_fits(tmp_path: Path, number: int) -> None:
    splits = [residuals(f"split {at}") for at in range(number)]
    plot = predictions(splits, tmp_path, target="total $core")
    assert plot.alt.count("90% of them within ± 2.00") == number


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
    assert "1 cells are not finished" in page


def test_a_damaged_summary_is_one_message(world, tmp_path: Path) -> None:
    fit(world.request(tmp_path / "run"))
    (tmp_path / "run" / "summary.json").write_text("{")
    with pytest.raises(RunError, match=r"summary\.json is damaged .* run the same `aqa fit` command again"):
        write_report([tmp_path / "run"], tmp_path / "report.html", num_worst=0)
