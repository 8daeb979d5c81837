"""Every video of a batch counts once over all processes, and every process has one."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from aqa_pipeline.records import Target
from heads.data.batches import Batch, training_batches
from heads.data.feature_set import load_features
from heads.data.shares import Share
from heads.recipes.papers import SYNTHETIC


@pytest.mark.parametrize("num_processes", [1, 2, 3, 8])
@pytest.mark.parametrize("num_videos", range(1, 12))
def test_parts_are_a_whole(num_videos: int, num_processes: int) -> None:
    parts = [Share(rank, num_processes).part_of(num_videos) for rank in range(num_processes)]
    counts = torch.zeros(num_videos)
    for part in parts:
        assert len(part.positions) == len(part.counts) >= 1
        counts[part.positions] += part.counts
    torch.testing.assert_close(counts, torch.ones(num_videos))
    sizes = [len(part.positions) for part in parts]
    assert max(sizes) - min(sizes) <= 1
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("num_videos", [1, 3, 5, 8])
def test_the_mean_over_processes_is_the_mean_over_videos(num_videos: int) -> None:
    losses = torch.rand(num_videos, generator=torch.Generator().manual_seed(0))
    parts = [Share(rank, 3).part_of(num_videos) for rank in range(3)]
    of_parts = torch.stack([part.mean_loss(losses[part.positions]) for part in parts])
    torch.testing.assert_close(of_parts.mean(), losses.mean())
    sums = torch.stack([part.sum_of(losses[part.positions]) for part in parts])
    torch.testing.assert_close(sums.sum(), losses.sum())


def test_a_share_of_maps_is_rows_of_the_whole_batch(tube_world, tube_spec, tmp_path) -> None:
    """Whatever the share, the same generator draws the same videos, starts and views."""
    dataset, store = tube_world(tmp_path, num_videos=7, num_clips=(2, 3))
    ids = [video.video_id for video in dataset.videos]
    specs = {"tubes": tube_spec}
    samples = load_features(store, dataset, specs, target=Target("clean", 0.0, 1.0), video_ids=ids)
    recipe = replace(SYNTHETIC, batch_size=4, num_steps={"tubes": 2})

    def batches(share: Share) -> list[Batch]:
        generator = torch.Generator().manual_seed(0)
        drawn = training_batches(samples, np.arange(7), recipe=recipe, generator=generator, share=share)
        return list(drawn)

    for whole, first, second in zip(*map(batches, (Share(), Share(0, 2), Share(1, 2))), strict=True):
        assert whole.part is None
        assert torch.equal(torch.cat([first.videos, second.videos]), whole.videos)
        for name, rows in whole.features.items():
            assert torch.equal(torch.cat([first.features[name], second.features[name]]), rows)
        assert torch.equal(torch.cat([first.masks["tubes"], second.masks["tubes"]]), whole.masks["tubes"])
