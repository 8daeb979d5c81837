"""The field of view is exact: what is painted there is all that the network's picture shows."""

import numpy as np
import pytest

from aqa_pipeline.backbones import get_backbone
from aqa_pipeline.backbones.preprocess import PREPROCESS, get_preprocess, whole_picture
from aqa_pipeline.errors import UnknownName

SIZES = [(640, 360), (320, 240), (240, 320), (1280, 720), (426, 240), (300, 300)]
MARGIN = 0.03  # a share of a side: filters reach over the border


def painted(size: tuple[int, int], field_of_view, *, margin: float) -> np.ndarray:
    """Return a black frame, white in the field of view, which the margin enlarges on every side."""
    width, height = size
    x1, y1, x2, y2 = field_of_view
    columns, rows = margin * (x2 - x1), margin * (y2 - y1)
    frame = np.zeros((height, width, 3), np.uint8)
    top, left = max(0, round(y1 - rows)), max(0, round(x1 - columns))
    frame[top : round(y2 + rows), left : round(x2 + columns)] = 255
    return frame


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", [*PREPROCESS, "tsa-224-whole", "imagenet-whole"])
def test_the_field_of_view_is_all_that_the_picture_shows(name, size) -> None:
    geometry = get_preprocess(name).geometry
    view = geometry.place(size).field_of_view
    within = geometry(painted(size, view, margin=MARGIN))
    everywhere = geometry(
        np.full((size[1], size[0], 3), 255, np.uint8)
    )  # black is added where a side is short
    np.testing.assert_array_equal(within, everywhere)
    less = geometry(painted(size, view, margin=-MARGIN))
    rows, columns = (np.flatnonzero(everywhere[:, :, 0].any(axis=axis)) for axis in (1, 0))
    for edge in (less[rows[0]], less[rows[-1]], less[:, columns[0]], less[:, columns[-1]]):
        assert edge.max() < 128


def test_the_central_square_of_a_wide_frame_by_hand() -> None:
    """640x360 becomes 455x256, of which columns 116 to 340 and rows 16 to 240 are seen."""
    view = get_preprocess("tsa-224").geometry.place((640, 360)).field_of_view
    assert view == pytest.approx((116 * 640 / 455, 16 * 360 / 256, 340 * 640 / 455, 240 * 360 / 256))


@pytest.mark.parametrize("size", SIZES)
def test_the_whole_picture_is_the_whole_frame_through_the_same_filter(size) -> None:
    width, height = size
    frame = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    whole = get_preprocess("tsa-224-whole")
    assert whole.geometry.place(size).field_of_view == (0, 0, width, height)
    np.testing.assert_array_equal(whole.geometry(frame), get_preprocess("squash-224").geometry(frame))
    cropped = get_preprocess("tsa-224")
    assert (whole.size, whole.mean, whole.std) == (cropped.size, cropped.mean, cropped.std)


def test_a_preprocessing_that_cuts_nothing_off_is_its_own_whole_picture() -> None:
    assert whole_picture(PREPROCESS["squash-224"]) is PREPROCESS["squash-224"]
    assert get_preprocess("squash-224-whole").name == "squash-224"
    assert get_preprocess("hara-112-whole").name == "hara-112-whole"
    with pytest.raises(UnknownName, match="unknown preprocessing 'squash-whole'"):
        get_preprocess("squash-whole")


@pytest.mark.parametrize("backbone", ["i3d", "i3d-tsa-net", "resnet18"])
@pytest.mark.parametrize("variant", ["paper", "released"])
@pytest.mark.parametrize("framing", ["center", "whole"])
def test_a_name_tells_how_it_was_chosen(backbone, variant, framing) -> None:
    entry = get_backbone(backbone)
    name = get_preprocess(entry.preprocess_name(variant, framing)).name
    assert entry.preprocess_name(*entry.choices_of(name)) == name
