"""What to extract, and which records must be made: those that are missing, or made from another source."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aqa_pipeline.errors import StoreError
from aqa_pipeline.records import StreamSpec, Video
from aqa_pipeline.sources.compare import ANNOTATIONS, Comparison, boxes_digest, boxes_of, compare, needs_boxes
from aqa_pipeline.spec_facts import typed_facts
from aqa_pipeline.store import Store
from aqa_pipeline.video import Disk, ReaderName
from extract.decoding.feeds import Patience
from extract.streams import Stream
from extract.trackers.quad_files import quads_digest

DAMAGED = Comparison(reasons=("a damaged record",))


@dataclass(frozen=True)
class Extraction:
    """The streams to extract into a store, and how videos are decoded: `workers` of them at a time.

    `quads` is the folder of `--tracker annotations:FOLDER`, which the dataset does not name.
    """

    dataset: str
    store: Store
    streams: Sequence[Stream]
    reader: ReaderName = "auto"
    workers: int = 2
    overwrite: bool = False
    patience: Patience = field(default_factory=Patience)
    quads: Path | None = None
    disk: Disk = field(default_factory=Disk)

    def missing(self, video: Video) -> list[Stream]:
        """Return the streams that this video still needs."""
        return [stream for stream in self.streams if self.must_make(video, stream.spec)]

    def must_make(self, video: Video, spec: StreamSpec) -> bool:
        """Return True if the record is missing, or was made from another source."""
        if self.overwrite or not self.store.has(self.dataset, video.video_id, spec):
            return True
        return bool(self.compare(video, spec).reasons)

    def compare(self, video: Video, spec: StreamSpec) -> Comparison:
        """Compare the source of the stored record with the video as it is now."""
        try:
            source = self.store.source(self.dataset, video.video_id, spec)
        except StoreError:
            return DAMAGED
        boxes = self.boxes_digest(video, spec)
        return compare(source, video, disk=self.disk, boxes=boxes, need_boxes=needs_boxes(spec))

    def boxes_digest(self, video: Video, spec: StreamSpec) -> str | None:
        """Return the digest of the boxes or quads that the stream reads of that video."""
        if self.quads is not None and typed_facts(spec).tracker == ANNOTATIONS:
            return quads_digest(self.quads, video.video_id)
        return boxes_digest(boxes_of(spec, video))


@dataclass
class Examined:
    """The videos to extract; by video id, why records are made again, and which sources are gone."""

    todo: list[Video] = field(default_factory=list)
    changed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    gone: dict[str, str] = field(default_factory=dict)


def examine(extraction: Extraction, specs: Sequence[StreamSpec], videos: Iterable[Video]) -> Examined:
    """Look at every record that the videos should have.

    If only the time of a video's file changed, its record gets the new time, so that the next look needs no
    digest. Raise `StoreError` if the disk refuses.
    """
    found = Examined()
    for video in videos:
        there = [s for s in specs if extraction.store.has(extraction.dataset, video.video_id, s)]
        compared = [] if extraction.overwrite else [extraction.compare(video, spec) for spec in there]
        reasons = dict.fromkeys(reason for each in compared for reason in each.reasons)
        if reasons:
            found.changed[video.video_id] = tuple(reasons)
        if reasons or extraction.overwrite or len(there) < len(specs):
            found.todo.append(video)
        elif gone := [each.gone for each in compared if each.gone]:
            found.gone[video.video_id] = gone[0]
        for spec, each in zip(there, compared, strict=False):
            _keep_time(extraction, video, spec, each)
    return found


def _keep_time(extraction: Extraction, video: Video, spec: StreamSpec, compared: Comparison) -> None:
    if compared.now is not None and not extraction.store.root.is_file():
        extraction.store.change_source(extraction.dataset, video.video_id, spec, compared.now)
