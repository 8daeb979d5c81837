"""The report of a run with a two-class target."""

import math
from pathlib import Path

import numpy as np

from aqa_pipeline.metrics import Interval
from heads.evaluation.residuals import SplitResiduals
from heads.reports.number_text import interval_text
from heads.reports.probability_plot import is_wrong, probabilities
from heads.reports.report import _num_correct
from heads.reports.run_facts import _plain_text


def split() -> SplitResiduals:
    true, mean = np.array([1.0, 1.0, 0.0, 0.0]), np.array([0.5, 0.4, 0.1, 0.9])
    return SplitResiduals("official", tuple("abcd"), true, mean, np.zeros(4), 0.9, 0.8)


def test_one_half_is_correct_for_the_upper_class() -> None:
    assert is_wrong(split()).tolist() == [False, True, False, True]


def test_the_plot_names_both_classes(tmp_path: Path) -> None:
    plot = probabilities([split()], tmp_path, lower="fall", upper="clean $landing")
    assert plot.alt == "split official: 2 of 4 test videos correct"
    assert (tmp_path / "predictions.png").read_bytes().startswith(b"\x89PNG")


def test_the_headline_counts_videos() -> None:
    assert _num_correct([split()]) == (
        "Correct class, mean of the seeds",
        "2 of 4",
        "test videos; 95 % interval 15 to 85 %",
    )
    assert _num_correct([split(), split()]) == _num_correct([split()]), "four videos twice are four videos"


def test_what_is_undefined_is_said_so_and_recipes_have_no_brackets() -> None:
    assert interval_text(Interval(math.nan, math.nan, 0.95, 10)) == "undefined"
    assert interval_text(Interval(-0.5, 0.25, 0.95, 10), sign="+") == "-0.500 to +0.250"
    assert _plain_text({"segments": 26, "crops": 80}) == "26 of segments and 80 of crops"
    assert (_plain_text(()), _plain_text((150, 180)), _plain_text(0.01)) == ("none", "150 and 180", "0.01")
