"""Extract the features that a table lacks, pass by pass, and go on where a pass fails."""

from collections.abc import Callable
from typing import Literal

from aqa_pipeline.errors import AqaError
from heads.tables.planning.extraction_passes import ExtractionPass, extraction_passes
from heads.tables.planning.plan import TablePlan

ExtractPass = Callable[[ExtractionPass], str]  # returns the report; raises `AqaError` if nothing was made
Tell = Callable[[Literal["command", "report", "error"], str], None]


def extract_passes(plan: TablePlan, extract_pass: ExtractPass, *, tell: Tell) -> None:
    """Call `extract_pass` for every pass; where a pass fails, call it once more for each of its streams.

    `tell` gets the command of each pass before the pass, then its report, or the error that stopped it.
    """
    for each in extraction_passes(plan):
        if not _try(each, plan, extract_pass, tell) and len(each.needs) > 1:
            for alone in each.one_by_one():
                _try(alone, plan, extract_pass, tell)


def _try(one: ExtractionPass, plan: TablePlan, extract_pass: ExtractPass, tell: Tell) -> bool:
    tell("command", one.text(plan.settings))
    try:
        tell("report", extract_pass(one))
    except AqaError as error:
        tell("error", str(error))
        return False
    return True
