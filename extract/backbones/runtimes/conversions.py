"""Converted networks, kept beside the weights: converting one takes longer than a short video does.

A kept file can't be stale: its name is a digest of all that a conversion depends on, the weights and the
source code among it. Nor can it be damaged unseen: its own digest stands before it.
"""

import hashlib
import inspect
import logging
import os
from functools import cache
from pathlib import Path

from torch import Tensor, nn

from aqa_pipeline.store import write_whole
from aqa_pipeline.weights import aqa_home
from extract.backbones.runtimes.findings import versions
from extract.backbones.runtimes.pictures import FromBytes
from extract.backbones.runtimes.program import Program

log = logging.getLogger(__name__)

OURS = Path(__file__).parents[1]  # all that we have on networks
NUM_KEPT = 8  # those used last; I3D has 49 MB, ResNet-50 94 MB
NUM_DIGEST_BYTES = hashlib.sha256().digest_size


def conversion_name(program: Program, example: Tensor) -> str:
    """What the conversion for inputs of that size is kept under."""
    network = program.network
    facts = (program.identity, program.precision, program.mean, program.std, tuple(example.shape), network)
    digest = hashlib.sha256("\n".join([*map(str, facts), *versions()]).encode())
    for path in sorted(_source_files(network)):
        digest.update(_digest_of_file(path))
    for name, tensor in network.state_dict().items():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.contiguous().numpy())
    return digest.hexdigest()[:32]


def recall_conversion(name: str) -> bytes | None:
    """What was kept under that name, if it is there and sound."""
    path = _path(name)
    try:
        content = path.read_bytes()
        os.utime(path)
    except OSError:
        return None
    digest, converted = content[:NUM_DIGEST_BYTES], content[NUM_DIGEST_BYTES:]
    return converted if hashlib.sha256(converted).digest() == digest else None


def keep_conversion(name: str, converted: bytes) -> None:
    """Keeps it, and of all only those used last; where the folder cannot be written nothing is kept."""
    path = _path(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, hashlib.sha256(converted).digest() + converted)
        kept = sorted(path.parent.glob(f"*{path.suffix}"), key=lambda path: path.stat().st_mtime)
        for old in kept[:-NUM_KEPT]:
            old.unlink(missing_ok=True)
    except OSError as error:
        log.info("the converted network is not kept: %s", error)


def _path(name: str) -> Path:
    return aqa_home() / "converted" / f"{name}.openvino"


def _source_files(network: nn.Module) -> set[Path]:
    """The files that the network's classes stand in, and all of ours on networks."""
    classes = {type(module) for module in network.modules()} | {FromBytes}
    files = {inspect.getsourcefile(each) for each in classes}
    return {Path(file) for file in files if file} | set(OURS.rglob("*.py"))


@cache
def _digest_of_file(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()
