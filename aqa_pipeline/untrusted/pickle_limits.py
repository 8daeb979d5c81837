"""What a pickle would ask of its reader, seen from its opcodes alone: nothing is built, nothing is run.

A few bytes can make any reader of pickles ask for gigabytes (a memo that begins at a billion), or search a
name of a megabyte for minutes. Both are cheap to see beforehand.
"""

import pickletools
from typing import BinaryIO

KEEPING = ("PUT", "BINPUT", "LONG_BINPUT")
NAMING = ("GLOBAL", "INST")
UNUSED_NUMBERS = 100_000  # a memo of these is a megabyte
LONGEST_NAME = 1_000  # of what a pickle wants to use: `numpy.core.multiarray._reconstruct`


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
