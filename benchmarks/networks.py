"""Measure I3D and ResNet-50 in every runtime and in their released form, in one run on this machine.

    python -m benchmarks.networks                  all runtimes and precisions of this machine
    python -m benchmarks.networks --no-compile     without torch.compile, which takes a minute per network

Both ours and the released form begin with uint8 pictures. Weights are random, which does not change the
speed. The ceiling is the best rate of a plain convolution or matrix product on this machine.
"""

import argparse
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from aqa_pipeline.backbones import get_backbone
from aqa_pipeline.backbones.preprocess import get_preprocess
from aqa_pipeline.errors import AqaError
from benchmarks.machine import has_bf16, highest_rate
from benchmarks.rows import Row, add_json_option, in_turn, milliseconds, not_here, publish, times_as_fast
from benchmarks.work.released import plain_features
from extract.runtimes import Precision, Runtime
from extract.runtimes.load_backbone import load_backbone

Features = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Question:
    """A network, its batch sizes, and the aims: in fp32 and bf16 on a CPU, in bf16 on a GPU."""

    backbone: str
    what: str
    cpu_batch: int
    gpu_batch: int
    fp32: str
    bf16: str
    bf16_on_gpu: str


QUESTIONS = (
    Question(
        backbone="i3d",
        what="I3D 16x224x224",
        cpu_batch=2,
        gpu_batch=32,
        fp32="3.0x",
        bf16="5.0x",
        bf16_on_gpu="40 % of the matrix rate",
    ),
    Question(
        backbone="resnet50",
        what="ResNet-50 crops",
        cpu_batch=8,
        gpu_batch=256,
        fp32="2.2x",
        bf16="4.2x",
        bf16_on_gpu="",
    ),
)


def main() -> None:
    """Run the benchmark."""
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    rows: list[Row] = []
    for question in QUESTIONS:
        rows += [] if arguments.only_gpu else on_cpu(question, arguments)
        rows += on_gpu(question, arguments)
    publish(rows, arguments.json)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--only-gpu", action="store_true")
    add_json_option(parser)
    return parser.parse_args()


def on_cpu(question: Question, arguments: argparse.Namespace) -> Iterator[Row]:
    """Yield the rows on a CPU: fp32 in every runtime, and bf16 if the CPU has it."""
    runtimes: list[Runtime] = ["eager", *([] if arguments.no_compile else ["compile"]), "openvino"]
    settings: list[tuple[Runtime, Precision]] = [(runtime, "fp32") for runtime in runtimes]
    if has_bf16():
        settings += [("eager", "bf16"), ("openvino", "bf16")]
    batch = pictures(question, question.cpu_batch)
    yield from measure(question, settings, arguments, device="cpu", batch=batch)
    if not has_bf16():
        yield not_here(f"{question.what}, bf16", question.bf16, "a CPU with avx512_bf16 or amx_bf16")


def on_gpu(question: Question, arguments: argparse.Namespace) -> Iterator[Row]:
    """Yield the rows on a GPU: eager fp32 and bf16, and compiled bf16."""
    if not torch.cuda.is_available():
        yield not_here(f"{question.what}, bf16, GPU", question.bf16_on_gpu, "a GPU")
        return
    settings: list[tuple[Runtime, Precision]] = [("eager", "fp32"), ("eager", "bf16")]
    settings += [] if arguments.no_compile else [("compile", "bf16")]
    batch = pictures(question, question.gpu_batch)
    yield from measure(question, settings, arguments, device="cuda", batch=batch)


def measure(
    question: Question,
    settings: list[tuple[Runtime, Precision]],
    arguments: argparse.Namespace,
    *,
    device: str,
    batch: np.ndarray,
) -> Iterator[Row]:
    """Yield a row per setting; all settings are timed in turn with the released form in fp32."""
    plain = load_backbone(question.backbone, weights="random:0", device=device, precision="fp32")
    ways: dict[str, Features] = {"plain": plain_features(plain)}
    reference = ways["plain"](batch)
    differences: dict[str, float] = {}
    for runtime, precision in settings:
        name, way = f"{runtime}, {precision}", replace(plain, runtime=runtime, precision=precision).features
        try:
            differences[name] = difference(way(batch), reference)
        except AqaError as error:
            yield not_here(f"{question.what}, {name}, {device}", "", str(error))
        else:
            ways[name] = way
    calls = {name: lambda way=way: way(batch) for name, way in ways.items()}
    seconds = in_turn(calls, rounds=arguments.rounds)
    aims = {
        ("cpu", "fp32"): question.fp32,
        ("cpu", "bf16"): question.bf16,
        ("cuda", "fp32"): "",
        ("cuda", "bf16"): question.bf16_on_gpu,
    }
    for name, apart in differences.items():
        ceiling = highest_rate(torch.bfloat16 if name.endswith("bf16") else torch.float32, device)
        rate = 2 * plain.backbone.cost.gflops * len(batch) / statistics.median(seconds[name])
        yield Row(
            what=f"{question.what}, {name}, {device}, features within {apart:.0e}",
            at_least=aims[device, name.rpartition(" ")[2]],
            reached=times_as_fast(seconds["plain"], seconds[name]),
            plain=milliseconds(seconds["plain"], per=len(batch)),
            ours=milliseconds(seconds[name], per=len(batch)),
            ceiling=f"{rate / ceiling:.0%} of {ceiling:.0f} GFLOP/s",
        )


def pictures(question: Question, number: int) -> np.ndarray:
    """Return noise that changes slowly in space; features of white noise would all be alike."""
    backbone = get_backbone(question.backbone)
    frames, size = backbone.frames_per_clip, get_preprocess(backbone.preprocess["paper"]).size
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(number * (frames or 1), 3, 8, 8, generator=generator)
    smooth = nn.functional.interpolate(coarse, (size, size), mode="bilinear").mul(255).byte().movedim(1, -1)
    shape = (number, frames, size, size, 3) if frames else (number, size, size, 3)
    return smooth.reshape(shape).contiguous().numpy()


def difference(features: np.ndarray, reference: np.ndarray) -> float:
    """Return the norm of the difference relative to the norm of the reference."""
    return float(np.linalg.norm(features - reference) / np.linalg.norm(reference))


if __name__ == "__main__":
    main()
