"""Ranks, Friedman's statistic and the critical difference against the numbers that Demšar printed, 2006."""

import numpy as np
import pytest

from heads.bench.ranking import alike, average_ranks, critical_difference, friedman

# Demšar, JMLR 7, 2006: table 5a, q at 0.05 for 2 to 10 classifiers.
QUANTILES = (1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164)
# Table 6: the AUC of four decision trees on 14 data sets, and their average ranks. The printed ranks tell the
# two 0.975 of the last row but one apart, so digits that the table does not print are added there.
AUC = np.array(
    [
        (0.763, 0.768, 0.771, 0.798),
        (0.599, 0.591, 0.590, 0.569),
        (0.954, 0.971, 0.968, 0.967),
        (0.628, 0.661, 0.654, 0.657),
        (0.882, 0.888, 0.886, 0.898),
        (0.936, 0.931, 0.916, 0.931),
        (0.661, 0.668, 0.609, 0.685),
        (0.583, 0.583, 0.563, 0.625),
        (0.775, 0.838, 0.866, 0.875),
        (1.000, 1.000, 1.000, 1.000),
        (0.940, 0.962, 0.965, 0.962),
        (0.619, 0.666, 0.614, 0.669),
        (0.972, 0.981, 0.97501, 0.975),
        (0.957, 0.978, 0.946, 0.970),
    ]
)
RANKS = (3.143, 2.000, 2.893, 1.964)


@pytest.mark.parametrize(("num_heads", "quantile"), list(enumerate(QUANTILES, start=2)))
def test_the_critical_difference_has_the_printed_quantiles(num_heads: int, quantile: float) -> None:
    num_blocks = 14
    expected = quantile * np.sqrt(num_heads * (num_heads + 1) / (6 * num_blocks))
    assert critical_difference(num_heads, num_blocks) == pytest.approx(expected, abs=1e-3)


def test_the_printed_example() -> None:
    assert average_ranks(AUC) == pytest.approx(RANKS, abs=6e-4)
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=5e-3)


def test_friedmans_statistic_is_the_printed_one_before_the_correction_for_ties() -> None:
    num_blocks, num_heads = AUC.shape
    ties = sum(count**3 - count for row in AUC for count in np.unique(row, return_counts=True)[1])
    correction = 1 - ties / (num_blocks * num_heads * (num_heads**2 - 1))
    statistic, p = friedman(AUC)
    assert statistic * correction == pytest.approx(9.28, abs=5e-3)
    assert 0 < p < 0.05


def test_heads_within_the_critical_difference_are_alike() -> None:
    names, ranks = ("a", "b", "c", "d"), (1.0, 1.5, 2.4, 4.0)
    assert alike(names, ranks, 1.0) == (("a", "b"), ("b", "c"))
    assert alike(names, ranks, 0.5) == ()  # the difference itself is clear
    assert alike(names, ranks, 4.0) == (names,)
