"""Choose the next command after an extraction: the rest of it, a check of the dataset, or a fit."""

from collections.abc import Sequence

import click

from aqa_pipeline.commands.next_step import StreamsOf, fit_words, given_words
from aqa_pipeline.records import Dataset, StreamSpec
from aqa_pipeline.store import Store

PLACES = ("dataset", "root", "called", "store", "plugin")
OF_ONE_CALL = ("limit", "videos", "overwrite", "contact_sheet")  # what is not said again for the rest


def next_words(
    ctx: click.Context,
    dataset: Dataset,
    store: Store,
    specs: Sequence[StreamSpec],
    *,
    streams_of: StreamsOf,
) -> list[str]:
    """Return the words after `aqa` of the command that fits now."""
    stored = [set(store.video_ids(dataset.name, spec)) for spec in specs]
    whole = set.intersection(*stored) if stored else set()
    wanted = {video.video_id for video in dataset.videos}
    if not whole & wanted:
        places = given_words(ctx, only=("root", "called", "plugin"))
        return ["datasets", "check", dataset.adapter, *places]
    if wanted - whole and (ctx.params["limit"] or ctx.params["videos"]):
        return ["extract", *given_words(ctx, without=OF_ONE_CALL)]
    features = [spec for spec in specs if not spec.stores_pictures]
    head, read = ctx.params["head"], features or specs
    if not features and head is None:
        return ["store", "ls", str(store.root)]  # pictures are of no head
    chosen = ["--head", head, "--fine-tune"]
    if features:
        chosen = fit_words([spec.stream for spec in features], streams_of, head=head)
    words = ["fit", *chosen, *given_words(ctx, only=PLACES)]
    for spec in read:
        if len(store.specs(dataset.name, spec.stream)) > 1:
            words += ["--spec", f"{spec.stream}={spec.hash}"]
    return [*words, "--allow-missing"] if wanted - whole else words
