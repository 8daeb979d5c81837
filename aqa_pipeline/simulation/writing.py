"""Draw the streams of every video, and write them into a store without real features of that dataset."""

import hashlib
import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aqa_pipeline.errors import StoreError
from aqa_pipeline.records import Dataset, Record, Source, StreamSpec, Video
from aqa_pipeline.simulation.choices import Simulation
from aqa_pipeline.simulation.quality import quality_of_videos
from aqa_pipeline.simulation.shares import thinned
from aqa_pipeline.simulation.stream import Drawn
from aqa_pipeline.simulation.streams import find_stream, usual_streams
from aqa_pipeline.store import Store


@dataclass(frozen=True)
class Simulated:
    """The result of a simulation."""

    specs: tuple[StreamSpec, ...]
    num_written: int
    num_resumed: int


def simulate(
    dataset: Dataset,
    store: Store,
    simulation: Simulation,
    *,
    streams: Sequence[str] = (),
    limit: int | None = None,
    progress: Callable[[int], None] = lambda num_done: None,
) -> Simulated:
    """Write the streams of every video (by default the usual streams of the dataset); existing records stay.

    A limit selects that many videos, from both sets of every split. It does not change their features.
    `progress` gets the number of finished records. Raises `StoreError` for a store with real features of the
    dataset, so that nobody confuses them.
    """
    names = streams or usual_streams(dataset.name)
    chosen = [find_stream(name, dataset=dataset.name) for name in names]
    _check_unmixed(store, dataset)
    qualities, num_written, num_done = quality_of_videos(dataset), 0, 0
    for video, stream in itertools.product(thinned(dataset, limit), chosen):
        spec, quality = stream.spec(simulation), qualities[video.video_id]
        source = _source(dataset.name, video, spec, quality)
        there = store.has(dataset.name, video.video_id, spec)
        if not there or store.source(dataset.name, video.video_id, spec) != source:
            drawn = stream.draw(simulation, dataset.name, video, quality=quality)
            store.write(_record(dataset.name, video, spec, source, drawn))
            num_written += 1
        num_done += 1
        progress(num_done)
    specs = tuple(stream.spec(simulation) for stream in chosen)
    return Simulated(specs, num_written, num_done - num_written)


def _check_unmixed(store: Store, dataset: Dataset) -> None:
    real = [row.spec for row in store.contents() if row.dataset == dataset.name and not row.spec.simulated]
    if real:
        raise StoreError(
            f"{store.root} holds real {real[0].stream} of {dataset.name}: simulated features must not be "
            "mixed with them. Choose another --store."
        )


def _source(dataset: str, video: Video, spec: StreamSpec, quality: float) -> Source:
    """Return a source that covers everything that determines the features, the label too."""
    facts = ["simulated", dataset, video.video_id, video.duration_seconds, spec.to_json(), float(quality)]
    return Source(hashlib.sha256(json.dumps(facts).encode()).hexdigest())


def _record(dataset: str, video: Video, spec: StreamSpec, source: Source, drawn: Drawn) -> Record:
    return Record(
        dataset=dataset,
        video_id=video.video_id,
        spec=spec,
        features=drawn.features,
        pts_seconds=drawn.pts_seconds,
        source=source,
        extras=drawn.extras,
        counts={
            "num_steps": len(drawn.features) + drawn.missed,
            "num_steps_without_person": drawn.missed,
        },
    )
