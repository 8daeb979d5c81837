"""How figures look and where they go: one SVG and one PNG each, the SVG with colours that follow the page."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aqa_pipeline.store import write_whole

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
}
PNG_DPI = 150


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


def new_figure(width: float, height: float) -> "Figure":
    """An empty figure of that size in inches; use it inside `matplotlib.rc_context(STYLE)`."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height))


def save_plot(figure: "Figure", folder: Path, *, name: str, title: str, alt: str) -> Plot:
    """Writes FOLDER/NAME.svg and .png, each in place only when whole."""
    folder.mkdir(parents=True, exist_ok=True)
    svg, png = io.StringIO(), io.BytesIO()
    figure.savefig(svg, format="svg", transparent=True, metadata={"Date": None, "Title": title})
    figure.savefig(png, format="png", dpi=PNG_DPI, facecolor="white")
    write_whole(folder / f"{name}.svg", svg.getvalue().encode())
    write_whole(folder / f"{name}.png", png.getvalue())
    return Plot(name, title, alt, svg.getvalue())
