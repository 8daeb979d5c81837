"""The labels of one row: a mark that is missing or cannot be read costs its own label, not the row."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from aqa_pipeline.datasets.reading.marks import is_missing
from aqa_pipeline.datasets.reading.rows import finite_number
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import Target, Video

NUM_NAMED = 10


@dataclass(frozen=True)
class RowLabels:
    """The marks of a row by column, and why others of it could not be read."""

    values: Mapping[str, float]
    unread: tuple[str, ...] = field(default=(), compare=False)


def read_labels(cells: Mapping[str, str], *, read: Callable[..., float] = finite_number) -> RowLabels:
    """Return the marks of the cells by column; `read(text, name=column)` reads one that is not missing.

    Raises `DatasetError` if some cannot be read and there is no other.
    """
    values: dict[str, float] = {}
    unread: list[str] = []
    for column, text in cells.items():
        if is_missing(text):
            continue
        try:
            values[column] = read(text, name=column)
        except DatasetError as error:
            unread.append(str(error))
    if unread and not values:
        raise DatasetError("; ".join(unread))
    return RowLabels(values, tuple(unread))


def without_labels(targets: Sequence[Target], videos: Sequence[Video]) -> Iterator[str]:
    """Yield a sentence per target that some videos have no mark of."""
    for target in targets:
        without = [video.video_id for video in videos if target.name not in video.labels]
        if without:
            shown = ", ".join(without[:NUM_NAMED]) + (", ..." if len(without) > NUM_NAMED else "")
            yield (
                f"{len(without)} of {len(videos)} videos have no {target.name}: {shown}. They are extracted, "
                "and left out where it is learned."
            )
