"""Find the videos of a dataset that have imported or simulated features, which need no video file."""

from collections.abc import Mapping

from aqa_pipeline.records import Dataset
from aqa_pipeline.store import Store


def features_without_videos(dataset: Dataset, store: Store) -> Mapping[str, frozenset[str]]:
    """Return the ids of these videos by a description of the features: `imported segments (i3d)`."""
    known = {video.video_id for video in dataset.videos}
    specs = [row.spec for row in store.contents() if row.dataset == dataset.name]
    found: dict[str, frozenset[str]] = {}
    for spec in specs:
        if spec.imported or spec.simulated:
            ids = known & set(store.video_ids(dataset.name, spec))
            found[spec.in_words] = found.get(spec.in_words, frozenset()) | ids
    return found
