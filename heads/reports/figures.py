"""How figures look and where they go: one SVG and one PNG each, the SVG with colours that follow the page."""

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aqa_pipeline.store import write_whole
from heads.reports.labels import num_lines

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The hues of Okabe & Ito, 2008, for any colour vision; of a lightness that stands out on white and on black.
COLOURS = ("#3b82c4", "#d9662b", "#1f9d78", "#b565a7", "#c9900c", "#4aa3d8")
INK, QUIET = "#1b2028", "#7d8794"
DARK_INK = "#e8ebf0"
STYLE: dict[Any, Any] = {  # matplotlib spells its hundreds of keys out as a Literal
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
    "figure.constrained_layout.w_pad": 0.08,  # inches: a layout of two rounds leaves labels some points off
}
PNG_DPI = 150
ROWS_WIDTH, ROW, LINE = 6.4, 0.32, 0.18  # inches: a plot of rows, a row, each further line of its label
# For names that matplotlib's own font has no signs for; those that are installed are asked in this order.
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
    """A finished plot: what it shows, in words for those who do not see it, and its SVG."""

    name: str
    title: str
    alt: str
    svg: str

    @property
    def svg_of_page(self) -> str:
        """The SVG whose ink follows the reader's light or dark page."""
        style = (
            f"<style>svg{{color:{INK}}}@media(prefers-color-scheme:dark){{svg{{color:{DARK_INK}}}}}</style>"
        )
        head, separator, rest = self.svg.replace(INK, "currentColor").partition("<defs>")
        return f"{head}{style}{separator}{rest}"


@contextmanager
def plotting() -> Iterator[None]:
    """Draw in the pages' style. A sign that no installed font has becomes a box; the plot's words have it."""
    from matplotlib import font_manager, rc_context

    installed = set(font_manager.get_font_names())
    family = ["DejaVu Sans", *(font for font in FONTS if font in installed)]
    with rc_context(STYLE | {"font.family": family}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font", UserWarning)
        yield


def new_figure(width: float, height: float) -> "Figure":
    """An empty figure of that size in inches; use it inside `plotting()`."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height))


def rows_figure(labels: Sequence[str], *, above: float) -> "Figure":
    """A figure with a row for each label, and so many inches above them."""
    further = num_lines(labels) - len(labels)
    return new_figure(ROWS_WIDTH, above + ROW * len(labels) + LINE * further)


def name_across(figure: "Figure", name: str) -> None:
    """Name the horizontal axis in the middle of the figure: beside long labels the axis itself is short."""
    figure.supxlabel(name, fontsize=STYLE["font.size"])


def save_plot(figure: "Figure", folder: Path, *, name: str, title: str, alt: str) -> Plot:
    """Writes FOLDER/NAME.svg and .png, each in place only when whole."""
    folder.mkdir(parents=True, exist_ok=True)
    svg, png = io.StringIO(), io.BytesIO()
    figure.savefig(svg, format="svg", transparent=True, metadata={"Date": None, "Title": title})
    figure.savefig(png, format="png", dpi=PNG_DPI, facecolor="white")
    write_whole(folder / f"{name}.svg", svg.getvalue().encode())
    write_whole(folder / f"{name}.png", png.getvalue())
    return Plot(name, title, alt, svg.getvalue())
