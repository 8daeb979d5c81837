"""Where extraction's time goes, and one decoding pass against two, in one run on this machine.

    python -m benchmarks.extract                                   a rendered minute of 640x360, 25 fps
    python -m benchmarks.extract VIDEO ... --detector yolo:FOLDER  your videos, with a real detector

Networks have random weights (their speed is the same). Read the ratios; seconds belong to the machine.
"""

import argparse
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import av
import numpy as np
import torch

from aqa_pipeline.boxes import write_boxes
from aqa_pipeline.records import Video
from aqa_pipeline.store import Store
from aqa_pipeline.tables import format_table
from aqa_pipeline.video import open_video, sample_by_time
from extract.choices import Choices, build_streams
from extract.stage import Extraction, ExtractReport, extract
from extract.streams import Stream

WIDTH, HEIGHT, FPS, SECONDS = 640, 360, 25, 60


def main() -> None:
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as scratch:
        videos = [Video(path.stem, path) for path in arguments.videos] or [render_minute(Path(scratch))]
        choices = Choices(
            weights={"": "random:0"},
            detector=arguments.detector,
            device=arguments.device,
            precision=arguments.precision,
        )
        streams = build_streams(["segments", "crops"], choices)
        print(f"{platform.processor() or platform.machine()}, torch {torch.__version__}, {torch_threads()}")
        print(f"{len(videos)} videos, {arguments.device}, {arguments.precision}, {arguments.detector}\n")
        rounds = [measure(videos, streams, Path(scratch) / f"round-{at}") for at in range(arguments.rounds)]
    print_table(rounds)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("videos", nargs="*", type=Path)
    parser.add_argument("--detector", default="annotations")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", default="fp32")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    return parser.parse_args()


def torch_threads() -> str:
    return f"{torch.get_num_threads()} threads"


def render_minute(folder: Path) -> Video:
    """A textured, panning picture with a moving box that stands for the athlete."""
    path = folder / "minute.mp4"
    texture = np.random.default_rng(0).integers(0, 255, (HEIGHT // 8, WIDTH // 4, 3), np.uint8)
    texture = texture.repeat(8, axis=0).repeat(8, axis=1)  # twice as wide as the picture
    boxes = {}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "fast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for index in range(SECONDS * FPS):
            pan = index % WIDTH
            picture = texture[:, pan : pan + WIDTH].copy()
            left = 100 + round(150 * (1 + np.sin(index / 20)))
            picture[100:300, left : left + 90] = (200, 40, 40)
            boxes[index] = np.array([[left, 100, left + 90, 300]], float)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    write_boxes(folder / "minute.csv", boxes)
    return Video("minute", path, boxes=folder / "minute.csv")


def measure(videos: Sequence[Video], streams: Sequence[Stream], folder: Path) -> dict[str, float]:
    """Seconds per video-minute of each part, and of the whole in one pass and in one pass per stream."""
    segments, crops = streams

    def run(name: str, *chosen: Stream) -> ExtractReport:
        extraction = Extraction("benchmark", Store(folder / name), chosen)
        report = extract(extraction, videos, progress=lambda **_: None)
        assert not report.failures, report.failures
        return report

    decoding = timed(lambda: [decode(video) for video in videos])
    one_pass = run("one-pass", segments, crops)
    first, second = run("first-pass", segments), run("second-pass", crops)
    minutes = one_pass.video_seconds / 60
    return {
        "decode alone (5 and 1 fps)": decoding / minutes,
        "detect": second.clock.seconds["detect"] / minutes,
        "I3D (segments)": first.clock.seconds["network"] / minutes,
        "ResNet-50 (crops)": second.clock.seconds["network"] / minutes,
        "one pass, all": one_pass.wall_seconds / minutes,
        "two passes, all": (first.wall_seconds + second.wall_seconds) / minutes,
        "two passes / one": (first.wall_seconds + second.wall_seconds) / one_pass.wall_seconds,
    }


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def decode(video: Video) -> int:
    """Reads the frames that both streams want; returns how many."""
    with open_video(video) as opened:
        wanted = [sample_by_time(opened.timeline, rate_fps=rate).frame_index for rate in (5.0, 1.0)]
        return sum(1 for _ in opened.frames(np.unique(np.concatenate(wanted)).tolist()))


def print_table(rounds: Sequence[dict[str, float]]) -> None:
    rows = []
    for name in rounds[0]:
        values = [each[name] for each in rounds]
        rows.append((name, *(f"{f(values):.2f}" for f in (statistics.median, min, max))))
    print(format_table(("seconds per video-minute", "median", "least", "most"), rows))


if __name__ == "__main__":
    main()
