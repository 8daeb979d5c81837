"""The engine that extracts in this process."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from aqa_pipeline.records import Dataset, StreamSpec, Video
from extract.run.engine import Engine, Order, extract_videos
from extract.run.extraction import Extraction
from extract.run.stage import ExtractReport, Progress, extract


@dataclass(frozen=True)
class _Local:
    extraction: Extraction

    @property
    def specs(self) -> list[StreamSpec]:
        return [stream.spec for stream in self.extraction.streams]

    def extract(self, videos: Sequence[Video], *, progress: Progress) -> ExtractReport:
        return extract(self.extraction, videos, progress=progress)


@contextmanager
def local_engine(order: Order) -> Iterator[Engine]:
    """Yield the engine of one machine."""
    yield _Local(order.build())


def extract_here(order: Order, dataset: Dataset, videos: Sequence[Video], *, show: bool) -> ExtractReport:
    """Extract the videos on this machine, as `extract_videos`. Raise `WeightsError` if weights are absent."""
    with local_engine(order) as engine:
        return extract_videos(engine, order, dataset, videos, show=show)
