"""Make the results of a bench from its finished runs."""

from collections.abc import Sequence

from heads.bench.measuring import measure_block
from heads.bench.planning import BenchPlan
from heads.bench.ranking import rank_heads
from heads.bench.records import BenchResults, FailedRecord
from heads.evaluation.bootstrap import NUM_RESAMPLES
from heads.training.pool.fits import Outcome


def results_of(
    plan: BenchPlan, outcomes: Sequence[Outcome], *, num_resamples: int = NUM_RESAMPLES
) -> BenchResults:
    """Measure every block whose fits ended; a fit that failed is listed with its reason."""
    failed = list(plan.failed)
    reasons = {outcome.place: outcome.error for outcome in outcomes if outcome.error is not None}
    failed += [FailedRecord(block=block, row=row, reason=reason) for (block, row), reason in reasons.items()]
    blocks = []
    for block in plan.blocks:
        runs = {row: run for row, run in block.runs.items() if (block.name, row) not in reasons}
        record, not_measured = measure_block(
            plan.settings.out, block.name, runs, encoder=block.encoder, num_resamples=num_resamples
        )
        blocks += [record] if record else []
        failed += not_measured
    order = {task.place: at for at, task in enumerate(plan.tasks)}
    failed.sort(key=lambda each: order.get((each.block, each.row), -1))
    return BenchResults(
        schema_version=1, blocks=tuple(blocks), ranking=rank_heads(blocks), failed=tuple(failed)
    )
