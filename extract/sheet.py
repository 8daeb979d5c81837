"""Pictures in a grid below a title: what contact sheets and tube sheets share."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

MARGIN, HEADER_HEIGHT = 10, 60
COLUMNS = 4
PAPER, INK = (250, 250, 248), (30, 34, 40)


def compose_sheet(
    cells: Sequence[Image.Image], *, title: str, facts: str, empty_width: int = 300
) -> Image.Image:
    """The cells in reading order, four a row, all places as large as the largest cell."""
    width = max((cell.width for cell in cells), default=empty_width) + MARGIN
    height = max((cell.height for cell in cells), default=0) + MARGIN
    num_rows, num_columns = -(-len(cells) // COLUMNS), max(2, min(COLUMNS, len(cells)))
    size = (num_columns * width + MARGIN, HEADER_HEIGHT + num_rows * height + MARGIN)
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, 8), title, fill=INK, font=ImageFont.load_default(20))
    draw.text((MARGIN, 34), facts, fill=INK, font=ImageFont.load_default(14))
    for at, cell in enumerate(cells):
        row, column = divmod(at, COLUMNS)
        sheet.paste(cell, (MARGIN + column * width, HEADER_HEIGHT + row * height))
    return sheet
