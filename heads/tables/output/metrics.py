"""The metrics that tables print: titles, kinds and decimals."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # numpy and scipy are not imported at a start
    from aqa_pipeline.metrics import Interval

# predicted: from predictions (heads/evaluation/bootstrap.py). counted: from tubes (heads/tables/counting.py).
# difference: from the paired predictions of two rows. decrease: from the counts of two rows.
Kind = Literal["predicted", "counted", "difference", "decrease"]


@dataclass(frozen=True)
class Metric:
    """A metric. `decimals` None means those of the table; printed values are multiplied by `scale`."""

    title: str
    kind: Kind = "predicted"
    decimals: int | None = None
    scale: float = 1.0
    signed: bool = False


METRICS: Mapping[str, Metric] = {
    "spearman": Metric("Spearman's rank correlation"),
    "mse": Metric("mean squared error in squared points, lower is better", decimals=2),
    "accuracy": Metric(
        "accuracy in percent, the interval is Wilson's over videos alone", decimals=2, scale=100
    ),
    "paper-count": Metric(
        "multiply-adds of a video in G, of g and W_z alone as the paper counts",
        "counted",
        decimals=3,
        scale=1e-9,
    ),
    "full-count": Metric(
        "multiply-adds of a video in G, every product as written", "counted", decimals=3, scale=1e-9
    ),
    "cheapest-count": Metric(
        "multiply-adds of a video in G, every product in the cheapest order", "counted", 3, scale=1e-9
    ),
    "improvement": Metric(
        "one row's correlation minus another's, with a paired interval over videos", "difference", signed=True
    ),
    "decrease": Metric(
        "change of one row's count relative to another's, in percent",
        "decrease",
        decimals=2,
        scale=100,
        signed=True,
    ),
}


def interval_text(interval: "Interval", text: Callable[[float], str]) -> str:
    """Return `[0.45, 0.69]`, with both ends formatted by `text`, or `[too few videos]`."""
    return f"[{interval.why_none or f'{text(interval.low)}, {text(interval.high)}'}]"


def positive_zero(value: float, decimals: int) -> float:
    """Return the rounded value, without the sign of -0.000."""
    return round(value, decimals) + 0.0
