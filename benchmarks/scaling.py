"""Measure how time grows with videos and their length, what a start costs, and the memory of an hour.

    python -m benchmarks.scaling                  16 to 128 seconds, 1 to 8 videos, an hour against a minute
    python -m benchmarks.scaling --minutes 5      a shorter long video

Every number belongs to a whole `aqa extract` in a separate process: start, loading of the networks, work.
Times are those of ACTION-NET's networks. Memory is that of small networks, because I3D would need minutes for
an hour of video, and the growth of memory does not depend on the network. Weights are random, and read from
files. The first start on a machine chooses runtimes and converts networks; it is reported separately, and all
later starts use its results.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks.rows import Row, add_json_option, not_here, publish
from benchmarks.work.rendering import render, repeat
from extract.runtimes.load_backbone import load_backbone

AQA = "import cli; cli.main()"
POLL_SECONDS = 0.1
LENGTHS = (16, 32, 64, 128)
NUMBERS = (1, 2, 4, 8)


@dataclass(frozen=True)
class Taken:
    """The wall time of one command, and the peak memory of all its processes together, in MB."""

    seconds: float
    megabytes: float


@dataclass(frozen=True)
class Line:
    """A least-squares line through (size, seconds), and the share of the variance that it explains."""

    slope: float
    start: float
    explained: float


def main() -> None:
    """Run the benchmark."""
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as scratch:
        publish(measure(Path(scratch), arguments), arguments.json)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=int, default=60, help="length of the long video")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    add_json_option(parser)
    return parser.parse_args()


def measure(folder: Path, arguments: argparse.Namespace) -> list[Row]:
    """Return the rows on length, number of videos, fixed cost and memory."""
    networks = ["--device", arguments.device]
    for stream, name in (("segments", "i3d"), ("crops", "resnet50")):
        networks += ["--weights", f"{stream}={saved(name, folder)}"]
    sixteen, _ = render(folder, "sixteen", seconds=16)
    first = aqa_extract(folder, "first", [sixteen.path], 1, networks)
    by_length = [aqa_extract(folder, f"length-{s}", [sixteen.path], s // 16, networks) for s in LENGTHS]
    by_number = [aqa_extract(folder, f"number-{n}", [sixteen.path] * n, 1, networks) for n in NUMBERS]
    lengths, numbers = fit(LENGTHS, by_length), fit(NUMBERS, by_number)
    print(f"Seconds for {LENGTHS} s of video: {shown(by_length)}")
    print(f"and for {NUMBERS} videos: {shown(by_number)}\n")
    rows = [
        Row(
            "time against seconds of video",
            "linear",
            f"linear to {lengths.explained:.1%} of the variance",
            "",
            f"{60 * lengths.slope:.1f} s per minute of video",
        ),
        Row(
            "time against number of videos",
            "linear",
            f"linear to {numbers.explained:.1%} of the variance",
            "",
            f"{numbers.slope:.1f} s per video of 16 s",
        ),
        Row(
            "fixed cost of `aqa extract`",
            "under 5 s",
            f"{lengths.start:.1f} s; {first.seconds - by_length[0].seconds:.0f} s more with the first start",
            "",
            "",
        ),
    ]
    return [*rows, long_against_short(folder, arguments)]


def saved(name: str, folder: Path) -> Path:
    """Write a checkpoint of the network's random weights, so that no start has to draw them."""
    path = folder / f"{name}.pt"
    network = load_backbone(name, weights="random:0", device="cpu", precision="fp32").network
    torch.save(network.state_dict(), path)
    return path


def aqa_extract(
    folder: Path, name: str, videos: Sequence[Path], times: int, networks: Sequence[str]
) -> Taken:
    """Run `aqa extract` on a new dataset of these videos, each repeated `times` times in a row."""
    root = folder / name
    root.mkdir()
    rows = ["video,score,boxes"]
    for at, video in enumerate(videos):
        repeat(video, root / f"{at}.mp4", times=times)
        rows.append(f"{at}.mp4,{at},{at}.csv")
    (root / "labels.csv").write_text("\n".join(rows) + "\n")
    arguments = ["extract", "--dataset", "folder", "--root", str(root), "--store", str(root / "store")]
    arguments += ["--streams", "segments,crops", "--detector", "annotations", *networks]
    return run([sys.executable, "-c", AQA, *arguments], home=folder / "home")


def run(command: Sequence[str], *, home: Path) -> Taken:
    """Run the command to its end, and sample the memory of its processes meanwhile."""
    start, environment = time.perf_counter(), {**os.environ, "AQA_HOME": str(home)}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )
    peak = [0.0]
    watcher = threading.Thread(target=_watch, args=(process, peak))
    watcher.start()
    said, _ = process.communicate()
    seconds = time.perf_counter() - start
    watcher.join()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{said}")
    return Taken(seconds, peak[0])


def _watch(process: "subprocess.Popen[str]", peak: list[float]) -> None:
    while process.poll() is None:
        peak[0] = max(peak[0], sum(map(_megabytes, _family(process.pid))))
        time.sleep(POLL_SECONDS)


def _family(pid: int) -> list[int]:
    """Return the ids of the process and of all its descendants (Linux)."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:  # the process ended meanwhile
        return []
    return [pid, *(each for child in children for each in _family(child))]


def _megabytes(pid: int) -> float:
    """Return the proportional memory of one process: shared pages count in equal parts."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1000 for line in lines if line.startswith("Pss:")), 0.0)


def fit(sizes: Sequence[int], taken: Sequence[Taken]) -> Line:
    """Fit a line to the seconds of commands by their size."""
    seconds = np.array([each.seconds for each in taken])
    slope, start = np.polyfit(sizes, seconds, 1)
    rest = seconds - (slope * np.array(sizes) + start)
    return Line(float(slope), float(start), float(1 - rest.var() / seconds.var()))


def shown(taken: Sequence[Taken]) -> str:
    """Return the seconds of the commands, joined by commas."""
    return ", ".join(f"{each.seconds:.1f}" for each in taken)


def long_against_short(folder: Path, arguments: argparse.Namespace) -> Row:
    """Return the row that compares the memory for a long video and for one minute."""
    what, at_most = f"memory, {arguments.minutes} minutes against 1 minute of video", "within 10 %"
    if not os.path.isdir("/proc/self/task"):
        return not_here(what, at_most, "Linux")
    backbones = ["--backbone", "segments=x3d_s", "--backbone", "crops=resnet18"]
    small = [*backbones, "--weights", "random:0", "--device", arguments.device]
    minute, _ = render(folder, "minute", seconds=60)
    aqa_extract(folder, "minutes-first", [minute.path], 1, small)  # the conversion takes additional memory
    short, long = (
        aqa_extract(folder, f"minutes-{times}", [minute.path], times, small)
        for times in (1, arguments.minutes)
    )
    return Row(
        what,
        at_most,
        f"{long.megabytes / short.megabytes - 1:+.1%}",
        f"{short.megabytes:.0f} MB in {short.seconds:.0f} s",
        f"{long.megabytes:.0f} MB in {long.seconds:.0f} s",
    )


if __name__ == "__main__":
    main()
