"""Batches as index selections from the tensors in memory; maps are read from where they are."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from heads.data.device import to_device
from heads.data.feature_set import FeatureSet
from heads.data.tube_maps import tube_of
from heads.data.windows import (
    cut_windows,
    evaluation_num_steps,
    evaluation_starts,
    random_starts,
    random_views,
    reference_view,
)
from heads.recipes import Recipe


@dataclass(frozen=True, eq=False)
class Batch:
    """Windows of some videos, by index: per stream, features `batch time dim` and masks `batch time`.

    Of a stream of maps, features are `batch time channel step height width`, and beside them, under the name
    that `tube_of` gives, are the tubes, bool, without channel.
    """

    videos: Tensor
    features: Mapping[str, Tensor]
    masks: Mapping[str, Tensor]

    def seen_as(self, choose_view: Callable[[Tensor], Tensor]) -> "Batch":
        """Return the batch with one view of each stream."""
        return replace(self, features={name: choose_view(rows) for name, rows in self.features.items()})


def training_batches(
    samples: FeatureSet, videos: NDArray[np.int64], *, recipe: Recipe, generator: torch.Generator
) -> Iterator[Batch]:
    """Random windows of the videos in random order, once each. The last batch may be smaller; it is kept."""
    order = torch.from_numpy(videos)[torch.randperm(len(videos), generator=generator)]
    for chosen in order.split(recipe.batch_size):
        starts = {
            stream: random_starts(
                lengths[chosen], recipe.num_steps[stream], windows=recipe.windows, generator=generator
            )
            for stream, lengths in samples.lengths.items()
        }
        batch = _batch(samples, chosen, starts=starts, num_steps=recipe.num_steps)
        batch = batch.seen_as(lambda windows: random_views(windows, generator=generator))
        views = {
            stream: torch.randint(maps.num_views, (len(chosen),), generator=generator)
            for stream, maps in samples.maps.items()
        }
        yield _with_maps(batch, samples, chosen, starts=starts, views=views, num_steps=recipe.num_steps)


def evaluation_batch(samples: FeatureSet, videos: NDArray[np.int64], *, recipe: Recipe) -> Batch:
    """Return the batch of these videos as testing sees them."""
    chosen = torch.from_numpy(videos)
    starts, num_steps = {}, {}
    for stream, all_lengths in samples.lengths.items():
        lengths, window = all_lengths[chosen], recipe.num_steps[stream]
        starts[stream] = evaluation_starts(lengths, window, windows=recipe.windows)
        num_steps[stream] = evaluation_num_steps(lengths, window, windows=recipe.windows)
    batch = _batch(samples, chosen, starts=starts, num_steps=num_steps).seen_as(reference_view)
    views = {stream: torch.zeros_like(chosen) for stream in samples.maps}
    return _with_maps(batch, samples, chosen, starts=starts, views=views, num_steps=num_steps)


def _batch(
    samples: FeatureSet, videos: Tensor, *, starts: Mapping[str, Tensor], num_steps: Mapping[str, int]
) -> Batch:
    features, masks = {}, {}
    for stream, padded in samples.streams.items():
        features[stream], masks[stream] = cut_windows(
            padded,
            samples.lengths[stream],
            videos=videos,
            starts=starts[stream],
            num_steps=num_steps[stream],
        )
    return Batch(videos, features, masks)


def _with_maps(
    batch: Batch,
    samples: FeatureSet,
    videos: Tensor,
    *,
    starts: Mapping[str, Tensor],
    views: Mapping[str, Tensor],
    num_steps: Mapping[str, int],
) -> Batch:
    """Return the batch with the maps of its videos as float32, and with their tubes.

    Tubes and masks stay on the CPU, because the number of positions in a tube decides what is computed.
    """
    features, masks = dict(batch.features), dict(batch.masks)
    for stream, maps in samples.maps.items():
        cut = maps.cut(videos, starts=starts[stream], views=views[stream], num_steps=num_steps[stream])
        features[stream] = to_device(cut.maps, maps.device).float()
        features[tube_of(stream)] = cut.tubes
        masks[stream] = cut.mask
    return replace(batch, features=features, masks=masks)
