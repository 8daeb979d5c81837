"""Identify a file by a published digest of its bytes."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from aqa_pipeline.untrusted.bounded_files import open_bounded

CHUNK_BYTES = 1 << 20

IdentityKind = Literal["sha256", "sha256_prefix", "git_blob"]


@dataclass(frozen=True)
class Identity:
    """A published digest: a SHA-256, its first digits (file names of torch.hub), or a git blob id."""

    kind: IdentityKind
    digest: str

    def __post_init__(self) -> None:
        shortest, longest = {"sha256": (64, 64), "sha256_prefix": (8, 64), "git_blob": (40, 40)}[self.kind]
        is_hex = not set(self.digest) - set("0123456789abcdef")
        if not (is_hex and shortest <= len(self.digest) <= longest):
            raise ValueError(f"{self.digest!r} is not a {self.kind}")

    def digest_of(self, path: Path) -> str:
        """Return the digest of a file, of the same kind and length as `digest`."""
        return _DIGESTS[self.kind](path)[: len(self.digest)]


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, 64 hex digits."""
    with open_bounded(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of_any(path: Path) -> str:
    """Return the SHA-256 of a file. For a folder, it covers the names and digests of its files."""
    if path.is_file():
        return sha256_of(path)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    listing = "".join(f"{sha256_of(file)}  {file.relative_to(path).as_posix()}\n" for file in files)
    return hashlib.sha256(listing.encode()).hexdigest()


def git_blob_of(path: Path) -> str:
    """Return the blob id of git, 40 hex digits. A git tree lists it, so it is known without the file."""
    digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with open_bounded(path) as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


_DIGESTS: dict[IdentityKind, Callable[[Path], str]] = {
    "sha256": sha256_of,
    "sha256_prefix": sha256_of,
    "git_blob": git_blob_of,
}
