"""Stage 1 for a paper's table: the features that its runs lack."""

from typing import TYPE_CHECKING

from aqa.extracting import extract
from aqa.opening import load_dataset, open_store

if TYPE_CHECKING:
    from extract.choices.options import StreamOptions
    from heads.tables.extracting import Tell
    from heads.tables.planning.extraction_passes import ExtractionPass
    from heads.tables.planning.plan import TablePlan


def extract_for_table(plan: "TablePlan", options: "StreamOptions", *, tell: "Tell") -> None:
    """Extract the features that a paper's table lacks, in few passes over the videos of each dataset.

    `options` choose detector, device, weights, batch size and runtime; the rest is the table's choice, or as
    usual for its datasets. `tell` gets the command of each pass before the pass, then its report, or the
    error that stopped it. A stream that cannot be extracted does not stop the others.
    """
    from heads.tables.extracting import extract_passes

    extract_passes(plan, lambda one: _extract_pass(one, plan, options), tell=tell)


def _extract_pass(one: "ExtractionPass", plan: "TablePlan", options: "StreamOptions") -> str:
    """Extract the streams of one pass; return the report, and the dataset's notes, as text."""
    from aqa_pipeline.commands.outputs import check_output
    from aqa_pipeline.datasets.checking.notes import dataset_notes
    from extract.choices.usual import options_for_table, with_frames
    from extract.run.report import format_extract_report

    settings, made, streams = plan.settings, one.extraction, list(one.streams)
    check_output(settings.store, folder=True)
    store, dataset = open_store(settings.store), load_dataset(one.dataset, settings.root(one.dataset))
    chosen = options_for_table(options, one.backbones, variant=made.variant, views=made.views)
    if made.frames is not None:
        frames = made.frames
        size, last = (frames.width, frames.height), frames.num_frames
        chosen = with_frames(chosen, picture_size=size, last_frames=last, tracker=frames.tracker or None)
    report = extract(dataset, store, streams=streams, options=chosen, videos=one.videos, progress=True)
    return "\n".join([format_extract_report(report), *dataset_notes(dataset, one.videos)])
