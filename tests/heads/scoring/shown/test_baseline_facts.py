"""The facts of a score page that set the run beside simple regressions."""

import math

import pytest

from aqa_pipeline.metrics import Interval
from heads.evaluation.against_baselines import AgainstBaseline, AgainstBaselines
from heads.scoring.ensemble import load_ensemble
from heads.scoring.scorer import make_scorer
from heads.scoring.shown.baseline_facts import baseline_facts


def against(name: str, difference: float, interval: Interval) -> AgainstBaseline:
    return AgainstBaseline(name, 0.81, 4.0, difference, interval)


def test_ridge_and_kernel_have_their_difference_and_interval() -> None:
    beside = AgainstBaselines(
        "spearman",
        0.834,
        3.0,
        (
            against("mean", math.nan, Interval.undefined()),
            against("ridge", 0.024, Interval(-0.003, 0.05, 0.95, 100)),
            against("rbf-svr", 0.02, Interval.of_too_few()),
            against("svr-average", 0.1, Interval(0.0, 0.2, 0.95, 100)),
        ),
    )
    assert list(baseline_facts(beside, title="stack")) == [
        ("Held-out Spearman", "stack 0.834"),
        ("Beside ridge", "ridge 0.810; this run's minus ridge's: +0.024, 95 % interval -0.003 to +0.050"),
        ("Beside rbf-svr", "rbf-svr 0.810; this run's minus rbf-svr's: +0.020, no interval: too few videos"),
    ]


def test_an_undefined_difference_is_left_out() -> None:
    beside = AgainstBaselines("accuracy", math.nan, 3.0, (against("ridge", math.nan, Interval.undefined()),))
    assert list(baseline_facts(beside, title="wd")) == [
        ("Held-out accuracy", "wd undefined"),
        ("Beside ridge", "ridge 0.810"),
    ]


@pytest.mark.parametrize("run", ["wd", "net"])
def test_a_scorer_reads_them_from_its_run(club, run: str) -> None:
    beside = make_scorer(load_ensemble(club.run(run))).beside
    assert beside is not None
    assert [each.baseline for each in beside.baselines][:2] == ["mean", "ridge"]
