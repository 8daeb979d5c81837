"""Pictures in a grid below a title: what contact sheets and tube sheets share."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

MARGIN, HEADER_HEIGHT = 10, 60  # with facts of one line
LINE_HEIGHT = 18
COLUMNS = 4
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
PAPER, INK = (250, 250, 248), (30, 34, 40)


def compose_sheet(
    cells: Sequence[Image.Image], *, title: str, facts: str, empty_width: int = 300
) -> Image.Image:
    """The cells in reading order, four a row, all places as large as the largest cell."""
    width = max((cell.width for cell in cells), default=empty_width) + MARGIN
    height = max((cell.height for cell in cells), default=0) + MARGIN
    num_rows, num_columns = -(-len(cells) // COLUMNS), max(2, min(COLUMNS, len(cells)))
    sheet_width, font = num_columns * width + MARGIN, ImageFont.load_default(14)
    lines = wrapped(facts, font, width=sheet_width - 2 * MARGIN)
    header_height = HEADER_HEIGHT + (len(lines) - 1) * LINE_HEIGHT
    sheet = Image.new("RGB", (sheet_width, header_height + num_rows * height + MARGIN), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, 8), title, fill=INK, font=ImageFont.load_default(20))
    draw.text((MARGIN, 34), "\n".join(lines), fill=INK, font=font)
    for at, cell in enumerate(cells):
        row, column = divmod(at, COLUMNS)
        sheet.paste(cell, (MARGIN + column * width, header_height + row * height))
    return sheet


def wrapped(text: str, font: Font, *, width: int) -> list[str]:
    """The text in lines that are no wider than so many pixels, but for single words; at least one line."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
