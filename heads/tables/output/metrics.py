"""The numbers that tables print: what they are called, how they come about, and with how many decimals."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # numpy and scipy are not imported at a start
    from aqa_pipeline.metrics import Interval

# predicted: of predictions, by heads/evaluation/bootstrap.py. counted: of tubes, by heads/tables/counting.py.
# difference: of two rows' predictions, in pairs. decrease: of two rows' counts.
Kind = Literal["predicted", "counted", "difference", "decrease"]


@dataclass(frozen=True)
class Metric:
    """One kind of number. `decimals` None: those of the table. `scale` is printed per computed."""

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
        "multiply-adds of a video in G, every product in the order that we take", "counted", 3, scale=1e-9
    ),
    "improvement": Metric(
        "one row's correlation minus another's, its interval paired over videos", "difference", signed=True
    ),
    "decrease": Metric(
        "one row's count against another's in percent", "decrease", decimals=2, scale=100, signed=True
    ),
}


def interval_text(interval: "Interval", text: Callable[[float], str]) -> str:
    """Return `[0.45, 0.69]`, each end as `text` writes it, or `[too few videos]`."""
    return f"[{interval.why_none or f'{text(interval.low)}, {text(interval.high)}'}]"


def positive_zero(value: float, decimals: int) -> float:
    """The value as rounded, so that what rounds to nothing is not printed as -0.000."""
    return round(value, decimals) + 0.0
