"""Times and intervals on the command line: seconds, or minutes and seconds."""

import math
import re
from typing import Any

import click

TIME = r"(?:(\d+):)?(\d+(?:\.\d+)?)"
INTERVAL = re.compile(f"{TIME}-{TIME}")


class Seconds(click.ParamType):
    """The type of an option that takes a time: 66.4 or 1:06.4."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the time in seconds; fail for other forms."""
        if isinstance(value, float):
            return value
        match = re.fullmatch(TIME, str(value).strip())
        seconds = _seconds(*match.groups()) if match else math.inf
        if seconds == math.inf:
            self.fail(f"expected seconds such as 6.4, or 1:06.4; got {value!r}.", param, ctx)
        return seconds


SECONDS = Seconds()


def parse_interval(text: str, *, option: str = "--clip") -> tuple[float, float]:
    """Return '1:06.4-1:09.6' as (66.4, 69.6), in seconds; raise `UsageError` for other forms."""
    match = INTERVAL.fullmatch(text.strip())
    if match is None:
        raise click.UsageError(f"{option} wants START-STOP in seconds, such as 6.4-9.6; got {text!r}.")
    first, second, third, fourth = match.groups()
    start, stop = _seconds(first, second), _seconds(third, fourth)
    if not start < stop < math.inf:
        raise click.UsageError(f"{option} {text}: the end is not after the start.")
    return start, stop


def _seconds(minutes: str | None, seconds: str) -> float:
    return 60 * int(minutes or 0) + float(seconds)
