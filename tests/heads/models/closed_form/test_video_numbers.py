"""A video as a row of numbers, against numpy and scipy."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import interp1d

from heads.models.closed_form.video_numbers import pooled_numbers, resample, sequence_numbers

lengths = st.lists(st.integers(1, 9), min_size=1, max_size=4)


def padded(lengths: list[int], *, dim: int = 3, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Return features with noise behind each video's end, and the masks of real steps."""
    features = torch.from_numpy(np.random.default_rng(seed).normal(size=(len(lengths), max(lengths), dim)))
    return features, torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]


@settings(deadline=None)
@given(lengths)
def test_pooled_numbers_are_mean_deviation_and_log_of_the_count(counts: list[int]) -> None:
    features, mask = padded(counts)
    numbers = pooled_numbers({"a": features}, {"a": mask})
    for row, steps, count in zip(numbers, features, counts, strict=True):
        real = steps[:count].numpy()
        expected = [*real.mean(axis=0), *real.std(axis=0), np.log(count)]
        np.testing.assert_allclose(row.numpy(), expected, atol=1e-12)


@settings(deadline=None)
@given(lengths, st.integers(2, 15))
def test_a_resampled_sequence_is_that_of_scipy(counts: list[int], num_steps: int) -> None:
    features, mask = padded(counts)
    for row, steps, count in zip(
        resample(features, mask, num_steps=num_steps), features, counts, strict=True
    ):
        real = steps[:count].numpy()
        times = np.linspace(0, count - 1, num_steps)
        expected = (
            interp1d(np.arange(count), real, axis=0)(times) if count > 1 else np.repeat(real, num_steps, 0)
        )
        np.testing.assert_allclose(row.numpy(), expected, atol=1e-9)


def test_streams_stand_in_the_order_of_their_names_and_an_empty_one_is_nan() -> None:
    features, mask = padded([2, 4])
    nothing = mask & False
    for view in (pooled_numbers, sequence_numbers):
        both = view({"b": features, "a": features}, {"b": mask, "a": nothing})
        of_a, of_b = both.chunk(2, dim=1)
        assert of_a.isnan().all()
        assert torch.equal(of_b, view({"b": features}, {"b": mask}))
