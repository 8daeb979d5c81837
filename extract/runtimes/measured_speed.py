"""Store what `auto` measured on this machine beside the weights, so that the next start need not measure."""

import json
import logging
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

from aqa_pipeline.store import write_whole
from aqa_pipeline.untrusted.bounded_files import RUN_BYTES, read_bounded_json
from aqa_pipeline.weights import aqa_home
from extract.runtimes.program import Program
from extract.runtimes.threads import num_threads
from extract.runtimes.versions import versions

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Finding:
    """OpenVINO compared with eager torch on one program.

    `speedup` is eager's time over OpenVINO's. `difference` and `difference_of_eager` are the distances of
    OpenVINO's and eager's features from those of the unfolded network in fp32, relative to their norm.
    """

    speedup: float
    difference: float
    difference_of_eager: float


def recall(program: Program) -> Finding | None:
    """Return the stored finding for this program, machine and these versions; None if there is none."""
    known = _read(_path()).get(_key(program))
    try:
        return Finding(**known) if isinstance(known, dict) else None
    except TypeError:  # written by another version
        return None


def remember(program: Program, finding: Finding) -> None:
    """Store the finding. If the folder cannot be written, log it: the next start measures again."""
    path = _path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        found = _read(path) | {_key(program): asdict(finding)}
        write_whole(path, json.dumps(found, indent=1, sort_keys=True).encode())
    except OSError as error:
        log.info("the measured speeds of runtimes are not stored: %s", error)


def _path() -> Path:
    return aqa_home() / "runtimes.json"


def _read(path: Path) -> dict[str, object]:
    try:
        found = read_bounded_json(path, most_bytes=RUN_BYTES)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _key(program: Program) -> str:
    machine = f"{platform.node()} {platform.machine()}, {num_threads()} threads"
    return " | ".join([program.identity, program.precision, machine, *versions()])
