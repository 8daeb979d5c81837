"""How well a run predicts test videos beside simple regressions, as facts of a score page."""

import math
from collections.abc import Iterator

from aqa_pipeline.metrics import Interval
from heads.evaluation.against_baselines import AgainstBaseline, AgainstBaselines
from heads.evaluation.metric import TITLES
from heads.models.closed_form.beside_ridge import BesideRidge, ridge_part
from heads.scoring.ensemble import Ensemble

SHOWN = ("ridge", "rbf-svr")


def baseline_facts(beside: AgainstBaselines, *, title: str) -> Iterator[tuple[str, str]]:
    """Yield name and value of each fact; `title` names the run's head."""
    yield f"Held-out {TITLES[beside.metric]}", f"{title} {_number(beside.value)}"
    for each in beside.baselines:
        if each.baseline in SHOWN:
            yield f"Beside {each.baseline}", _in_words(each)


def ridge_facts(ensemble: Ensemble) -> Iterator[tuple[str, str]]:
    """Yield the share of ridge regression in the score, if the head has ridge regression beside it."""
    modules = (cell.module for cell in ensemble.cells)
    shares = sorted({ridge_part(module) for module in modules if isinstance(module, BesideRidge)})
    if shares:
        text = " or ".join(f"{100 * share:.0f} %" for share in shares)
        yield (
            "Share of ridge",
            f"{text} of the score, the network the rest; ridge regression weighs all steps alike",
        )


def _in_words(each: AgainstBaseline) -> str:
    value = f"{each.baseline} {_number(each.value)}"
    if math.isnan(each.difference):
        return value
    return f"{value}; this run's minus {each.baseline}'s: {each.difference:+.3f}, {_interval(each.interval)}"


def _interval(interval: Interval) -> str:
    if interval.why_none:
        return f"no interval: {interval.why_none}"
    return f"95 % interval {interval.low:+.3f} to {interval.high:+.3f}"


def _number(value: float) -> str:
    return "undefined" if math.isnan(value) else f"{value:.3f}"
