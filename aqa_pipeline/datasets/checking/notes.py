"""What a person must know of a dataset's labels and videos after an extraction."""

from collections.abc import Sequence

from aqa_pipeline.datasets.checking.picture_gaps import gap_notes
from aqa_pipeline.records import Dataset


def dataset_notes(dataset: Dataset, video_ids: Sequence[str]) -> list[str]:
    """Return the labels that were left out, the dataset's notes, and the gaps in pictures of these videos."""
    videos = [dataset.video(video_id) for video_id in video_ids]
    left_out = (f"label left out: {problem}" for problem in dataset.problems)
    return [*left_out, *dataset.notes, *gap_notes(videos)]
