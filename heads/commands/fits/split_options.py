"""The options of `aqa fit` that choose the splits: by name, or a cross-validation."""

from collections.abc import Mapping
from typing import Any

import click

from aqa_pipeline.commands.options import parse_names, together

split_options = together(
    click.option(
        "--split",
        "splits",
        metavar="A,B",
        help="Splits by name, or a kind: grouped (no group on both sides), random, given, fold.  "
        "[default: the dataset's]",
    ),
    click.option(
        "--folds",
        type=click.IntRange(2),
        metavar="K",
        help="Cross-validation: K splits that test every video once and keep groups whole.",
    ),
    click.option(
        "--leave-one-group-out",
        is_flag=True,
        help="Cross-validation: a split for each group (athlete, event), which tests that group.",
    ),
)


def chosen_splits(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the chosen splits, () for the dataset's own; raise `UsageError` for two choices."""
    from aqa_pipeline.datasets.cross_validation import LEAVE_ONE_GROUP_OUT, name_of_folds

    names = {
        "--split": parse_names(options["splits"]),
        "--folds": (name_of_folds(options["folds"]),) if options["folds"] else (),
        "--leave-one-group-out": (LEAVE_ONE_GROUP_OUT,) if options["leave_one_group_out"] else (),
    }
    given = {option: splits for option, splits in names.items() if splits}
    if len(given) > 1:
        raise click.UsageError(f"{' and '.join(given)} both choose the splits: keep one of them.")
    return next(iter(given.values()), ())
