"""The style and the files of figures: one SVG and one PNG each; the SVG follows a light or dark page."""

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aqa_pipeline.store import write_whole
from heads.reports.plot_labels import num_lines

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Hues of Okabe & Ito, 2008, for any color vision, with a lightness that stands out on white and on black.
COLORS = ("#3b82c4", "#d9662b", "#1f9d78", "#b565a7", "#c9900c", "#4aa3d8")
INK, QUIET = "#1b2028", "#7d8794"
DARK_INK = "#e8ebf0"
STYLE: dict[Any, Any] = {  # matplotlib types its hundreds of keys as a Literal
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.titlesize": 10,
    "axes.edgecolor": QUIET,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": QUIET,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "svg.hashsalt": "aqa",
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.w_pad": 0.08,  # inches; the layout may place labels some points off
}
PNG_DPI = 150
ROWS_WIDTH, ROW, LINE = (
    6.4,
    0.32,
    0.18,
)  # inches: the width of a plot with rows, the height of a row, of each further line of its label
# Fallback fonts for characters that matplotlib's own font lacks; the installed ones are used in this order.
FONTS = (
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Hiragino Sans",
    "Yu Gothic",
    "Microsoft YaHei",
    "PingFang SC",
    "Malgun Gothic",
    "Arial Unicode MS",
    "WenQuanYi Zen Hei",
    "IPAGothic",
)


@dataclass(frozen=True)
class Plot:
    """A finished plot: its SVG, and `alt`, which says in words what it shows."""

    name: str
    title: str
    alt: str
    svg: str

    @property
    def svg_of_page(self) -> str:
        """The SVG with text in the color of the page, light or dark."""
        style = (
            f"<style>svg{{color:{INK}}}@media(prefers-color-scheme:dark){{svg{{color:{DARK_INK}}}}}</style>"
        )
        head, separator, rest = self.svg.replace(INK, "currentColor").partition("<defs>")
        return f"{head}{style}{separator}{rest}"


@contextmanager
def plotting() -> Iterator[None]:
    """Set the style of the pages while drawing.

    A character that no installed font has becomes a box without a warning; the alternative text still has it.
    """
    from matplotlib import font_manager, rc_context

    installed = set(font_manager.get_font_names())
    family = ["DejaVu Sans", *(font for font in FONTS if font in installed)]
    with rc_context(STYLE | {"font.family": family}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font", UserWarning)
        yield


def new_figure(width: float, height: float) -> "Figure":
    """Return an empty figure of that size in inches; call it inside `plotting()`."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height))


def rows_figure(labels: Sequence[str], *, above: float) -> "Figure":
    """Return a figure with a row for each label, and `above` inches above the rows."""
    further = num_lines(labels) - len(labels)
    return new_figure(ROWS_WIDTH, above + ROW * len(labels) + LINE * further)


def name_across(figure: "Figure", name: str) -> None:
    """Name the horizontal axis at the middle of the figure, because long labels leave a short axis."""
    figure.supxlabel(name, fontsize=STYLE["font.size"])


def save_plot(figure: "Figure", folder: Path, *, name: str, title: str, alt: str) -> Plot:
    """Write FOLDER/NAME.svg and FOLDER/NAME.png, each atomically, and return the plot."""
    folder.mkdir(parents=True, exist_ok=True)
    svg, png = io.StringIO(), io.BytesIO()
    figure.savefig(svg, format="svg", transparent=True, metadata={"Date": None, "Title": title})
    figure.savefig(png, format="png", dpi=PNG_DPI, facecolor="white")
    write_whole(folder / f"{name}.svg", svg.getvalue().encode())
    write_whole(folder / f"{name}.png", png.getvalue())
    return Plot(name, title, alt, svg.getvalue())
