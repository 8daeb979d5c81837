"""Names in plots, shortened to the room that a plot has."""

import textwrap
from collections.abc import Sequence

LINE_WIDTH, MOST_LINES = 26, 2  # characters, lines


def plain(name: str) -> str:
    """Return the name with escaped dollar signs, between which matplotlib would read mathematics."""
    return name.replace("$", r"\$")


def label(name: str) -> str:
    """Return the name in at most two lines, with an ellipsis if it is longer."""
    lines = textwrap.wrap(name, LINE_WIDTH)
    if len(lines) > MOST_LINES:
        lines = [
            *lines[: MOST_LINES - 1],
            f"{lines[MOST_LINES - 1][: LINE_WIDTH - 1]}\N{HORIZONTAL ELLIPSIS}",
        ]
    return plain("\n".join(lines))


def num_lines(labels: Sequence[str]) -> int:
    """Return the number of lines of all labels together."""
    return sum(each.count("\n") + 1 for each in labels)
