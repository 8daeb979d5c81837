"""The command `aqa datasets`: list datasets, and check whether one is complete."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from aqa_pipeline.commands.defaults import only_data_folder
from aqa_pipeline.commands.next_step import fit_words, for_head, given_words, tell_next
from aqa_pipeline.commands.options import (
    FOLDER,
    SOME_FAILED,
    default_root,
    example,
    name_option,
    plugin_option,
    store_option,
    tell_broken_plugins,
)

if TYPE_CHECKING:
    from aqa_pipeline.datasets.checking.check import DatasetReport
    from aqa_pipeline.records import Dataset
    from aqa_pipeline.store import Store


@click.group()
def datasets() -> None:
    """List the known datasets, and check whether yours is complete."""


@datasets.command("list")
@plugin_option
@click.pass_context
def datasets_list(ctx: click.Context) -> None:
    """List the datasets, the folder layout of each, and the source of its videos and labels."""
    from aqa_pipeline.datasets import DATASETS

    found, problems = DATASETS.listed()
    for adapter in found.values():
        click.echo(f"{click.style(adapter.name, bold=True)}: {adapter.title}\n")
        click.echo(f"{adapter.layout}\n\n{adapter.where}\n")
    ctx.exit(tell_broken_plugins(problems))


@datasets.command("check", epilog=example("aqa datasets check mit-skating --root data/mit-skating"))
@click.argument("name", required=False)
@click.option("--root", type=FOLDER, help="Folder of the dataset.  [default: data/NAME]")
@name_option
@plugin_option
@store_option
@click.pass_context
def datasets_check(
    ctx: click.Context, name: str | None, root: Path | None, called: str | None, store: Path
) -> None:
    """Check the files of dataset NAME, and print a summary and what is missing.

    A video file may be absent if the store holds imported or simulated features of the video. NAME may be
    left out if `data` holds only one dataset. The exit code is 3 if something is missing or unusable.
    """
    from aqa_pipeline.datasets import DATASETS, load_dataset
    from aqa_pipeline.store import Store

    if name is None:
        name = only_data_folder(tuple(DATASETS))
    dataset = load_dataset(name, default_root(name, root), called=called)
    report = print_check(dataset, Store(store))
    given = given_words(ctx, only=("root", "called", "store", "plugin"))
    if report.files.num_readable:
        tell_next("extract", "--dataset", name, *for_head(name), *given)
    elif report.features.counts:
        streams = [row.spec.stream for row in Store(store).contents() if row.dataset == dataset.name]
        tell_next("fit", *fit_words(streams, ctx.obj), "--dataset", name, *given)
    else:
        tell_next("datasets", "check", name, *given, then="after adding its videos")
    ctx.exit(0 if report.complete else SOME_FAILED)


def print_check(dataset: "Dataset", store: "Store") -> "DatasetReport":
    """Check the files of a dataset, print the summary and what is missing, and return it."""
    from aqa_pipeline.datasets.checking.check import check_dataset
    from aqa_pipeline.datasets.checking.check_features import features_without_videos
    from aqa_pipeline.datasets.checking.check_text import format_report

    report = check_dataset(dataset, features=features_without_videos(dataset, store))
    click.echo(format_report(report))
    return report
