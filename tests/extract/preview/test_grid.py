"""Choices of what a sheet shows, and sheets that hold every tile whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from extract.preview.grid import PAPER, compose_sheet, even_choice


@given(st.integers(1, 500), st.integers(1, 40))
def test_a_choice_is_as_many_as_fit_in_order_and_evenly_spaced(number, most):
    chosen = even_choice(number, most)
    assert len(chosen) == min(number, most)
    assert chosen == sorted(set(chosen))
    assert chosen[0] == 0
    assert chosen[-1] == (number - 1 if most > 1 else 0)
    gaps = np.diff(chosen)
    assert len(gaps) == 0 or gaps.max() - gaps.min() <= 1


@pytest.mark.parametrize(
    ("number", "most", "chosen"), [(9, 5, [0, 2, 4, 6, 8]), (3, 5, [0, 1, 2]), (0, 5, []), (1, 1, [0])]
)
def test_choices_by_hand(number, most, chosen):
    assert even_choice(number, most) == chosen


COLORS = [(200, 0, 0), (0, 200, 0), (0, 0, 200), (200, 200, 0), (0, 200, 200), (200, 0, 200)]


@pytest.mark.parametrize("num", [0, 1, 2, 4, 5, 6])
def test_every_tile_is_on_the_sheet_whole_and_in_reading_order(num):
    sizes = [(30 + 7 * at, 20 + 3 * at) for at in range(num)]
    tiles = [Image.new("RGB", size, COLORS[at]) for at, size in enumerate(sizes)]
    sheet = np.asarray(compose_sheet(tiles, title="t", facts="f"))
    corners = []
    for color, (width, height) in zip(COLORS, sizes, strict=False):
        rows, columns = np.nonzero((sheet == color).all(axis=2))
        assert len(rows) == width * height
        assert (columns.max() - columns.min() + 1, rows.max() - rows.min() + 1) == (width, height)
        corners.append((int(rows.min()), int(columns.min())))
    assert corners == sorted(corners)
    assert tuple(sheet[-1, -1]) == PAPER


def test_long_facts_make_the_head_higher_and_cover_no_tile():
    tile = Image.new("RGB", (60, 40), COLORS[0])
    short, long = (compose_sheet([tile], title="t", facts=facts) for facts in ("one", "many words " * 40))
    assert short.width == long.width
    assert long.height > short.height
    for sheet in (short, long):
        assert (np.asarray(sheet) == COLORS[0]).all(axis=2).sum() == 60 * 40
