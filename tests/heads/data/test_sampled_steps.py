"""A random choice of a video's steps, in their order."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from heads.data.windows import sampled_steps


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=5),
    st.integers(1, 32),
    st.sampled_from([0.0, 0.1, 0.5]),
    st.integers(0, 99),
)
def test_steps_are_real_different_and_in_their_order(
    counts: list[int], most: int, dropout: float, seed: int
) -> None:
    lengths = torch.tensor(counts)
    indices, mask = sampled_steps(
        lengths, most=most, dropout=dropout, generator=torch.Generator().manual_seed(seed)
    )
    assert indices.shape == mask.shape
    for row, real, count in zip(indices, mask, counts, strict=True):
        steps = row[real]
        assert (steps.diff() > 0).all()
        assert ((steps >= 0) & (steps < count)).all()
        wanted = min(count, most, max(1, round(count * (1 - dropout))))
        assert abs(len(steps) - wanted) <= (count * (1 - dropout) % 1 == 0.5)
        assert not (~real[:-1] & real[1:]).any(), "real steps come first"


def test_every_step_is_drawn_equally_often() -> None:
    generator, counts = torch.Generator().manual_seed(0), torch.zeros(10)
    for _ in range(200):
        indices, mask = sampled_steps(torch.full((16,), 10), most=4, dropout=0.0, generator=generator)
        counts += torch.bincount(indices[mask], minlength=10)
    shares = counts / counts.sum()
    assert (shares - 0.1).abs().max() < 0.01
