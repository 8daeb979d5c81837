"""Arrange tiles in a grid below a title, and the colors that all sheets share."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

MARGIN, HEADER_HEIGHT = 10, 60  # in pixels; the header's height holds one line of facts
LINE_HEIGHT = 18
COLUMNS = 4
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
PAPER, INK, QUIET = (250, 250, 248), (30, 34, 40), (91, 100, 114)
MARK, ALARM = (255, 90, 31), (200, 20, 40)  # of a person's box or quad; of what needs a look


def compose_sheet(
    tiles: Sequence[Image.Image], *, title: str, facts: str, empty_width: int = 300
) -> Image.Image:
    """Return a sheet of the tiles in reading order, four a row, every place as large as the largest tile."""
    width = max((tile.width for tile in tiles), default=empty_width) + MARGIN
    height = max((tile.height for tile in tiles), default=0) + MARGIN
    num_rows, num_columns = -(-len(tiles) // COLUMNS), max(2, min(COLUMNS, len(tiles)))
    sheet_width, font = num_columns * width + MARGIN, ImageFont.load_default(14)
    lines = wrapped(facts, font, width=sheet_width - 2 * MARGIN)
    header_height = HEADER_HEIGHT + (len(lines) - 1) * LINE_HEIGHT
    sheet = Image.new("RGB", (sheet_width, header_height + num_rows * height + MARGIN), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, 8), title, fill=INK, font=ImageFont.load_default(20))
    draw.text((MARGIN, 34), "\n".join(lines), fill=INK, font=font)
    for at, tile in enumerate(tiles):
        row, column = divmod(at, COLUMNS)
        sheet.paste(tile, (MARGIN + column * width, header_height + row * height))
    return sheet


def wrapped(text: str, font: Font, *, width: int) -> list[str]:
    """Return the text in lines of at most `width` pixels; a longer word gets its own line.

    An empty text gives one empty line.
    """
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def even_choice(number: int, most: int) -> list[int]:
    """Return at most `most` of 0 .. number - 1, evenly spaced: 5 of 9 -> 0, 2, 4, 6, 8."""
    return np.unique(np.linspace(0, number - 1, min(number, most)).round().astype(int)).tolist()
