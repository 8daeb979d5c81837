"""Converted networks, kept beside the weights: converting one takes longer than a short video does.

A kept file can't be stale: its name is a digest of all that a conversion depends on, the weights and our
source code among it. Nor can it be damaged unseen: its own digest stands before it. Importing this imports no
torch, for where one is kept neither that nor the network is needed.
"""

import hashlib
import logging
import os
from pathlib import Path

from aqa_pipeline.store import write_whole
from aqa_pipeline.weights import aqa_home
from extract.runtimes.program import Program
from extract.runtimes.versions import versions

log = logging.getLogger(__name__)

NUM_DIGITS = 16  # of the two digests in a name
NUM_KEPT = 8  # those used last; I3D has 76 MB, ResNet-50 94 MB
NUM_DIGEST_BYTES = hashlib.sha256().digest_size


def conversion_name(program: Program, shape: tuple[int, ...]) -> str:
    """What the conversion for such inputs is kept under: a digest of the network, and one of the rest."""
    rest = (program.output, program.precision, program.mean, program.std, shape)
    return f"{_digest_of_network(program.weights)}-{_short_digest(*rest)}"


def is_any_kept(weights: str) -> bool:
    """Whether a network with those weights was ever converted by this very code: then it has been loaded."""
    return any(_path("").parent.glob(f"{_digest_of_network(weights)}-*"))


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


def _digest_of_network(weights: str) -> str:
    return _short_digest(weights, *versions())


def _short_digest(*facts: object) -> str:
    return hashlib.sha256("\n".join(map(str, facts)).encode()).hexdigest()[:NUM_DIGITS]
