"""The files of a bench: results.json, .md, .csv and .tex, the page, and the critical-difference picture."""

from pathlib import Path
from tempfile import TemporaryDirectory

from aqa_pipeline.store import write_whole
from heads.bench.output.critical_difference import critical_difference_plot
from heads.bench.output.flat_rows import csv_of
from heads.bench.output.latex import latex_of
from heads.bench.output.markdown import markdown_of
from heads.bench.output.page import write_leaderboard
from heads.bench.records import BenchResults, write_results

PAGE = "leaderboard.html"


def write_files(folder: Path, results: BenchResults) -> tuple[Path, ...]:
    """Write all files into the folder; return their paths."""
    texts = {
        "results.md": markdown_of(results),
        "results.csv": csv_of(results),
        "results.tex": latex_of(results),
    }
    plot = critical_difference_plot(results.ranking, folder) if results.ranking.heads else None
    paths = [write_results(folder, results)]
    for name, text in texts.items():
        write_whole(folder / name, text.encode())
        paths.append(folder / name)
    paths.append(write_leaderboard(folder / PAGE, results, plot))
    return (*paths, *([folder / f"{plot.name}.svg", folder / f"{plot.name}.png"] if plot else []))


def write_page(path: Path, results: BenchResults) -> Path:
    """Write the page alone; return its path."""
    with TemporaryDirectory() as folder:
        plot = critical_difference_plot(results.ranking, Path(folder)) if results.ranking.heads else None
    return write_leaderboard(path, results, plot)
