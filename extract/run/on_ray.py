"""Extraction by the workers of a Ray cluster. Paths travel to them, records go straight into the store."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from aqa_pipeline.cluster import (
    Done,
    Event,
    Lost,
    Note,
    WorkerPool,
    connect,
    pick_cluster_device,
    place,
    sharing,
)
from aqa_pipeline.records import StreamSpec, Video
from extract.clock import Clock
from extract.run.engine import Engine, Order
from extract.run.extraction import Extraction, examine
from extract.run.ray_worker import Underway, VideoWorker
from extract.run.stage import Ended, Extracted, ExtractReport, Failure, Progress
from extract.run.time_left import Amount, VideoSeconds

# Videos given to a worker at once, per video that it decodes at once: it decodes ahead within a portion only.
PORTION = 8


@contextmanager
def ray_engine(
    order: Order, *, address: str | None, actors: int | None, num_videos: int, tell: Callable[[str], None]
) -> Iterator[Engine]:
    """Yield the engine of a cluster, its workers ready; they end with the block.

    `tell` gets a sentence on where the work will be done. Raise `ClusterError`, and whatever keeps a worker
    from being ready: missing weights, a folder that its node does not see.
    """
    extraction = order.extraction
    with connect(address) as cluster:
        device = pick_cluster_device(order.options.networks.device, cluster)
        placement = place(cluster, device=device, cpus=extraction.workers, actors=actors)
        placement = replace(placement, num_workers=min(placement.num_workers, max(1, num_videos)))
        tell(f"{cluster}; {placement}")
        order = order.on_device(device)
        with sharing(extraction.store.root, inputs=[order.root]) as shared:
            make = partial(VideoWorker, order, shared)
            pool = WorkerPool(make, placement, longest=PORTION * extraction.workers)
            try:
                yield _OnRay(pool, extraction)
            finally:
                pool.close()


class _OnRay:
    """The engine: it hands out the videos with missing records, and gathers their results."""

    def __init__(self, pool: WorkerPool, extraction: Extraction) -> None:
        self._pool, self._extraction = pool, extraction
        self.specs: tuple[StreamSpec, ...] = pool.facts().specs

    def extract(self, videos: Sequence[Video], *, progress: Progress) -> ExtractReport:
        start = time.perf_counter()
        self._extraction.store.remove_leftovers()
        found = examine(self._extraction, self.specs, videos)
        tally = Tally(found.todo)
        for worker, event in self._pool.run(found.todo):
            tally.take(worker, event)
            progress(videos=tally.num_videos, video_id=tally.video_id, clock=tally.clock, amount=tally.amount)
        self._extraction.store.remove_leftovers()  # of workers that died while they wrote
        report = tally.finished_report(videos, wall_seconds=time.perf_counter() - start)
        report.changed, report.gone = found.changed, found.gone
        return report


class Tally:
    """The results of the videos so far, gathered from the workers' events."""

    def __init__(self, videos: Sequence[Video]) -> None:
        self._videos = videos
        self._report = ExtractReport()
        self._num_ended = 0
        self._seconds = VideoSeconds(videos)
        self._underway: dict[int, Underway] = {}
        self.num_videos = 0.0
        self.video_id = ""

    @property
    def clock(self) -> Clock:
        """The sum of all workers' times, including those of workers that are gone."""
        total = Clock()
        for underway in self._underway.values():
            total = total.plus(underway.clock)
        return total

    @property
    def amount(self) -> Amount:
        """Seconds of video done and in all; a video under way counts by its share of the mean length."""
        return self._seconds.amount({}, more=self._num_under_way)

    @property
    def _num_under_way(self) -> float:
        return sum(underway.share for underway in self._underway.values())

    def take(self, worker: int, event: Event) -> None:
        """Add one event to the counts."""
        if isinstance(event, Note):
            self._underway[worker], self.video_id = event.content, event.content.video_id
        else:
            self._forget_share(worker)
        if isinstance(event, Done):
            self._end(event.index, event.result)
        elif isinstance(event, Lost):
            self._end(event.index, Failure(self._videos[event.index].video_id, event.reason))
        num_done = self._num_ended + self._num_under_way
        self.num_videos = max(self.num_videos, min(len(self._videos), num_done))

    def _forget_share(self, worker: int) -> None:
        if worker in self._underway:
            self._underway[worker] = replace(self._underway[worker], share=0.0)

    def _end(self, index: int, ended: Ended | None) -> None:
        self._num_ended += 1
        video_id = self._videos[index].video_id
        if isinstance(ended, Extracted):
            self._seconds.know(video_id, ended.video_seconds)
        self._seconds.end(video_id)
        if ended is not None:
            self._report.add(ended)

    def finished_report(self, videos: Sequence[Video], *, wall_seconds: float) -> ExtractReport:
        """Return the report on all of `videos`; records of some may have been in the store before."""
        self._report.clock = self.clock
        self._report.finish(videos, wall_seconds=wall_seconds)
        return self._report
