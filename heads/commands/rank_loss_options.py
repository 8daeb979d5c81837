"""The options of `aqa fit` for a rank loss beside the recipe's loss."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from aqa_pipeline.commands.options import together

if TYPE_CHECKING:
    from heads.recipes import RankLoss

rank_loss_options = together(
    click.option(
        "--rank-loss",
        type=click.Choice(["hinge", "spearman"]),
        help="Add a loss of the order of a batch's scores: a hinge of each pair, or 1 minus a soft Spearman "
        "correlation. For heads that are trained by gradient.",
    ),
    click.option(
        "--rank-loss-weight",
        type=click.FloatRange(0, min_open=True),
        metavar="WEIGHT",
        help="With --rank-loss: what it is multiplied by.  [default: 1]",
    ),
)


def chosen_rank_loss(options: Mapping[str, Any]) -> "RankLoss | None":
    """Return the rank loss, or None; raise `UsageError` for a weight without one."""
    from heads.recipes import RankLoss

    kind, weight = options["rank_loss"], options["rank_loss_weight"]
    if kind is None:
        if weight is not None:
            raise click.UsageError("--rank-loss-weight goes with --rank-loss only.")
        return None
    try:
        return RankLoss(kind, 1.0 if weight is None else weight)
    except ValueError as error:
        raise click.UsageError(f"--rank-loss-weight: {error}.") from error
