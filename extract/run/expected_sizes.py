"""The size of stored frames before they are extracted: they are larger than all features of a dataset."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from aqa_pipeline.disk.free_space import free_bytes
from aqa_pipeline.errors import StoreError
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import StreamSpec, Video
from aqa_pipeline.spec_facts import typed_facts
from aqa_pipeline.video import Timeline
from extract.choices.from_run import pixel_inputs
from extract.clock import Clock
from extract.decoding.decode import Opened, PreparedFrame
from extract.decoding.feeds import Feeds
from extract.run.extraction import Extraction
from extract.streams import Encoder, Intake, Steps
from extract.streams.pixel_sampling import PixelSampling, plan_pixels
from extract.streams.pixels import Pixels

SAMPLED_VIDEOS, SAMPLED_FRAMES = 3, 3  # decoded where lengths or sizes of JPEG files are not known


@dataclass(frozen=True)
class ExpectedSize:
    """The bytes of the frames of one stream that are still to be stored; `is_exact` or estimated."""

    stream: str
    num_videos: int
    num_bytes: int
    is_exact: bool

    def __str__(self) -> str:
        about = "" if self.is_exact else "about "
        videos = "1 video" if self.num_videos == 1 else f"{self.num_videos:,} videos"
        each = size_text(self.num_bytes / self.num_videos)
        return f"{self.stream}: {about}{each} a video, {size_text(self.num_bytes)} for {videos}"


def size_text(num_bytes: float) -> str:
    """Return 7157376 as '7.2 MB', and 10106215000 as '10.1 GB'."""
    return f"{num_bytes / 1e9:.1f} GB" if num_bytes >= 1e9 else f"{num_bytes / 1e6:.1f} MB"


def check_room(sizes: Sequence[ExpectedSize], place: Path) -> None:
    """Raise `StoreError` if the disk has less room than the frames take."""
    needed, free = sum(size.num_bytes for size in sizes), free_bytes(place)
    if needed > free:
        said = "; ".join(map(str, sizes))
        raise StoreError(
            f"{place} has room for {size_text(free)}, less than the frames take ({said}). Free some space, "
            "name another --store, store JPEG (--jpeg 90) or smaller pictures (--picture-size), or extract "
            "fewer videos (--limit)."
        )


def expected_sizes(
    extraction: Extraction, specs: Sequence[StreamSpec], videos: Sequence[Video]
) -> list[ExpectedSize]:
    """Return the size of each stream of frames, of the videos that have no record of it yet.

    Raw last frames have an exact size. Other sizes are estimated from a few videos; a stream is left out if
    none of these can be read, as the extraction will tell.
    """
    sizes = []
    for spec in (spec for spec in specs if spec.stores_pictures):
        lacking = [v for v in videos if not extraction.store.has(extraction.dataset, v.video_id, spec)]
        size = _size_of(spec, lacking, extraction) if lacking else None
        sizes += [] if size is None else [size]
    return sizes


def _size_of(spec: StreamSpec, videos: Sequence[Video], extraction: Extraction) -> ExpectedSize | None:
    inputs = pixel_inputs(typed_facts(spec))
    sampling, picture = inputs.pixel_sampling, inputs.stored_picture
    expected = partial(ExpectedSize, spec.stream, len(videos))
    if picture.jpeg_quality is None and sampling.rate_fps is None:
        return expected(len(videos) * sampling.num_frames * picture.num_bytes, is_exact=True)
    of_videos = list(_sampled_sizes(Pixels(sampling, picture), videos, extraction))
    return expected(round(len(videos) * np.mean(of_videos)), is_exact=False) if of_videos else None


def _sampled_sizes(stream: Pixels, videos: Sequence[Video], extraction: Extraction) -> Iterator[int]:
    """Yield the size of a few videos' records, each frame as large as the largest of a few frames.

    Videos that cannot be read are passed over. They are decoded in processes, as those of the extraction are.
    """
    at = np.unique(np.linspace(0, len(videos) - 1, SAMPLED_VIDEOS).round().astype(int))
    feeds = Feeds(
        [videos[each] for each in at],
        lambda video: [_FewFrames(stream)],
        reader=extraction.reader,
        workers=min(extraction.workers, len(at)),
        patience=extraction.patience,
    )
    num_frames: dict[str, int] = {}
    largest: dict[str, int] = {}
    with feeds:
        for feed, item in feeds:
            name = feed.video.video_id
            if isinstance(item, Opened):
                num_frames[name] = item.steps[0].counts["num_frames"]
            elif isinstance(item, PreparedFrame):
                largest[name] = max(largest.get(name, 0), item.num_bytes)
    yield from (num_frames[name] * num_bytes for name, num_bytes in largest.items())


@dataclass(frozen=True)
class _FewFrames:
    """A few evenly spaced frames of a stream, whose plan counts all of them. Nothing is encoded."""

    whole: Pixels

    @property
    def spec(self) -> StreamSpec:
        return self.whole.spec

    @property
    def batch_size(self) -> int:
        return self.whole.batch_size

    @property
    def dtype(self) -> str:
        return self.whole.dtype

    @property
    def intake(self) -> Intake:
        return Intake(partial(_plan_few_frames, sampling=self.whole.sampling), self.whole.picture.store)

    def encoder(self, video: Video, footage: Footage, clock: Clock) -> Encoder:
        return self.whole.encoder(video, footage, clock)


def _plan_few_frames(timeline: Timeline, *, sampling: PixelSampling) -> Steps:
    steps = plan_pixels(timeline, sampling=sampling, is_tracked=False)
    few = np.unique(np.linspace(0, len(steps) - 1, SAMPLED_FRAMES).round().astype(int))
    return Steps(steps.frame_index[few], steps.pts_seconds[few], {"num_frames": len(steps)})
