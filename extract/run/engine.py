"""The order for an extraction, and the interface of an engine that carries it out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, Self

from aqa_pipeline.commands.options import tell_on_stderr
from aqa_pipeline.records import Dataset, StreamSpec, Video
from aqa_pipeline.sources.compare import ANNOTATIONS
from aqa_pipeline.store import Store, write_origin
from extract.choices.named_files import origin_of
from extract.choices.options import ExtractOptions, StreamOptions
from extract.choices.streams import build_streams
from extract.choices.usual import with_usual
from extract.decoding.feeds import Patience
from extract.run.expected_sizes import check_room, expected_sizes
from extract.run.extraction import Extraction
from extract.run.progress import extraction_progress
from extract.run.stage import ExtractReport, Progress


@dataclass(frozen=True)
class Order:
    """An extraction before its networks are loaded, as it travels to the machines that will load them.

    `root` is the dataset's folder; the `extraction` has no streams yet.
    """

    stream_names: Sequence[str]
    options: StreamOptions
    extraction: Extraction
    root: Path

    @classmethod
    def of(cls, options: ExtractOptions, dataset: Dataset, store: Store) -> Self:
        """Return the order for a dataset; options left open are as usual for its adapter."""
        decoding = options.decoding
        extraction = Extraction(
            dataset=dataset.name,
            store=store,
            streams=(),
            reader=decoding.reader,
            workers=decoding.workers,
            overwrite=options.overwrite,
            patience=Patience(silence=decoding.silence_seconds, total=decoding.total_seconds),
            quads=_folder_of_quads(options.stream_options.athlete.tracker),
        )
        stream_options = with_usual(options.stream_options, dataset.adapter)
        return cls(options.streams, stream_options, extraction, dataset.root)

    def on_device(self, device: str) -> Self:
        """Return the same order for networks on that device."""
        networks = self.options.networks.changed(device=device)
        return replace(self, options=self.options.changed(networks=networks))

    def build(self) -> Extraction:
        """Return the extraction with its streams, networks loaded."""
        return replace(self.extraction, streams=build_streams(self.stream_names, self.options))


def _folder_of_quads(tracker: str | None) -> Path | None:
    """Return the folder of the tracker `annotations:FOLDER`."""
    kind, _, path = (tracker or "").partition(":")
    return Path(path) if kind == ANNOTATIONS and path and Path(path).is_dir() else None


class Engine(Protocol):
    """Extracts videos: one record per video and spec."""

    @property
    def specs(self) -> Sequence[StreamSpec]:
        """Return the specs of the streams that are extracted."""
        ...

    def extract(self, videos: Sequence[Video], *, progress: Progress) -> ExtractReport:
        """Extract the videos and return the report; raise as `extract.run.stage.extract`."""
        ...


def extract_videos(
    engine: Engine, order: Order, dataset: Dataset, videos: Sequence[Video], *, show: bool
) -> ExtractReport:
    """Extract these videos of the dataset by the engine; `show` shows the size of frames and a bar on stderr.

    The store keeps the folder of the dataset. Raise `StoreError` if the store refuses, or if the disk has too
    little room for frames.
    """
    sizes = expected_sizes(order.extraction, engine.specs, videos)
    for size in sizes if show else ():
        tell_on_stderr(str(size))
    check_room(sizes, order.extraction.store.root)
    write_origin(order.extraction.store.root, origin_of(dataset, engine.specs, order.options))
    if not show:
        return engine.extract(videos, progress=lambda **_: None)
    with extraction_progress(len(videos)) as progress:
        return engine.extract(videos, progress=progress)
