"""Batches as index selections from the tensors in memory; maps are read from where they are."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from heads.data.device import to_device
from heads.data.feature_set import FeatureSet
from heads.data.shares import WHOLE, BatchPart, Share
from heads.data.streams import VIDEO_DIFFICULTIES, VIDEO_KEYS
from heads.data.tube_maps import tube_of
from heads.data.windows import (
    cut_windows,
    evaluation_num_steps,
    evaluation_starts,
    random_starts,
    random_views,
    reference_view,
    sampled_steps,
)
from heads.recipes import Recipe


@dataclass(frozen=True, eq=False)
class Batch:
    """Windows of some videos, by index: per stream, features `batch time dim` and masks `batch time`.

    Of a stream of maps, features are `batch time channel step height width`, of pixels `batch clip 3 frame
    height width`, uint8. Beside them, under the name that `tube_of` gives, are the tubes, bool, without
    channel. `part` says of which batch these videos are a part; None stands for all of it.
    """

    videos: Tensor
    features: Mapping[str, Tensor]
    masks: Mapping[str, Tensor]
    part: BatchPart | None = None

    def mean_of(self, losses: Tensor) -> Tensor:
        """Return what to differentiate; its mean over all processes is the mean loss of the whole batch."""
        return losses.mean() if self.part is None else self.part.mean_loss(losses)

    def sum_of(self, losses: Tensor) -> Tensor:
        """Return the sum of losses; its sum over all processes is that of the whole batch."""
        return losses.sum() if self.part is None else self.part.sum_of(losses)

    def seen_as(self, choose_view: Callable[[Tensor], Tensor]) -> "Batch":
        """Return the batch with one view of each stream."""
        return replace(self, features={name: choose_view(rows) for name, rows in self.features.items()})


def training_batches(
    samples: FeatureSet,
    videos: NDArray[np.int64],
    *,
    recipe: Recipe,
    generator: torch.Generator,
    share: Share = WHOLE,
) -> Iterator[Batch]:
    """Random windows of the videos in random order, once each. The last batch may be smaller; it is kept.

    Of each batch only the `share` is cut. The same generator draws the same windows for any share.
    """
    order = torch.from_numpy(videos)[torch.randperm(len(videos), generator=generator)]
    if recipe.windows == "sampled":
        assert share == WHOLE, "adapted heads are trained by one process"
        for chosen in order.split(recipe.batch_size):
            batch = _sampled_batch(samples, chosen, recipe=recipe, generator=generator)
            yield _with_video_facts(batch, samples, recipe=recipe)
        return
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
        if share != WHOLE:
            part = share.part_of(len(chosen))
            batch, chosen = _only(batch, part), chosen[part.positions]
            starts, views = (_each_at(part.positions, drawn) for drawn in (starts, views))
        batch = _with_maps(batch, samples, chosen, starts=starts, views=views, num_steps=recipe.num_steps)
        yield _with_video_facts(batch, samples, recipe=recipe)


def _only(batch: Batch, part: BatchPart) -> Batch:
    """Return that part of a batch."""
    positions = part.positions
    return Batch(
        batch.videos[positions], _each_at(positions, batch.features), _each_at(positions, batch.masks), part
    )


def _each_at(positions: Tensor, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor[positions.to(tensor.device)] for name, tensor in tensors.items()}


def _sampled_batch(
    samples: FeatureSet, videos: Tensor, *, recipe: Recipe, generator: torch.Generator
) -> Batch:
    """Return a random choice of each video's steps, in their order, seen in a random view."""
    assert recipe.adaptation is not None, "only adapted recipes draw steps"
    features, masks = {}, {}
    for stream, padded in samples.streams.items():
        steps, mask = sampled_steps(
            samples.lengths[stream][videos],
            most=recipe.adaptation.max_steps,
            dropout=recipe.adaptation.step_dropout,
            generator=generator,
        )
        rows, columns, masks[stream] = (
            to_device(each, padded.device) for each in (videos[:, None], steps, mask)
        )
        drawn = padded[rows, columns]
        features[stream] = drawn * masks[stream].reshape(*mask.shape, *[1] * (drawn.ndim - 2))
    return Batch(videos, features, masks).seen_as(lambda drawn: random_views(drawn, generator=generator))


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
    batch = _with_maps(batch, samples, chosen, starts=starts, views=views, num_steps=num_steps)
    return _with_video_facts(batch, samples, recipe=recipe)


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


def _with_video_facts(batch: Batch, samples: FeatureSet, *, recipe: Recipe) -> Batch:
    """Return the batch with keys and difficulties of its videos, if the head compares videos."""
    if not recipe.compares_videos:
        return batch
    device = next(iter(batch.features.values())).device
    keys = torch.tensor([video_key(samples.video_ids[video]) for video in batch.videos.tolist()])
    facts = {VIDEO_KEYS: to_device(keys, device)}
    if samples.difficulties is not None:
        difficulties = torch.from_numpy(samples.difficulties)[batch.videos].float()
        facts[VIDEO_DIFFICULTIES] = to_device(difficulties, device)
    return replace(batch, features={**batch.features, **facts})


@lru_cache(maxsize=100_000)
def video_key(video_id: str) -> int:
    """Return a number of 63 bits that stands for a video: it depends on the name alone."""
    return int.from_bytes(hashlib.sha256(video_id.encode()).digest()[:8], "big") >> 1


def _with_maps(
    batch: Batch,
    samples: FeatureSet,
    videos: Tensor,
    *,
    starts: Mapping[str, Tensor],
    views: Mapping[str, Tensor],
    num_steps: Mapping[str, int],
) -> Batch:
    """Return the batch with the maps of its videos as float32, or their clips as bytes, and with their tubes.

    Tubes and masks stay on the CPU, because the number of positions in a tube decides what is computed.
    """
    features, masks = dict(batch.features), dict(batch.masks)
    for stream, maps in samples.maps.items():
        cut = maps.cut(videos, starts=starts[stream], views=views[stream], num_steps=num_steps[stream])
        features[stream] = to_device(cut.maps, maps.device)
        if cut.maps.is_floating_point():  # pictures stay bytes until the network normalizes them
            features[stream] = features[stream].float()
        features[tube_of(stream)] = cut.tubes
        masks[stream] = cut.mask
    return replace(batch, features=features, masks=masks)
