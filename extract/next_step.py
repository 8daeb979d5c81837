"""What fits after an extraction: the rest of it, a look at the videos, or a head on what was made."""

from collections.abc import Callable, Sequence

import click

from aqa_pipeline.commands.next_step import given_words
from aqa_pipeline.records import Dataset, StreamSpec
from aqa_pipeline.store import Store

PLACES = ("dataset", "root", "called", "store", "plugin")
OF_ONE_CALL = ("limit", "videos", "overwrite", "contact_sheet")  # what is not said again for the rest
HEAD_OF_STREAM = {"clips": "wd", "tubes": "tsa"}


def next_words(
    ctx: click.Context,
    dataset: Dataset,
    store: Store,
    specs: Sequence[StreamSpec],
    *,
    streams_of: Callable[[str], Sequence[str]],
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
    words = ["fit", *_head(ctx, [spec.stream for spec in specs], streams_of), *given_words(ctx, only=PLACES)]
    for spec in specs:
        if len(store.specs(dataset.name, spec.stream)) > 1:
            words += ["--spec", f"{spec.stream}={spec.hash}"]
    return [*words, "--allow-missing"] if wanted - whole else words


def _head(
    ctx: click.Context, streams: Sequence[str], streams_of: Callable[[str], Sequence[str]]
) -> list[str]:
    """Return the head that was extracted for; else one that reads these streams."""
    head = ctx.params["head"] or next(
        (HEAD_OF_STREAM[s] for s in streams if s in HEAD_OF_STREAM), "action-net"
    )
    read = [s for s in streams if HEAD_OF_STREAM.get(s) == head] or list(streams)
    usual = sorted(read) == sorted(streams_of(head))
    return ["--head", head, *([] if usual else ["--streams", ",".join(read)])]
