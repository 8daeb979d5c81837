"""Format plain text tables for the terminal."""

from collections.abc import Sequence


def format_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return the table as text. Columns of numbers are aligned to the right."""
    lines_of_values = [list(header), *([str(value) for value in row] for row in rows)]
    columns = list(zip(*lines_of_values, strict=True))
    widths = [max(map(len, column)) for column in columns]
    to_right = [len(column) > 1 and all(_is_number(value) for value in column[1:]) for column in columns]
    lines = [
        "  ".join(
            value.rjust(width) if right else value.ljust(width)
            for value, width, right in zip(values, widths, to_right, strict=True)
        ).rstrip()
        for values in lines_of_values
    ]
    return "\n".join([lines[0], "-" * len("  ".join("x" * width for width in widths)), *lines[1:]])


def _is_number(value: str) -> bool:
    return value[:1].isdigit() or (value[:1] in "+-" and value[1:2].isdigit())
