"""Extract a new video once, keep its records in a store, and find them there again."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from aqa_pipeline.errors import AqaError
from aqa_pipeline.records import Record, StreamSpec, Video
from aqa_pipeline.sources.compare import boxes_digest
from aqa_pipeline.store import NEW_VIDEOS, Store
from aqa_pipeline.video import ReaderName, source_of
from extract.choices.from_run import rebuild_streams
from extract.choices.options import StreamOptions
from extract.run.extraction import Extraction
from extract.run.progress import extraction_progress
from extract.run.stage import Progress, extract
from extract.streams import Stream


@dataclass(frozen=True, eq=False)
class NewVideoExtractor:
    """Extracts new videos with the streams that `specs` describe.

    `options` choose what the specs leave open. `files` are the paths of weights and detectors that a person
    named for the training videos, by stream (see `named_files`). `cache` is the folder of a store that keeps
    the records.
    """

    specs: Sequence[StreamSpec]
    options: StreamOptions
    files: Mapping[str, Mapping[str, str]]
    cache: Path
    reader: ReaderName = "auto"
    show_progress: bool = False

    @cached_property
    def streams(self) -> list[Stream]:
        """The streams with their networks, loaded at the first use. Raise as `rebuild_streams`."""
        return rebuild_streams(self.specs, self.options, files=self.files)

    def __call__(self, video: Video) -> dict[str, Record]:
        """Return the video's record of each stream, by stream name.

        A record in the cache is used again if the file's content, the window, the rate and the boxes are the
        same, whatever the file is called now. Raise `AqaError` if the file is absent or cannot be extracted.
        """
        if not video.path.exists():
            raise AqaError("there is no such file.")
        store, key = Store(self.cache), replace(video, video_id=_content_id(video))
        extraction = Extraction(NEW_VIDEOS, store, self.streams, reader=self.reader)
        with _progress(video.path.name, shown=self.show_progress) as progress:
            report = extract(extraction, [key], progress=progress)
        if report.failures:
            raise AqaError(report.failures[0].reason)
        found = {each.spec.stream: store.read(NEW_VIDEOS, key.video_id, each.spec) for each in self.streams}
        return {stream: replace(record, video_id=video.video_id) for stream, record in found.items()}


def _content_id(video: Video) -> str:
    """Return an id of what records are made from. It stays the same if the file is renamed or touched."""
    source = replace(source_of(video), size=None, mtime_ns=None, boxes_digest=boxes_digest(video.boxes))
    return hashlib.sha256(repr(source).encode()).hexdigest()[:32]


@contextmanager
def _progress(file_name: str, *, shown: bool) -> Iterator[Progress]:
    """Show the progress under the file's name: its id in the cache is a digest."""
    if not shown:
        yield lambda **_: None
        return
    with extraction_progress(1) as show:
        yield _under_name(show, file_name)


def _under_name(show: Callable[..., None], name: str) -> Progress:
    return lambda **state: show(**(state | {"video_id": name}))
