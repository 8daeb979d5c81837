"""Measure how fast each backbone runs: eager fp32 and other settings with the same features, in one run.

    python -m benchmarks.backbones                          every network that takes a clip
    python -m benchmarks.backbones r3d_18 x3d_s --rounds 5  these two

The settings are: the network as built; its input in channels-last order; batch normalization folded into
the convolutions (if torch.fx can trace the network); compiled with frozen weights (if there is a compiler).
A star marks the fastest setting whose features are within the tolerance of the first setting's. Weights are
random, which does not change the speed. GFLOP/s count a multiply-add as two operations, as a peak rate does.
Compare ratios; seconds depend on the machine.
"""

import argparse
import os
import shutil
import statistics
import time
import warnings
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.fx.experimental.optimization import fuse
from torch.fx.proxy import TraceError

from aqa_pipeline.backbones import BACKBONES, Backbone
from aqa_pipeline.backbones.preprocess import get_preprocess
from aqa_pipeline.text_table import format_table
from extract.runtimes.load_backbone import load_backbone

TOLERANCE = 1e-3
HEADER = ("backbone", "setting", "clips/s", "GFLOP/s", "x eager", "difference", "fastest")


@dataclass(frozen=True)
class Setting:
    """A prepared network, and its input in the fitting memory order."""

    name: str
    network: Callable[[Tensor], Tensor]
    pictures: Tensor

    def features(self) -> Tensor:
        """Return the network's features of the input."""
        return self.network(self.pictures)


def main() -> None:
    """Run the benchmark."""
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {arguments.device}, fp32,")
    print(f"batches of {arguments.batch_size}, medians of {arguments.rounds} rounds\n")
    rows: list[tuple[object, ...]] = []
    for name in arguments.names:
        rows += measure(BACKBONES[name], arguments)
        print(f"{name}: done", flush=True)
    print()
    print(format_table(HEADER, rows))


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    clips = [name for name, backbone in BACKBONES.items() if backbone.takes == "clip"]
    parser.add_argument("names", nargs="*", default=clips, metavar="NAME", help="a name of `aqa backbones`")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=2)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument(
        "--no-compile", action="store_true", help="leave out torch.compile: minutes a network"
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - BACKBONES.keys():
        parser.error(f"unknown backbones: {', '.join(sorted(unknown))}. Known: {', '.join(BACKBONES)}")
    return arguments


@torch.no_grad()
def measure(backbone: Backbone, arguments: argparse.Namespace) -> list[tuple[object, ...]]:
    """Return a row per setting. Each round runs all settings, so that other load affects all alike."""
    settings = make_settings(backbone, arguments)
    reference = settings[0].features()
    differences = [relative_difference(setting.features(), reference) for setting in settings]  # and warm-up
    seconds: list[list[float]] = [[] for _ in settings]
    for _ in range(arguments.rounds):
        for setting, taken in zip(settings, seconds, strict=True):
            taken.append(timed(setting, arguments.device))
    medians = [statistics.median(taken) for taken in seconds]
    same = [at for at, difference in enumerate(differences) if difference <= TOLERANCE]
    fastest = min(same, key=lambda at: medians[at])
    rows = []
    for at, (setting, median) in enumerate(zip(settings, medians, strict=True)):
        clips_a_second = arguments.batch_size / median
        rows.append(
            (
                backbone.name,
                setting.name,
                f"{clips_a_second:.2f}",
                f"{2 * backbone.cost.gflops * clips_a_second:.0f}",
                f"{medians[0] / median:.2f}",
                f"{differences[at]:.1e}",
                "*" if at == fastest else "",
            )
        )
    return rows


def make_settings(backbone: Backbone, arguments: argparse.Namespace) -> list[Setting]:
    """Return the settings that this network and machine allow, plain eager first."""
    loaded = load_backbone(backbone.name, weights="random:0", device=arguments.device, precision="fp32")
    plain = loaded.network.to(memory_format=torch.contiguous_format)
    order = torch.channels_last_3d if backbone.takes == "clip" else torch.channels_last
    pictures = smooth_pictures(backbone, arguments)
    last = pictures.contiguous(memory_format=order)
    channels_last = deepcopy(plain).to(memory_format=order)
    settings = [Setting("eager", plain, pictures), Setting("channels last", channels_last, last)]
    if (folded := folded_or_none(plain)) is not None:
        settings.append(Setting("folded", folded, pictures))
        settings.append(Setting("folded, channels last", deepcopy(folded).to(memory_format=order), last))
    if not arguments.no_compile and can_compile(arguments.device):
        run = compiled_or_none(backbone.name, channels_last, last)
        settings += [] if run is None else [Setting("compiled, frozen", run, last)]
    return settings


def smooth_pictures(backbone: Backbone, arguments: argparse.Namespace) -> Tensor:
    """Return noise that changes slowly in space, (batch, 3, [frame,] height, width).

    Features of white noise would all be alike.
    """
    size = get_preprocess(backbone.preprocess["paper"]).size
    frames = backbone.frames_per_clip or 1
    generator = torch.Generator().manual_seed(0)
    coarse = torch.randn(arguments.batch_size * frames, 3, 8, 8, generator=generator)
    smooth = nn.functional.interpolate(coarse, (size, size), mode="bilinear")
    pictures = smooth.view(arguments.batch_size, frames, 3, size, size).transpose(1, 2)
    pictures = pictures if backbone.takes == "clip" else pictures[:, :, 0]
    return pictures.contiguous().to(arguments.device)


def folded_or_none(network: nn.Module) -> nn.Module | None:
    """Return the network with folded batch normalization; None if that is impossible."""
    if not any(isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d) for module in network.modules()):
        return None
    try:
        folded: nn.Module = fuse(deepcopy(network))
    except (TraceError, TypeError, RuntimeError, ValueError):  # control flow that depends on shapes
        return None
    return folded


def can_compile(device: str) -> bool:
    """Return True on a GPU, or with a C++ compiler."""
    return device != "cpu" or shutil.which(os.environ.get("CXX", "g++")) is not None


def compiled_or_none(name: str, network: nn.Module, pictures: Tensor) -> Callable[[Tensor], Tensor] | None:
    """Return the network compiled for these pictures; None, with the reason printed, if that fails."""
    import torch._inductor.config as inductor
    from torch._dynamo.exc import TorchDynamoException

    inductor.freezing = True
    torch._dynamo.reset()  # drops the cache of the previous network
    run: Callable[[Tensor], Tensor] = torch.compile(deepcopy(network))
    try:
        run(pictures)
    except TorchDynamoException as error:
        print(f"{name}: does not compile ({str(error).splitlines()[0]})")
        return None
    return run


def relative_difference(features: Tensor, reference: Tensor) -> float:
    """Return the largest difference relative to the largest reference value."""
    return ((features - reference).abs().max() / reference.abs().max()).item()


def timed(setting: Setting, device: str) -> float:
    """Return the seconds of one forward pass."""
    start = time.perf_counter()
    setting.features()
    if device != "cpu":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the compiler's warnings address its own developers
        main()
