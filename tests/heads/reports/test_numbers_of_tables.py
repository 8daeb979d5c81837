"""The tables of a report, from known evaluations: undefined numbers, one seed, several splits."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from aqa_pipeline.metrics import Interval, wilson_interval
from heads.evaluation.evaluation_text import bracket, format_evaluation, unfinished_note
from heads.evaluation.run_scores import CellScores, Evaluation, Overall, Scores, SplitScores
from heads.reports.comparison_tables import differences, overview
from heads.reports.number_text import interval_text, number_text
from heads.reports.run_tables import metrics_by_seed, metrics_by_split

NAN = math.nan
INTERVAL = Interval(0.4, 0.8, 0.95, 1000)


def scores(spearman: float = 0.6123, **changes: object) -> Scores:
    values = {"num_videos": 12, "interval": INTERVAL, "relative_l2": 2.5, "mse": 9.0, "mean_error": 2.25}
    return Scores(spearman=spearman, **(values | changes))


def cell(split: str, seed: int, of: Scores | None = None, *, num_epochs: int = 5) -> CellScores:
    return CellScores(split, seed, 5, of or scores(), 0.5, 0.75, 3, num_epochs)


def split(name: str, *, num_seeds: int = 2, **changes: object) -> SplitScores:
    values = {
        "mean": 0.6123,
        "std": 0.0456 if num_seeds > 1 else NAN,
        "interval": INTERVAL,
        "ensemble": scores(0.65),
    }
    return SplitScores(split=name, num_seeds=num_seeds, **(values | changes))


def evaluation(
    names: tuple[str, ...] = ("given",), *, seeds: tuple[int, ...] = (0, 1), **changes: object
) -> Evaluation:
    values = {
        "run_dir": Path("runs/a"),
        "title": "wd (paper) on clips of club, target score",
        "select": "last epoch",
        "flags": (),
        "cells": tuple(cell(name, seed) for name in names for seed in seeds),
        "splits": tuple(split(name, num_seeds=len(seeds)) for name in names),
        "overall": Overall(0.61, 0.02 if len(seeds) > 1 else NAN, INTERVAL, "mean over splits", 24),
        "num_unfinished": 0,
        "verdict": None,
    }
    return Evaluation(**(values | changes))


@pytest.mark.parametrize(
    ("value", "sign", "expected"),
    [
        (0.12345, "", "0.123"),
        (-0.5, "", "-0.500"),
        (0.5, "+", "+0.500"),
        (NAN, "", "undefined"),
        (NAN, "+", "undefined"),
    ],
)
def test_a_number_has_three_decimals_or_is_undefined(value: float, sign: str, expected: str) -> None:
    assert number_text(value, sign=sign) == expected


@pytest.mark.parametrize(
    ("interval", "expected", "bracketed"),
    [
        (INTERVAL, "0.400 to 0.800", "[0.400, 0.800]"),
        (Interval.of_too_few(), "too few videos", "too few videos"),
        (Interval.undefined(), "undefined", "undefined"),
    ],
)
def test_an_interval_is_its_ends_or_why_there_is_none(
    interval: Interval, expected: str, bracketed: str
) -> None:
    assert interval_text(interval) == expected
    assert bracket(interval) == bracketed
    assert interval.covers(0.5) == (expected == "0.400 to 0.800")


def test_a_split_has_a_row_and_several_have_a_mean() -> None:
    one = metrics_by_split(evaluation())
    assert one.rows == [("given", "12", "0.612 ± 0.046", "0.400 to 0.800")]
    assert one.note == "Weights kept: last epoch. Mean ± standard deviation over seeds."
    two = metrics_by_split(evaluation(("a", "b")))
    assert [row[0] for row in two.rows] == ["a", "b", "mean over splits"]
    assert two.rows[-1] == ("mean over splits", "24", "0.610 ± 0.020", "0.400 to 0.800")


def test_one_seed_has_no_deviation() -> None:
    table = metrics_by_split(evaluation(("a", "b"), seeds=(3,)))
    assert [row[2] for row in table.rows] == ["0.612", "0.612", "0.610"]
    assert table.note == "Weights kept: last epoch. "


def test_an_undefined_mean_is_said_so() -> None:
    undefined = split("given", mean=NAN, std=NAN, interval=Interval.undefined())
    assert metrics_by_split(evaluation(splits=(undefined,))).rows == [
        ("given", "12", "undefined", "undefined")
    ]


def test_every_cell_has_a_row_then_the_ensemble_and_the_mean() -> None:
    table = metrics_by_seed(evaluation(("a", "b")))
    assert [row[:2] for row in table.rows] == [
        *(("a", "0"), ("a", "1"), ("a", "ensemble"), ("a", "mean")),
        *(("b", "0"), ("b", "1"), ("b", "ensemble"), ("b", "mean")),
    ]
    assert {len(row) for row in table.rows} == {len(table.header)}
    assert table.rows[0][2:] == ("12", "0.612", "0.400 to 0.800", "2.500", "9.000", "0.500", "0.750")
    assert table.rows[2][3] == "0.650"
    assert "not model selection" in table.note


def test_a_head_without_epochs_has_no_columns_of_epochs() -> None:
    cells = tuple(cell("given", seed, num_epochs=1) for seed in (0, 1))
    table = metrics_by_seed(evaluation(cells=cells))
    assert table.header[-1] == "MSE"
    assert {len(row) for row in table.rows} == {7}
    assert "best on test" not in format_evaluation(evaluation(cells=cells))
    assert metrics_by_split(evaluation(cells=cells)).note == "Mean ± standard deviation over seeds."


def test_classes_are_told_by_accuracy() -> None:
    of = scores(accuracy=0.75, accuracy_interval=wilson_interval(9, 12))
    classes = evaluation(
        cells=(cell("given", 0, of), cell("given", 1, of)), splits=(split("given", ensemble=of),)
    )
    assert classes.metric == "accuracy"
    table = metrics_by_seed(classes)
    low, high = wilson_interval(9, 12).low, wilson_interval(9, 12).high
    assert table.rows[0][3:5] == ("0.750", f"{low:.3f} to {high:.3f}")
    (row, *_) = classes.rows()
    assert row["accuracy"] == 0.75
    assert row["accuracy_low"] == low
    assert "last_epoch_accuracy" in row
    assert "accuracy" not in evaluation().rows()[0]


def test_the_text_says_what_is_missing_in_its_number() -> None:
    assert unfinished_note(1).startswith("1 trained cell (split and seed) is missing: ")
    assert unfinished_note(3).startswith("3 trained cells (split and seed) are missing: ")
    assert unfinished_note(2) in format_evaluation(evaluation(num_unfinished=2))


def test_the_text_tells_the_gain_of_choosing_on_the_test_set() -> None:
    assert evaluation().mean_gap == 0.25
    assert (
        "Choosing the best epoch on the test set would report +0.250 more than the last epoch "
        "(not model selection)." in format_evaluation(evaluation()).splitlines()
    )


def test_undefined_numbers_are_null_in_json_and_the_folder_is_left_out() -> None:
    values = evaluation(seeds=(0,), cells=(cell("given", 0, scores(NAN)),)).to_dict()
    assert values["cells"][0]["scores"]["spearman"] is None
    assert values["splits"][0]["std"] is None
    assert "run_dir" not in values


def test_flags_have_a_column_only_where_they_differ() -> None:
    alike = {Path("a"): evaluation(flags=("SIMULATED",)), Path("b"): evaluation(flags=("SIMULATED",))}
    _, table = overview(alike)
    assert table.header == ("run", "Spearman", "95 % interval")
    assert table.rows == [("a", "0.610", "0.400 to 0.800"), ("b", "0.610", "0.400 to 0.800")]
    differing = {Path("a"): evaluation(flags=("SIMULATED", "IMPORTED")), Path("b"): evaluation()}
    _, table = overview(differing)
    assert table.header[:2] == ("run", "flags")
    assert [row[1] for row in table.rows] == ["SIMULATED, IMPORTED", ""]
    assert table.num_texts == 2


def test_pairs_are_every_two_runs_and_a_pair_that_is_not_comparable_says_why(club, tmp_path: Path) -> None:
    (title, table), by_split = differences([club.run("wd"), club.run("svr"), tmp_path])
    assert title == "Differences"
    first, second, third = table.rows
    assert first[0] == f"{club.run('wd')} against {club.run('svr')}"
    assert second[0].startswith(
        f"{club.run('wd')} against {tmp_path}: not comparable: {tmp_path} is not a run"
    )
    assert second[1:] == third[1:] == ("", "", "")
    assert by_split == [], "runs of one split have no table by split"


def test_two_class_runs_have_no_error_in_points() -> None:
    with_error = replace(evaluation(), verdict=None)
    _, table = overview({Path("a"): with_error})
    assert "mean error" not in table.header
