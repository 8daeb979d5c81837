"""Numbers and intervals as text in reports."""

import math

from aqa_pipeline.metrics import Interval

UNDEFINED = "undefined"


def number_text(value: float, *, sign: str = "") -> str:
    """Return the number with three decimals, or "undefined" for nan."""
    return UNDEFINED if math.isnan(value) else f"{value:{sign}.3f}"


def interval_text(interval: Interval, *, sign: str = "") -> str:
    """Return `0.123 to 0.456`, or the reason why there is no interval."""
    low, high = (number_text(end, sign=sign) for end in (interval.low, interval.high))
    return interval.why_none or f"{low} to {high}"
