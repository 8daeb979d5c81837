"""What tube attention costs: the paper's count, and formulas against torch's own counter."""

import numpy as np
import pytest
import torch
from torch import Tensor

from heads.models.tube_attention import TubeAttention
from heads.models.tube_attention.cost import counted, full_count, paper_count, paper_positions
from heads.models.tube_attention.products import PRODUCTS, cheapest

# Tables 3 and 5: what the paper counts for TSA-Net, in G, by class of AQA-7 and for MTL-AQA.
PAPER_GIGA = (0.864, 0.849, 0.283, 0.265, 0.952, 0.919, 1.012)


def test_the_papers_count_is_two_of_the_convolutions() -> None:
    """2.2 G for NL-Net; its TSA-Net counts are multiples, and so are its stacks (2.025 and 3.037)."""
    assert paper_count(7840) == 7840 * 2 * 528 * 264
    assert paper_count(7840) / 1e9 == pytest.approx(2.2, abs=0.05)
    assert paper_positions(0.864e9) == 3099
    assert paper_count(paper_positions(1.012e9), stacked=2) / 1e9 == pytest.approx(2.025, abs=2e-3)
    assert paper_count(paper_positions(1.012e9), stacked=3) / 1e9 == pytest.approx(3.037, abs=2e-3)
    reductions = [1 - giga / 2.2 for giga in PAPER_GIGA[:6]]
    assert np.mean(reductions) == pytest.approx(0.687, abs=1e-3)  # as Table 3 prints it


def tube_of(positions: int) -> tuple[Tensor, Tensor]:
    masks = torch.zeros(1, 10 * 4 * 14 * 14, dtype=torch.bool)
    masks[:, :positions] = True
    return torch.zeros(1, 10, 16, 4, 14, 14), masks.view(1, 10, 4, 14, 14)


@pytest.mark.parametrize("positions", [1, 5, 12, 40, 1000])
@pytest.mark.parametrize("computation", ["as-written", "cheapest", "scores", "context", "moments"])
def test_formulas_count_what_torch_counts(positions: int, computation: str) -> None:
    maps, masks = tube_of(positions)
    order = {"as-written": "scores", "cheapest": cheapest(positions, 16, 8)}.get(computation, computation)
    expected = PRODUCTS[order].multiply_adds(positions, 16, 8)
    assert counted(TubeAttention(16, 8, computation=computation), maps, masks)["Global"] == expected


def test_the_papers_two_convolutions_are_those_of_the_module() -> None:
    maps, masks = tube_of(300)
    parts = counted(TubeAttention(16, 8, computation="as-written"), maps, masks)
    assert parts["TubeAttention.g"] + parts["TubeAttention.w_z"] == paper_count(300, channels=16, reduced=8)


def test_ours_costs_a_tenth_of_the_dense_block_at_most() -> None:
    saved = []
    for giga in PAPER_GIGA:
        size = [paper_positions(giga * 1e9)]
        dense, written, ours = (full_count(name, size) for name in ("nl-net", "tsa-as-written", "tsa"))
        assert ours < written < dense
        saved.append(1 - ours / dense)
    assert np.mean(saved) > 0.9
    sizes = [0, 100, 3000]
    assert full_count("tsa", sizes) == full_count("tsa", [100]) + full_count("tsa", [3000])


def test_the_order_grows_with_the_tube() -> None:
    orders = [cheapest(positions, 528, 264) for positions in range(1, 8000, 50)]
    assert [order for at, order in enumerate(orders) if order not in orders[:at]] == [
        "scores",
        "context",
        "moments",
    ]
