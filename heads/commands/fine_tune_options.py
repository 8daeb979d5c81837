"""The options of `aqa fit` for training a backbone together with the head."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from aqa_pipeline.commands.options import together

if TYPE_CHECKING:
    from heads.training.options import FineTuneOptions

OF_FINE_TUNING = ("weights", "freeze_until", "checkpoint_activations", "ema")

checkpoint_option = click.option(
    "--checkpoint-activations",
    is_flag=True,
    help="With --fine-tune: compute activations twice, which needs less memory.",
)
fine_tune_options = together(
    click.option(
        "--fine-tune",
        is_flag=True,
        help="Train the backbone too, from the stream pixels (wd, tsa, usdl, plain-net ...).",
    ),
    click.option(
        "--weights",
        metavar="WHICH",
        help="With --fine-tune: what training starts from: official, random:SEED or a file.  "
        "[default: official]",
    ),
    click.option(
        "--freeze-until", metavar="LAYER", help="With --fine-tune: the last layer that does not learn."
    ),
    checkpoint_option,
    click.option(
        "--ema",
        type=click.FloatRange(0, 1, max_open=True),
        metavar="DECAY",
        help="With --fine-tune: keep a moving average of the weights; 0.999 spans 1,000 batches.  "
        "[default: none]",
    ),
)


def chosen_fine_tuning(options: Mapping[str, Any]) -> "FineTuneOptions | None":
    """Return how the backbone is trained, or None; raise `UsageError` for options without --fine-tune.

    `--backbone NAME` names the backbone.
    """
    from heads.training.options import FineTuneOptions

    given = [f"--{name.replace('_', '-')}" for name in OF_FINE_TUNING if options[name]]
    if not options["fine_tune"]:
        if given:
            raise click.UsageError(f"{', '.join(given)} goes with --fine-tune only.")
        return None
    backbones = options["backbones"]
    if len(backbones) > 1 or any("=" in name for name in backbones):
        raise click.UsageError(f"--fine-tune trains one backbone: give --backbone NAME; got {backbones}.")
    return FineTuneOptions(
        backbone=backbones[0] if backbones else None,
        weights=options["weights"] or "official",
        freeze_until=options["freeze_until"] or "",
        checkpoint_activations=options["checkpoint_activations"],
        ema=options["ema"] or 0.0,
    )
