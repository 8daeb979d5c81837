"""Extract thousands of short videos in one run: speed and memory must stay constant.

    python -m campaigns.many_videos --count 2000

Speed is measured in CPU seconds too, because other work on the machine changes wall time. The last quarter of
the run is compared with the second; the first one warms up.
"""

import io
import os
import resource
import time
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from aqa_pipeline.records import Video
from aqa_pipeline.store import Store
from campaigns.inputs.samples import half_records
from campaigns.processes.proc_files import children_of, cpu_seconds, resident_megabytes
from campaigns.results.campaign import CampaignResult, run_campaign
from extract.choices.options import NetworkOptions, StreamOptions
from extract.choices.streams import build_streams
from extract.run.extraction import Extraction
from extract.run.stage import extract

SAMPLE_SECONDS = 0.5
SAMPLES_OF_A_RUN = 80  # at least twenty in each quarter, however short the run is
ENOUGH_VIDEOS = 400  # with fewer videos, the interpreter's warm-up outweighs everything else
MOST_GROWTH = 1.1  # the largest ratio of memory, and of CPU time per video


@dataclass(frozen=True)
class Sample:
    """One sample of the run: finished videos, wall and CPU seconds, MB of this process and of decoders."""

    videos: float
    seconds: float
    cpu_seconds: float
    megabytes: float
    decoder_megabytes: float


def main() -> None:
    """Run the campaign."""
    run_campaign(
        "many_videos",
        "{count} short generated videos through the local engine",
        measure,
        count=2000,
        description=__doc__,
    )


def measure(count: int, scratch: Path) -> CampaignResult:
    """Measure how memory and time per video change in the course of the run."""
    videos = write_short_videos(scratch / "videos", count)
    networks = NetworkOptions(backbones={"": "resnet18"}, weights={"": "random:0"})
    streams = build_streams(["frames"], StreamOptions(networks=networks))
    look = Look(count)
    report = extract(Extraction("campaign", Store(scratch / "store"), streams), videos, progress=look)
    rows = look.samples
    trend = Trend.of(rows, count) if count >= ENOUGH_VIDEOS else None
    broken = half_records(scratch / "store")
    sound = report.num_done == count and not report.failures and not broken
    return CampaignResult(
        summary=f"{count / report.wall_seconds:.1f} videos/s; {trend or 'too few videos to tell of growth'}",
        kept=sound and (trend is None or trend.is_flat),
        counts={
            "videos": count,
            "stored": report.num_done,
            "videos/s": round(count / report.wall_seconds, 1),
            **(trend.counts() if trend else {}),
        },
        details={
            "seconds": [round(row.seconds, 1) for row in rows],
            "videos": [round(row.videos, 1) for row in rows],
            "megabytes": [round(row.megabytes, 1) for row in rows],
            "megabytes of decoders": [round(row.decoder_megabytes, 1) for row in rows],
            "not sound": broken,
        },
        pictures={"many_videos.svg": plot(rows)},
    )


@dataclass(frozen=True)
class Trend:
    """The last quarter of a run compared with the second. CPU milliseconds are (second, last) per video."""

    memory_growth: float
    cpu_milliseconds: tuple[float, float]

    @classmethod
    def of(cls, rows: list[Sample], count: int) -> "Trend":
        """Return the trend of a run's samples."""
        memory = [(row.videos, row.megabytes + row.decoder_megabytes) for row in rows]
        second, last = per_video(rows, count, "cpu_seconds")
        return cls(growth(memory, count), (1000 * second, 1000 * last))

    @property
    def cpu_growth(self) -> float:
        """The ratio of the CPU times per video."""
        return self.cpu_milliseconds[1] / self.cpu_milliseconds[0]

    @property
    def is_flat(self) -> bool:
        """True if neither memory nor CPU time per video grows by `MOST_GROWTH`."""
        return max(self.memory_growth, self.cpu_growth) < MOST_GROWTH

    def counts(self) -> dict[str, float]:
        """Return the rows of the printed table."""
        return {
            "CPU ms per video, second quarter": round(self.cpu_milliseconds[0], 1),
            "CPU ms per video, last quarter": round(self.cpu_milliseconds[1], 1),
            "memory, last quarter / second": round(self.memory_growth, 3),
        }

    def __str__(self) -> str:
        return (
            f"last quarter against second: {self.cpu_growth:.2f} of the CPU time per video, "
            f"{self.memory_growth:.2f} of the memory"
        )


def write_short_videos(folder: Path, count: int) -> list[Video]:
    """Write different videos of 0.8 to 1.4 seconds, 64x48 pixels."""
    folder.mkdir(parents=True)
    rows, columns = np.mgrid[0:48, 0:64]
    for at in range(count):
        with av.open(str(folder / f"{at:05d}.mp4"), "w") as container:
            stream = container.add_stream("libx264", rate=10, options={"preset": "ultrafast"})
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for index in range(8 + at % 7):
                stripes = 127 + 120 * np.sin((columns + (1 + at % 31) * rows + 3 * index + at) / 9)
                picture = np.repeat(stripes[..., None], 3, axis=2).astype(np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode(None))
    return [Video(path.stem, path) for path in sorted(folder.iterdir())]


class Look:
    """Take a sample of the run every half second, and whenever an eightieth of its videos is done."""

    def __init__(self, count: int) -> None:
        self.samples: list[Sample] = []
        self._start = time.perf_counter()
        self._next_seconds, self._next_videos = 0.0, 0.0
        self._step = count / SAMPLES_OF_A_RUN

    def __call__(self, *, videos: float, **_: object) -> None:
        """Take a sample if it is time; `videos` are the finished ones, the current one counted in part."""
        seconds = time.perf_counter() - self._start
        if seconds < self._next_seconds and videos < self._next_videos:
            return
        self._next_seconds, self._next_videos = seconds + SAMPLE_SECONDS, videos + self._step
        decoders = children_of(os.getpid())
        cpu = sum(resource.getrusage(resource.RUSAGE_SELF)[:2]) + sum(map(cpu_seconds, decoders))
        memory = resident_megabytes(os.getpid())
        self.samples.append(Sample(videos, seconds, cpu, memory, sum(map(resident_megabytes, decoders))))


def growth(rows: list[tuple[float, float]], count: int) -> float:
    """Return the median of the last quarter divided by that of the second; `rows` are (videos, value)."""
    second = np.median([value for videos, value in rows if 0.25 <= videos / count < 0.5])
    last = np.median([value for videos, value in rows if videos / count >= 0.75])
    return float(last / second)


def per_video(rows: list[Sample], count: int, what: str) -> tuple[float, float]:
    """Return the time `what` per video in the second quarter, and in the last."""
    quarters = []
    for start, stop in ((0.25, 0.5), (0.75, 1.0)):
        part = [row for row in rows if start <= row.videos / count <= stop]
        spent = getattr(part[-1], what) - getattr(part[0], what)
        quarters.append(spent / (part[-1].videos - part[0].videos))
    return quarters[0], quarters[1]


def plot(rows: list[Sample]) -> bytes:
    """Return a plot of videos and memory over time, as SVG."""
    import matplotlib.figure

    figure = matplotlib.figure.Figure(figsize=(7, 4.2), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    seconds = [row.seconds for row in rows]
    above.plot(seconds, [row.videos for row in rows], color="#1f5f8b")
    above.set_ylabel("videos done")
    below.plot(seconds, [row.megabytes for row in rows], color="#1f5f8b", label="extraction")
    below.plot(seconds, [row.decoder_megabytes for row in rows], color="#d9822b", label="its decoders")
    below.set(ylabel="resident MB", xlabel="seconds", ylim=(0, None))
    below.legend(frameon=False)
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
    content = io.BytesIO()
    figure.savefig(content, format="svg", metadata={"Date": None})
    return content.getvalue()


if __name__ == "__main__":
    main()
