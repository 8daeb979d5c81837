"""Names in plots: as they stand, and no longer than a plot has room for."""

import textwrap
from collections.abc import Sequence

LINE_WIDTH, MOST_LINES = 26, 2  # signs, lines


def plain(name: str) -> str:
    """Return the name as it stands: between dollar signs matplotlib would read mathematics."""
    return name.replace("$", r"\$")


def label(name: str) -> str:
    """Return the name in two lines at most, with an ellipsis where it goes on."""
    lines = textwrap.wrap(name, LINE_WIDTH)
    if len(lines) > MOST_LINES:
        lines = [
            *lines[: MOST_LINES - 1],
            f"{lines[MOST_LINES - 1][: LINE_WIDTH - 1]}\N{HORIZONTAL ELLIPSIS}",
        ]
    return plain("\n".join(lines))


def num_lines(labels: Sequence[str]) -> int:
    """Return how many lines the labels have together."""
    return sum(each.count("\n") + 1 for each in labels)
