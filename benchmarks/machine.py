"""Describe this machine, and measure its highest rates of matrix products and convolutions.

    python -m benchmarks.machine

The rates are the ceilings of all other benchmarks. GFLOP/s count a multiply-add as two operations.
"""

import argparse
import os
import platform
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from aqa_pipeline.precision import cpu_has_bf16
from benchmarks.rows import Row, add_json_option, publish, timed

LIBRARIES = ("torch", "torchvision", "openvino", "numpy", "av", "opencv-python", "h5py")
FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16")
REPEATS = 7


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_json_option(parser)
    target = parser.parse_args().json
    print("\n".join(facts()) + "\n")
    publish(list(ceilings()), target)


def facts() -> list[str]:
    """Return lines on the processor, the libraries and the load of the machine."""
    lines = [
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Python {platform.python_version()}, {platform.platform()}",
        f"CPU: {cpu_name()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads used, "
        f"{', '.join(flags()) or 'none of ' + ', '.join(FLAGS)}",
        f"Memory: {memory_gb():.0f} GB",
        "GPU: " + (torch.cuda.get_device_name() if torch.cuda.is_available() else "none"),
        "Libraries: " + ", ".join(f"{name} {version_of(name)}" for name in LIBRARIES),
    ]
    return [*lines, f"Load when the measurements began: {os.getloadavg()[0]:.1f}"]


def cpu_name() -> str:
    """Return the processor's name."""
    return next(iter(_cpu_lines("model name")), platform.processor() or platform.machine())


def flags() -> list[str]:
    """Return the instruction sets of `FLAGS` that this CPU has."""
    known = next(iter(_cpu_lines("flags")), "").split()
    return [flag for flag in FLAGS if flag in known]


def has_bf16() -> bool:
    """Return True if this CPU multiplies in bf16. Otherwise torch emulates it slowly, or refuses."""
    return bool({"avx512_bf16", "amx_bf16"} & set(flags())) and cpu_has_bf16()


def _cpu_lines(key: str) -> Iterator[str]:
    path = Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == key:
                yield value.strip()


def memory_gb() -> float:
    """Return the machine's memory in GB; nan on Windows."""
    if sys.platform == "win32":
        return float("nan")
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def version_of(library: str) -> str:
    """Return the library's version, or `absent`."""
    try:
        return version(library)
    except PackageNotFoundError:
        return "absent"


def ceilings() -> Iterator[Row]:
    """Yield a row per device, precision and kind of product with the highest rate."""
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    for device in devices:
        precisions = [torch.float32, *([torch.bfloat16] if device == "cuda" or has_bf16() else [])]
        for dtype in precisions:
            for name, rate in (("product of matrices", product_rate), ("3x3 convolution", convolution_rate)):
                what = f"{name}, {str(dtype).removeprefix('torch.')}, {device}"
                yield Row(what, "", f"{rate(dtype, device):.0f} GFLOP/s", "", "")


def product_rate(dtype: torch.dtype, device: str) -> float:
    """Return the GFLOP/s of `torch.mm`."""
    size = 2048 if device == "cpu" else 8192
    left, right = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    return _rate(lambda: left @ right, flop=2 * size**3, device=device)


def convolution_rate(dtype: torch.dtype, device: str) -> float:
    """Return the GFLOP/s of a convolution with 256 channels, channels last."""
    batch, channels, size = (4 if device == "cpu" else 256), 256, 56
    pictures = torch.randn(batch, channels, size, size, device=device)
    kernel = torch.randn(channels, channels, 3, 3, device=device)
    last = [each.to(dtype).contiguous(memory_format=torch.channels_last) for each in (pictures, kernel)]
    flop = 2 * batch * channels * channels * 9 * size * size
    return _rate(lambda: F.conv2d(last[0], last[1], padding=1), flop=flop, device=device)


@cache
def highest_rate(dtype: torch.dtype, device: str) -> float:
    """Return the highest measured GFLOP/s of this machine."""
    return max(product_rate(dtype, device), convolution_rate(dtype, device))


def _rate(work: Callable[[], Tensor], *, flop: float, device: str) -> float:
    def once() -> None:
        with torch.inference_mode():
            work()
        if device != "cpu":
            torch.cuda.synchronize()

    once()
    return flop / min(timed(once) for _ in range(REPEATS)) / 1e9


if __name__ == "__main__":
    main()
