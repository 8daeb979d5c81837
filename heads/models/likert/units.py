"""The unit of grades, [0, 1], and that of adapted heads: deviations from the mean of the training scores."""

from torch import Tensor

FARTHEST = 3.0  # deviations between the mean and the lowest or highest grade


def in_deviations(values: Tensor) -> Tensor:
    """Return values of [0, 1] as deviations from the mean: 0.5 is the mean, 1 is three deviations above."""
    return (2 * values - 1) * FARTHEST


def in_unit_interval(deviations: Tensor) -> Tensor:
    """Return deviations from the mean in [0, 1]; what lies beyond the grades is cut."""
    return (deviations / FARTHEST / 2 + 0.5).clamp(0, 1)
