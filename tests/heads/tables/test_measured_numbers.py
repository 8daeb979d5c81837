"""The numbers of a table's cells against NumPy and SciPy, and the text that they become."""

import math

import numpy as np
import pytest
from scipy.stats import spearmanr

from aqa_pipeline.metrics import Interval
from heads.runs.predictions import Predicted
from heads.tables.measuring import (
    Measured,
    mean_count,
    measure_average,
    measure_counts,
    measure_difference,
    measure_fisher_z_difference,
    measure_predictions,
    percent_change,
    sample_std,
)
from heads.tables.output.cell_text import CellStyle, cell_text
from heads.tables.output.metrics import positive_zero
from heads.tables.results import Status, TableCell
from heads.tables.table import Column, Row, Table

STYLE = CellStyle("{}", "*{}*", "-", "+-", "about", "implied")
TABLE = Table(
    name="toy",
    title="Toy",
    source="Nobody",
    columns=(Column("a", "A", "folder", ("s",)), Column("b", "B", "folder", ("s",), metric="mse")),
    rows=(Row("r", "", "R", {}),),
)


def predicted(
    split: str, *, num: int = 24, num_seeds: int = 2, noise: float = 0.7, seed: int = 0
) -> Predicted:
    rng = np.random.default_rng(seed)
    true = rng.normal(size=num)
    told = true + noise * rng.normal(size=(num_seeds, num))
    names = tuple(f"{split}{at:02d}" for at in range(num))
    return Predicted(split, tuple(range(num_seeds)), names, true, told)


def correlations(splits: list[Predicted]) -> np.ndarray:
    return np.array([[spearmanr(told, split.true).statistic for told in split.predicted] for split in splits])


def test_a_correlation_is_the_mean_over_splits_and_seeds() -> None:
    splits = [predicted("a", seed=1), predicted("b", seed=2)]
    found = measure_predictions(splits, "spearman", epochs=[50, 20, 50])
    values = correlations(splits)
    assert found.mean == pytest.approx(values.mean())
    assert found.std == pytest.approx(values.std(ddof=1))
    assert (found.num_videos, found.num_test, found.num_seeds) == (48, (24, 24), 2)
    assert found.epochs == (20, 50)
    assert found.interval is not None
    assert found.interval.covers(found.mean)


def test_one_split_and_seed_have_no_deviation() -> None:
    assert math.isnan(measure_predictions([predicted("a", num_seeds=1)], "spearman", epochs=[1]).std)
    assert math.isnan(sample_std(np.array([3.0])))
    assert sample_std(np.array([1.0, 3.0])) == pytest.approx(math.sqrt(2))


def test_an_error_is_in_squared_points_and_an_accuracy_in_percent() -> None:
    split = predicted("a")
    error = measure_predictions([split], "mse", epochs=[1])
    assert error.mean == pytest.approx(((split.predicted - split.true) ** 2).mean())
    classes = Predicted(
        "c", (0,), split.videos, (split.true > 0).astype(float), (split.predicted[:1] > 0) * 1.0
    )
    share = ((classes.predicted >= 0.5) == (classes.true >= 0.5)).mean()
    accuracy = measure_predictions([classes], "accuracy", epochs=[1])
    assert accuracy.mean == pytest.approx(100 * share)
    assert accuracy.interval is not None
    assert 1 < accuracy.interval.low < accuracy.mean < accuracy.interval.high <= 100


def test_an_average_is_fishers_per_seed_and_its_parts_are_counted_together() -> None:
    columns = {"a": [predicted("a", seed=1)], "b": [predicted("b", seed=2)]}
    parts = [
        measure_predictions(splits, "spearman", epochs=[epochs])
        for epochs, splits in zip((5, 9), columns.values(), strict=True)
    ]
    found = measure_average(columns, parts)
    per_seed = np.tanh(np.arctanh(correlations([splits[0] for splits in columns.values()])).mean(axis=0))
    assert found.mean == pytest.approx(per_seed.mean())
    assert found.std == pytest.approx(per_seed.std(ddof=1))
    assert (found.num_videos, found.num_test, found.epochs) == (48, (24, 24), (5, 9))


def test_a_difference_is_that_of_the_means_and_is_paired() -> None:
    good, bad = predicted("a", noise=0.3), predicted("a", noise=2.0)
    like = measure_predictions([good], "spearman", epochs=[1])
    found = measure_difference([good], [bad], like)
    expected = correlations([good]).mean() - correlations([bad]).mean()
    assert found.mean == pytest.approx(expected)
    assert found.num_videos == 24
    assert measure_difference([good], [good], like).mean == 0
    turned = measure_difference([bad], [good], like)
    assert turned.mean == pytest.approx(-expected)
    over_columns = measure_fisher_z_difference(
        {"a": [good], "b": [predicted("b", noise=0.3)]}, {"a": [bad], "b": [predicted("b", noise=2.0)]}, like
    )
    assert over_columns.mean > 0.1


def test_counts_are_in_billions_and_change_in_percent() -> None:
    counted = measure_counts(np.array([1e9, 3e9]), "full-count")
    assert (counted.mean, counted.std) == pytest.approx((2.0, math.sqrt(2)))
    assert counted.interval is None
    half = measure_counts(np.array([1e9]), "full-count")
    assert percent_change(half, counted).mean == pytest.approx(-50)
    assert mean_count([counted, half]).mean == pytest.approx(1.5)
    assert mean_count([counted, half]).num_videos == 3


def cell(
    mean: float | None,
    *,
    printed: float | None = None,
    status: Status = "run",
    column: str = "a",
    **of: object,
) -> TableCell:
    metric = {"a": "spearman", "b": "mse"}[column]
    values = {"std": 0.0123, "interval": Interval(0.4, 0.7, 0.95, 1000), "num_videos": 24}
    measured = None if mean is None else Measured(mean=mean, **(values | of))
    return TableCell(TABLE.rows[0], column, metric, printed, measured, status)


@pytest.mark.parametrize(
    ("of", "difference", "covered"),
    [
        (cell(0.55, printed=0.5), 0.05, True),
        (cell(0.55, printed=0.9), -0.35, False),
        (cell(0.55), None, None),
        (cell(None, printed=0.5, status="not run"), None, None),
        (cell(math.nan, printed=0.5), None, None),
        (cell(0.55, printed=0.5, status="implied"), None, None),
        (cell(0.55, printed=0.5, interval=None), 0.05, None),
        (cell(0.55, printed=0.5, interval=Interval.of_too_few()), 0.05, None),
    ],
)
def test_a_cell_is_compared_with_the_paper_where_that_means_something(
    of: TableCell, difference, covered
) -> None:
    assert of.difference == (None if difference is None else pytest.approx(difference))
    assert of.covered is covered


@pytest.mark.parametrize(
    ("of", "text"),
    [
        (cell(0.55, printed=0.5), "0.500 / *0.550* +- 0.012 [0.400, 0.700]"),
        (cell(0.55), "- / *0.550* +- 0.012 [0.400, 0.700]"),
        (cell(0.55, std=math.nan, interval=None), "- / *0.550*"),
        (cell(0.55, std=math.nan, interval=Interval.of_too_few()), "- / *0.550* [too few videos]"),
        (cell(12.3456, column="b", printed=10, std=math.nan, interval=None), "10.00 / *12.35*"),
        (cell(None, printed=0.5, status="cited"), "0.500 (cited)"),
        (cell(None, printed=0.5, status="not run"), "0.500 / not run"),
        (cell(None, status="not run"), "- / not run"),
        (cell(None, status="blank"), "-"),
        (cell(0.55, printed=0.5, status="implied"), "0.500 / about 0.550 (implied)"),
        (cell(-0.00001, std=math.nan, interval=None), "- / *0.000*"),
    ],
)
def test_the_text_of_a_cell(of: TableCell, text: str) -> None:
    assert cell_text(of, TABLE, style=STYLE) == text


def test_zero_has_no_sign() -> None:
    assert f"{positive_zero(-0.0004, 3):.3f}" == "0.000"
    assert positive_zero(-0.0006, 3) == -0.001
