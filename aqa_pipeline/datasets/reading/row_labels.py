"""Read the labels of one row.

A mark that is missing or unreadable removes only its own label, not the row.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from aqa_pipeline.datasets.reading.field_values import finite_number
from aqa_pipeline.datasets.reading.marks import is_missing
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import Target, Video

NUM_NAMED = 10


@dataclass(frozen=True)
class RowLabels:
    """The marks of a row by column, and why others of its marks could not be read."""

    values: Mapping[str, float]
    unread: tuple[str, ...] = field(default=(), compare=False)


def read_labels(fields: Mapping[str, str], *, read: Callable[..., float] = finite_number) -> RowLabels:
    """Return the marks of the fields by column. `read(text, name=column)` reads a field that is not missing.

    Raises `DatasetError` if a field cannot be read and the row has no other mark.
    """
    values: dict[str, float] = {}
    unread: list[str] = []
    for column, text in fields.items():
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
    """Yield one sentence for each target for which some videos have no mark."""
    for target in targets:
        without = [video.video_id for video in videos if target.name not in video.labels]
        if without:
            shown = ", ".join(without[:NUM_NAMED]) + (", ..." if len(without) > NUM_NAMED else "")
            yield (
                f"{len(without)} of {len(videos)} videos have no {target.name}: {shown}. They can be "
                "extracted, but are left out when a head is trained on this target."
            )
