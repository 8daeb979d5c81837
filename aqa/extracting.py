"""Stage 1: features of a dataset's videos, and of a new video as a run needs them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aqa_pipeline.records import Dataset
    from aqa_pipeline.store import Store
    from aqa_pipeline.video import ReaderName
    from extract.choices.options import StreamOptions
    from extract.run.new_video import NewVideoExtractor
    from extract.run.stage import ExtractReport
    from heads.scoring.ensemble import Ensemble


def extract(
    dataset: "Dataset",
    store: "Store",
    *,
    streams: Sequence[str] = (),
    options: "StreamOptions | None" = None,
    videos: Sequence[str] = (),
    reader: "ReaderName" = "auto",
    workers: int = 2,
    overwrite: bool = False,
    progress: bool = False,
) -> "ExtractReport":
    """Extract the streams of a dataset's videos into the store; records that are there already stay.

    `streams` are names such as "segments", "crops", "frames", "clips", "tubes", "poses" and "pixels", by
    default those that the head action-net reads. `options` choose networks, inputs and athlete; what they
    leave open is as usual for this dataset, as in `aqa extract`. `videos` are ids, by default all. `workers`
    videos are decoded at a time. `progress` shows the size of pixels and a bar on stderr. A video that fails
    does not stop the others: the report's `failures` say which failed and why.

    Raises `WeightsError` if weights are absent, `UnknownName` for an unknown stream, video or network, and
    `StoreError` if the store cannot be written, or if the disk has too little room for pixels.

    >>> import aqa
    >>> dataset, store = aqa.load_dataset("folder", "my-videos"), aqa.open_store("features")
    >>> networks = aqa.NetworkOptions(backbones={"": "resnet18"}, weights={"": "random:0"})  # no download
    >>> options = aqa.StreamOptions(networks=networks)
    >>> report = aqa.extract(dataset, store, streams=["frames"], videos=["v0"], options=options)
    >>> report.num_already_there, report.failures
    (1, [])
    """
    from aqa_pipeline.video import check_reader
    from extract.choices.options import DecodingOptions, ExtractOptions, StreamOptions, VideoSelection
    from extract.run.engine import Order
    from extract.run.local import extract_here
    from heads.registry import find_head

    check_reader(reader)
    whole = ExtractOptions(
        streams=tuple(streams) or tuple(find_head("action-net").streams),
        stream_options=options or StreamOptions(),
        videos=VideoSelection(ids=tuple(videos)),
        decoding=DecodingOptions(reader=reader, workers=workers),
        overwrite=overwrite,
    )
    return extract_here(Order.of(whole, dataset, store), dataset, whole.videos.of(dataset), show=progress)


def new_video_extractor(
    ensemble: "Ensemble",
    options: "StreamOptions",
    *,
    cache: Path,
    reader: "ReaderName" = "auto",
    show_progress: bool = False,
) -> "NewVideoExtractor":
    """Return what makes the records of a new video as those were made that the networks learned from.

    `Run.score` and `aqa score` use it. `cache` is the folder of the store that keeps the records. It raises
    `SpecMismatch` where weights or detector here are not the run's, at the first video.
    """
    from aqa_pipeline.video import check_reader
    from extract.run.new_video import NewVideoExtractor

    check_reader(reader)
    specs, files = list(ensemble.specs.values()), ensemble.config.files or {}
    return NewVideoExtractor(specs, options, files, cache=cache, reader=reader, show_progress=show_progress)
