"""One epoch of training, as epochs.csv keeps it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from heads.recipes import MetricName

PARTS = ("validation", "test")


@dataclass(frozen=True)
class Epoch:
    """One row of epochs.csv; `validation` and `test` are the metric of the recipe on these videos.

    They are nan without such videos, and a correlation is nan if predictions are constant. `loading_share` is
    the share of the training's time that the network waited for data; it is shown while training, not kept.
    """

    epoch: int
    loss: float
    lr: float
    head_lr: float
    validation: float
    test: float
    metric: MetricName = "spearman"
    loading_share: float | None = field(default=None, compare=False)

    def to_row(self) -> dict[str, object]:
        """Return the row; the columns of the parts are named after the metric, such as `test_spearman`."""
        values: dict[str, object] = asdict(self)
        metric = values.pop("metric")
        del values["loading_share"]
        return {f"{name}_{metric}" if name in PARTS else name: value for name, value in values.items()}

    @classmethod
    def from_row(cls, row: Mapping[str, str]) -> "Epoch":
        """Return the epoch that `to_row` wrote; raise ValueError or TypeError for other columns."""
        metric: MetricName = "accuracy" if "test_accuracy" in row else "spearman"
        numbers = {name.removesuffix(f"_{metric}"): float(value) for name, value in row.items()}
        return cls(epoch=int(numbers.pop("epoch")), metric=metric, **numbers)
