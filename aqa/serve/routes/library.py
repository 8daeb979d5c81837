"""The first page: all videos of the project, and the place to drop new ones."""

from collections.abc import Sequence
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aqa.serve.library.order import COLUMNS, USUAL, filtered, next_sort, ordered
from aqa.serve.library.rows import read_library
from aqa.serve.pages import render
from aqa.serve.serving import serving_of
from aqa_pipeline.datasets.reading.video_endings import VIDEO_SUFFIXES

NAV = ("Videos", "/")
MOST_ROWS = 300  # on one page


def library(request: Request) -> Response:
    """Show the videos that `q` names, in the order `sort`: all with `all`, the table alone with `part`."""
    serving = serving_of(request)
    words, sort = request.query_params.get("q", ""), request.query_params.get("sort", USUAL)
    whole = read_library(serving)
    rows = ordered(filtered(whole.rows, words), sort)
    shown = rows if request.query_params.get("all") else rows[:MOST_ROWS]
    values = {
        "library": whole,
        "rows": shown,
        "num_found": len(rows),
        "num_scored": sum(row.label is not None for row in whole.rows),
        "label_format": _same_decimals([row.label for row in whole.rows if row.label is not None]),
        "words": words,
        "sort": sort,
        "orders": {column: next_sort(column, sort) for column in COLUMNS},
        "query": urlencode({name: value for name, value in request.query_params.items() if name != "part"}),
        "num_lacking": sum(row.lacks_score for row in whole.rows),
        "num_live": sum(row.is_live for row in whole.rows),
        "endings": ",".join(sorted(VIDEO_SUFFIXES)),
        "max_upload_bytes": serving.max_upload_bytes,
    }
    return render(request, "table.html" if request.query_params.get("part") else "library.html", values)


def _same_decimals(labels: Sequence[float]) -> str:
    """Return the format that shows all labels with the decimals of the finest one, at most three."""
    decimals = max((len(f"{label:.3f}".rstrip("0").partition(".")[2]) for label in labels), default=0)
    return f"%.{decimals}f"


ROUTES = (Route("/", library),)
