"""Put a dataset together from the labels and files that an adapter found."""

from collections.abc import Mapping, Sequence

from aqa_pipeline.datasets.reading.file_names import FolderNames
from aqa_pipeline.datasets.reading.row_labels import without_labels
from aqa_pipeline.records import Dataset, Split, Target, Video


def assemble_dataset(
    name: str,
    names: FolderNames,
    *,
    targets: Sequence[Target],
    videos: Sequence[Video],
    splits: Mapping[str, Split],
    problems: Sequence[str],
    default_splits: Sequence[str] | None = None,
) -> Dataset:
    """Return the dataset with what is to say of spellings and of videos without labels.

    `problems` are the rows that cannot be used. Without `default_splits`, all splits are default splits.
    """
    return Dataset(
        name=name,
        root=names.root,
        videos=tuple(videos),
        splits=splits,
        targets=tuple(targets),
        problems=(*problems, *names.spellings.problems),
        notes=(*names.spellings.notes, *without_labels(targets, videos)),
        default_splits=tuple(splits if default_splits is None else default_splits),
    )
