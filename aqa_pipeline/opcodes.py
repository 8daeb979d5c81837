"""What a pickle would ask of its reader, seen from its opcodes alone: nothing is built, nothing is run.

A few bytes can make any reader of pickles ask for gigabytes (a memo that begins at a billion), or search a
name of a megabyte for minutes. Both are cheap to see beforehand.
"""

import pickletools
from pathlib import Path
from typing import BinaryIO
from zipfile import ZipFile, is_zipfile

KEEPING = ("PUT", "BINPUT", "LONG_BINPUT")
NAMING = ("GLOBAL", "INST")
UNUSED_NUMBERS = 100_000  # a memo of these is a megabyte
LONGEST_NAME = 1_000  # of what a pickle wants to use: `numpy.core.multiarray._reconstruct`
MOST_PICKLES = 5  # of a checkpoint that torch wrote before version 1.6; raw numbers follow them
LARGEST_RATIO = 50  # of what an archive unpacks to: torch stores its members as they are


def excess_of_pickle(file: BinaryIO) -> str | None:
    """Why the pickle that begins here cannot be read in bounded time and memory, or None.

    The file is left behind its end. Raises what `pickletools.genops` raises for bytes that are no pickle.
    """
    for num_before, (opcode, argument, _) in enumerate(pickletools.genops(file)):
        if opcode.name in KEEPING and int(argument or 0) > num_before + UNUSED_NUMBERS:
            return f"it keeps value number {argument:,}, and has made {num_before:,} at most"
        if opcode.name in NAMING and len(str(argument)) > LONGEST_NAME:
            return f"it wants to use a name of {len(str(argument)):,} letters"
    return None


def excess_of_checkpoint(path: Path) -> str | None:
    """The same of a checkpoint of torch, old or new.

    Raises what zipfile and pickletools raise for a damaged one; torch need not see it then.
    """
    return _excess_of_archive(path) if is_zipfile(path) else _excess_of_old_checkpoint(path)


def _excess_of_archive(path: Path) -> str | None:
    with ZipFile(path) as archive:
        members, size = archive.infolist(), path.stat().st_size
        if (unpacked := sum(member.file_size for member in members)) > LARGEST_RATIO * size:
            return f"its {size:,} bytes unpack to {unpacked:,}"
        for member in members:
            if member.filename.endswith("data.pkl"):
                with archive.open(member) as file:
                    return excess_of_pickle(file)  # type: ignore[arg-type]
    return None


def _excess_of_old_checkpoint(path: Path) -> str | None:
    with path.open("rb") as file:
        for _ in range(MOST_PICKLES):
            if excess := excess_of_pickle(file):
                return excess
            if file.tell() == path.stat().st_size:
                break
    return None
