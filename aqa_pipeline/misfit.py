"""What does not fit a typed record, in words: which field, what came and what was expected."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

NUM_SHOWN = 3  # misfits of one record
SHOWN = 40  # characters of a value that does not fit


def explain_misfit(error: ValidationError) -> str:
    """Return the first few misfits, and how many more there are."""
    misfits = list(dict.fromkeys(_in_words(misfit) for misfit in error.errors(include_url=False)))
    more = [f"{len(misfits) - NUM_SHOWN} more"] if len(misfits) > NUM_SHOWN else []
    return "; ".join([*misfits[:NUM_SHOWN], *more])


def _in_words(misfit: Mapping[str, Any]) -> str:
    name = ".".join(map(str, misfit["loc"]))
    if misfit["type"] == "missing":
        return f"it has no {name!r}"
    if misfit["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"{name!r} is no field of it"
    came = f"{name} is {str(misfit['input'])[:SHOWN]!r}, " if name else ""
    expected = str(misfit["msg"]).removeprefix("Value error, ").replace("Input should be", "expected")
    return came + expected
