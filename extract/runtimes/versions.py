"""Name the versions that determine a converted network: those of libraries, and of this package's code."""

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LIBRARIES = ("aqa-pipeline", "openvino", "pytorchvideo", "torch", "torchvision", "transformers")
ROOT = Path(__file__).parents[2]
OURS = (ROOT / "aqa_pipeline" / "backbones", ROOT / "extract" / "runtimes")  # all code on networks


def versions() -> list[str]:
    """Return `["torch 2.15.0", "openvino absent", ..., "code 6a0b..."]`."""
    return [*map(_version, LIBRARIES), f"code {_digest_of_code(*OURS)}"]


def _version(library: str) -> str:
    try:
        return f"{library} {version(library)}"
    except PackageNotFoundError:
        return f"{library} absent"


@cache
def _digest_of_code(*folders: Path) -> str:
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            content = path.read_bytes()
            digest.update(f"{folder.name}/{path.relative_to(folder)} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]
