"""Measure a whole video, segments and crops: our extraction and the released code's two passes, in one run.

    python -m benchmarks.extract                                   a rendered minute of 640x360, 25 fps
    python -m benchmarks.extract --seconds 30 --precision bf16     half of it, in bf16
    python -m benchmarks.extract --seconds 600 --device cuda       on a GPU, where decoding is the limit

Networks are loaded before the measurement; benchmarks.scaling measures loading. The plain way is eager fp32
throughout, reads the video twice, and writes JPEG files between (benchmarks.work.released). Both get the
athlete's boxes. Networks have random weights, which does not change the speed.
"""

import argparse
import statistics
import tempfile
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path

import torch

from aqa_pipeline.errors import AqaError
from aqa_pipeline.precision import check_precision
from aqa_pipeline.records import Video
from aqa_pipeline.store import Store
from benchmarks.rows import Row, add_json_option, in_turn, not_here, publish, times_as_fast
from benchmarks.work.released import PlainExtraction
from benchmarks.work.rendering import render
from extract.choices.options import AthleteOptions, NetworkOptions, StreamOptions
from extract.choices.presets import PresetName
from extract.choices.streams import build_streams
from extract.clock import PHASES
from extract.decoding.feeds import Feeds, Patience
from extract.run.extraction import Extraction
from extract.run.stage import ExtractReport, extract
from extract.runtimes import RUNTIMES
from extract.runtimes.load_backbone import load_backbone
from extract.streams import Stream
from extract.streams.crops import Crops
from extract.streams.whole_frames import WholeFrames


def main() -> None:
    """Run the benchmark."""
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as scratch:
        publish(measure(Path(scratch), arguments), arguments.json)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=60, help="length of the rendered video")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", choices=["fp32", "bf16", "fp16"], default="fp32")
    parser.add_argument("--runtime", choices=RUNTIMES, default="auto")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    add_json_option(parser)
    arguments = parser.parse_args()
    try:
        check_precision(arguments.precision, device=arguments.device)
    except AqaError as error:
        parser.error(str(error))
    return arguments


def measure(folder: Path, arguments: argparse.Namespace) -> list[Row]:
    """Return rows for the comparison with the released way, of the presets, and with decoding alone."""
    video, boxes = render(folder, "video", seconds=arguments.seconds)
    streams, light = our_streams(arguments), our_streams(arguments, preset="light")
    plain = plain_extraction(arguments)
    reports: list[ExtractReport] = []
    stores = (Store(folder / f"store-{number}") for number in count())

    def by(streams: list[Stream]) -> ExtractReport:
        extraction = Extraction("benchmark", next(stores), streams, workers=arguments.workers)
        report = extract(extraction, [video], progress=lambda **_: None)
        assert not report.failures, report.failures
        return report

    def theirs() -> None:
        with tempfile.TemporaryDirectory() as pictures:
            plain.run(video.path, boxes, Path(pictures))

    ways: dict[str, Callable[[], object]] = {
        "plain": theirs,
        "ours": lambda: reports.append(by(streams)),
        "light": lambda: by(light),
        "decode": lambda: decode(video, streams, workers=arguments.workers),
    }
    seconds = in_turn(ways, rounds=arguments.rounds)
    print_shares(reports[1:], video_seconds=arguments.seconds)
    print("\n".join([*ran_on(streams), *ran_on(light)]) + "\n")
    return [
        whole_video(seconds, arguments),
        light_preset(seconds, arguments),
        decode_bound(seconds, arguments),
    ]


def our_streams(arguments: argparse.Namespace, *, preset: PresetName = "paper") -> list[Stream]:
    """Return the streams `segments` and `crops` with the networks of a preset."""
    networks = NetworkOptions(
        weights={"": "random:0"},
        device=arguments.device,
        precision=arguments.precision,
        runtime=arguments.runtime,
    )
    athlete = AthleteOptions(detector="annotations")
    options = StreamOptions(networks=networks, athlete=athlete, preset=preset)
    return build_streams(["segments", "crops"], options)


def plain_extraction(arguments: argparse.Namespace) -> PlainExtraction:
    """Return the released way with its own networks, in fp32."""
    segments, crops = (
        load_backbone(name, weights="random:0", device=arguments.device, precision="fp32")
        for name in ("i3d", "resnet50")
    )
    return PlainExtraction(segments, crops)


def decode(video: Video, streams: Sequence[Stream], *, workers: int) -> None:
    """Decode and prepare all frames as the extraction does, with as many processes, without networks."""
    with Feeds([video], lambda _: streams, reader="auto", workers=workers, patience=Patience()) as feeds:
        for _, item in feeds:
            assert not isinstance(item, Exception), item


def print_shares(reports: Sequence[ExtractReport], *, video_seconds: int) -> None:
    """Print where the main process's time went, per minute of video."""
    for phase, name in PHASES.items():
        seconds = [report.clock.seconds.get(phase, 0.0) for report in reports]
        if any(seconds):
            print(f"{name}: {60 * statistics.median(seconds) / video_seconds:.1f} s per minute of video")


def ran_on(streams: Sequence[Stream]) -> list[str]:
    """Return a line per network on its runtime."""
    return [
        line
        for stream in streams
        if isinstance(stream, WholeFrames | Crops)
        for line in stream.backbone.ran_on
    ]


def whole_video(seconds: dict[str, list[float]], arguments: argparse.Namespace) -> Row:
    """Return the row for the comparison with the released way."""
    plain, ours = (60 * statistics.median(seconds[name]) / arguments.seconds for name in ("plain", "ours"))
    return Row(
        what=f"a whole video, segments + crops, {arguments.precision}, {arguments.device}",
        at_least="3.0x" if arguments.device == "cpu" else "",
        reached=times_as_fast(seconds["plain"], seconds["ours"]),
        plain=f"{plain:.1f} s per minute of video",
        ours=f"{ours:.1f} s per minute of video",
    )


def light_preset(seconds: dict[str, list[float]], arguments: argparse.Namespace) -> Row:
    """Return the row for the comparison of the presets, I3D and ResNet-50 against EfficientNet-Lite 0."""
    paper, light = (60 * statistics.median(seconds[name]) / arguments.seconds for name in ("ours", "light"))
    return Row(
        what=f"a whole video, --preset light against paper, {arguments.precision}, {arguments.device}",
        at_least="",
        reached=times_as_fast(seconds["ours"], seconds["light"]),
        plain=f"{paper:.1f} s per minute of video",
        ours=f"{light:.1f} s per minute of video",
    )


def decode_bound(seconds: dict[str, list[float]], arguments: argparse.Namespace) -> Row:
    """Return the row for the comparison with decoding alone; only a GPU can fill it."""
    what, at_most = "extraction against decoding alone, same workers", "at most 1.25x, on a GPU"
    if arguments.device == "cpu":
        share = statistics.median(seconds["ours"]) / statistics.median(seconds["decode"])
        return not_here(f"{what} (on this CPU {share:.1f}x: the networks are the limit)", at_most, "a GPU")
    return Row(
        what=what,
        at_least=at_most,
        reached=times_as_fast(seconds["ours"], seconds["decode"]),
        plain=f"{statistics.median(seconds['decode']):.1f} s",
        ours=f"{statistics.median(seconds['ours']):.1f} s",
    )


if __name__ == "__main__":
    main()
