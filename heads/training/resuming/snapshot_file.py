"""The file of a snapshot: named tensors and JSON in one safetensors file, which runs no code when it is read.

The header holds the JSON and a SHA-256 of it and of all tensors, because a safetensors file with changed
numbers can still be read.
"""

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from aqa_pipeline.disk.files import whole_file
from aqa_pipeline.untrusted.bounded_files import check_bounded

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Tensors on the CPU by name, and everything else as JSON values."""

    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]

    def part(self, name: str) -> dict[str, Tensor]:
        """Return the tensors whose names begin with `name/`, without that beginning."""
        prefix = f"{name}/"
        return {
            each.removeprefix(prefix): tensor
            for each, tensor in self.tensors.items()
            if each.startswith(prefix)
        }


@dataclass(frozen=True)
class SnapshotFile:
    """Where the snapshots of one training are, each in place of the one before.

    `identity` says by name what the training is made of: head, recipe, data.
    """

    path: Path
    identity: Mapping[str, str]

    def of(self, **more: str) -> "SnapshotFile":
        """Return the same file for a training of which more is known."""
        return replace(self, identity={**self.identity, **more})

    def write(self, snapshot: Snapshot) -> None:
        """Replace the file with this snapshot."""
        tensors = {name: tensor.cpu().contiguous() for name, tensor in snapshot.tensors.items()}
        facts = json.dumps({"identity": self.identity, "facts": snapshot.facts})
        with whole_file(self.path) as part:
            save_file(tensors, part, {"facts": facts, "sha256": _digest(tensors, facts)})
            with part.open("rb") as file:
                os.fsync(file.fileno())

    def read(self) -> Snapshot | None:
        """Return the snapshot; None if there is none, or one that is damaged or of another training.

        A snapshot that is there and not used is logged.
        """
        if not self.path.exists():
            return None
        try:
            snapshot, theirs = _read(self.path)
        except Exception as error:  # safetensors' own error type is a bare Exception
            log.warning("%s is damaged (%s) and not used: training begins with epoch 1.", self.path, error)
            return None
        names = sorted(self.identity.keys() | theirs.keys())
        others = [name for name in names if self.identity.get(name) != theirs.get(name)]
        if others:
            log.warning(
                "%s is of another training (with another %s) and not used: training begins with epoch 1.",
                self.path,
                " and another ".join(others),
            )
            return None
        return snapshot


def _read(path: Path) -> tuple[Snapshot, dict[str, str]]:
    """Return the snapshot and its identity; raise an exception of any type if the file is damaged."""
    check_bounded(path)
    with safe_open(path, "pt") as file:
        header = file.metadata() or {}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if header["sha256"] != _digest(tensors, header["facts"]):
        raise ValueError("its content does not fit its SHA-256")
    content = json.loads(header["facts"])
    return Snapshot(tensors, content["facts"]), content["identity"]


def digest_of_tensors(tensors: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of names, types, shapes and numbers, in the order of the names."""
    content = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        content.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        content.update(flat.view(torch.uint8).numpy().data if flat.numel() else b"")
    return content.hexdigest()


def _digest(tensors: Mapping[str, Tensor], facts: str) -> str:
    return hashlib.sha256((digest_of_tensors(tensors) + facts).encode()).hexdigest()
