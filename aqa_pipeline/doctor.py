"""Find what this machine has and what it lacks: the facts behind `aqa doctor`."""

import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from aqa_pipeline.disk.free_space import existing_part, free_bytes
from aqa_pipeline.errors import AqaError
from aqa_pipeline.installation import install_command
from aqa_pipeline.plurals import counted
from aqa_pipeline.records import Dataset
from aqa_pipeline.store import Store

GIB = 1 << 30
# pip has no such option, and torch's build for CUDA cannot be imported without its libraries.
CPU_TORCH = (
    "torch's CUDA libraries (3 GB) are not used: `uv pip install --torch-backend cpu torch torchvision` "
    "leaves them out"
)
State = Literal["has", "lacks", "broken"]


@dataclass(frozen=True)
class Finding:
    """One fact. `lacks` is not an error: the text says what the topic is needed for and how to get it."""

    topic: str
    state: State
    text: str


def examine(*, data: Path, store: Path) -> Iterator[Finding]:
    """Yield findings on the machine, the libraries, the weights, and the folders of data and features."""
    yield from _machine(store)
    yield from _accelerator()
    yield from _libraries()
    yield from _weights()
    yield from _datasets(data)
    yield from _store(store)


def _machine(store: Path) -> Iterator[Finding]:
    python = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    yield Finding("python", "has", f"{python}, {len(_usable_cores())} usable cores")
    where = existing_part(store)
    free = free_bytes(where)
    state: Literal["has", "lacks"] = "has" if free > GIB else "lacks"
    yield Finding("disk", state, f"{free / GIB:.1f} GiB free for features at {where}")


def _usable_cores() -> set[int]:
    if sys.platform == "linux":
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def _accelerator() -> Iterator[Finding]:
    import torch

    if not torch.cuda.is_available():
        text = f"no CUDA device (torch {torch.__version__}): networks run on the CPU, much slower"
        unused = f"; {CPU_TORCH}" if torch.version.cuda else ""
        yield Finding("gpu", "lacks", f"{text}{unused}")
    for index in range(torch.cuda.device_count()):
        facts = torch.cuda.get_device_properties(index)
        yield Finding("gpu", "has", f"cuda:{index} {facts.name}, {facts.total_memory / GIB:.0f} GiB")


LIBRARIES = {  # optional libraries: the extra that installs the library, and what it is for
    "decord": ("decord", "reads mp4 files with --reader decord; not needed, PyAV reads every video"),
    "mlflow": ("mlflow", "runs --log mlflow"),
    "openvino": ("openvino", "runs networks faster on a CPU, and runs exported YOLO folders"),
    "pytorchvideo": ("pytorchvideo", "has the backbones SlowFast, X3D, MViT ..."),
    "pyarrow": ("ray-train", "runs aqa fit --engine ray --together (Ray Train)"),
    "ray": ("ray", "runs --engine ray"),
    "tensorboard": ("tensorboard", "runs --log tensorboard"),
    "torchcodec": ("torchcodec", "decodes JPEG pictures on a GPU while a network is fine-tuned"),
    "transformers": ("transformers", "has the backbones V-JEPA 2, VideoPrism, SigLIP 2 and DINOv3"),
    "ultralytics": ("yolo", "runs the detector `yolo` (AGPL-3.0); --detector torchvision works without it"),
    "xlrd": ("xls", "reads .xls label files (FR-FS)"),
}


def _libraries() -> Iterator[Finding]:
    yield Finding("av", "has", f"{version('av')}: reads every video (PyAV)")
    for name, (extra, purpose) in LIBRARIES.items():
        try:
            yield Finding(name, "has", f"{version(name)}: {purpose}")
        except PackageNotFoundError:
            yield Finding(name, "lacks", f"{purpose} ({install_command(extra)})")


def _weights() -> Iterator[Finding]:
    from aqa_pipeline.weights import status, verify, weights_folder

    folder = weights_folder()
    if not any(each.present and each.path.parent == folder for each in status()):
        text = f"none in {folder}: the papers' networks need them (see `aqa weights list`)"
        yield Finding("weights", "lacks", text)
    for name, state in verify():
        yield Finding(f"weights {name}", "has" if state == "ok" else "broken", state)


def _datasets(data: Path) -> Iterator[Finding]:
    from aqa_pipeline.datasets import DATASETS, load_dataset

    for name in DATASETS:
        root = data / name
        if not root.is_dir():
            yield Finding(f"dataset {name}", "lacks", f"no folder {root} (see `aqa datasets list`)")
            continue
        yield _finding(f"dataset {name}", partial(_videos, load_dataset, name, root))


def _videos(load: Callable[[str, Path], Dataset], name: str, root: Path) -> tuple[State, str]:
    videos = load(name, root).videos
    num_present = sum(video.path.exists() for video in videos)
    return "has" if num_present else "lacks", f"{num_present} of {counted(len(videos), 'video')} at {root}"


def _store(store: Path) -> Iterator[Finding]:
    if not store.exists():
        yield Finding("store", "lacks", f"no features yet at {store} (see `aqa extract --help`)")
        return
    yield _finding("store", lambda: ("has", f"{counted(_count_records(Store(store)), 'record')} at {store}"))


def _count_records(store: Store) -> int:
    return sum(row.num_records for row in store.contents())


def _finding(topic: str, examine_topic: Callable[[], tuple[State, str]]) -> Finding:
    try:
        return Finding(topic, *examine_topic())
    except AqaError as error:
        return Finding(topic, "broken", str(error))
