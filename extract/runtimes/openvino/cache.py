"""Cache converted networks beside the weights: a conversion takes longer than extracting a short video.

A cached file cannot be outdated: its name is a digest of all that a conversion depends on, including the
weights and this package's code. Damage is noticed: the file begins with a digest of its content. Importing
this imports no torch, because a cached network is run without torch.
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

NUM_DIGITS = 16  # of each of the two digests in a file's name
NUM_KEPT = 8  # files, those used last; I3D has 76 MB, ResNet-50 94 MB
NUM_DIGEST_BYTES = hashlib.sha256().digest_size


def conversion_name(program: Program, shape: tuple[int, ...]) -> str:
    """Return the name of a conversion for inputs of that shape: digests of the network and of the rest."""
    rest = (program.output, program.precision, program.mean, program.std, shape)
    return f"{_digest_of_network(program.weights)}-{_short_digest(*rest)}"


def is_any_kept(weights: str) -> bool:
    """Return True if this code has cached a conversion of a network with those weights."""
    return any(_path("").parent.glob(f"{_digest_of_network(weights)}-*"))


def recall_conversion(name: str) -> bytes | None:
    """Return the cached content under that name; None if it is missing or damaged."""
    path = _path(name)
    try:
        content = path.read_bytes()
        os.utime(path)
    except OSError:
        return None
    digest, converted = content[:NUM_DIGEST_BYTES], content[NUM_DIGEST_BYTES:]
    return converted if hashlib.sha256(converted).digest() == digest else None


def keep_conversion(name: str, converted: bytes) -> None:
    """Cache the content, and delete all but the files used last. Log it if the folder cannot be written."""
    path = _path(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, hashlib.sha256(converted).digest() + converted)
        kept = sorted(path.parent.glob(f"*{path.suffix}"), key=lambda path: path.stat().st_mtime)
        for old in kept[:-NUM_KEPT]:
            old.unlink(missing_ok=True)
    except OSError as error:
        log.info("the converted network is not cached: %s", error)


def _path(name: str) -> Path:
    return aqa_home() / "converted" / f"{name}.openvino"


def _digest_of_network(weights: str) -> str:
    return _short_digest(weights, *versions())


def _short_digest(*facts: object) -> str:
    return hashlib.sha256("\n".join(map(str, facts)).encode()).hexdigest()[:NUM_DIGITS]
