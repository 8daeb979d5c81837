"""Crops, anchors, penalties and masks follow the official procedure, written naively here."""

import math

import cv2
import numpy as np
import pytest

from extract.trackers.siammask.masks import (
    MASK_SIZE,
    PlacedMask,
    Placement,
    place_mask,
    placement,
    rotated_box,
)
from extract.trackers.siammask.pictures import context_size, cut_square, resized, search_size
from extract.trackers.siammask.proposals import ANCHORS, WINDOW, choose_proposal, decode_boxes, shape_penalty
from extract.trackers.siammask.settings import SETTINGS

RNG = np.random.RandomState


def naive_crop(frame, center, side, mean):
    """Return a slice of the frame on a canvas with strips of the truncated mean color."""
    corner = (side + 1) / 2
    xmin, ymin = round(center[0] - corner), round(center[1] - corner)
    xmax, ymax = xmin + side - 1, ymin + side - 1
    height, width = frame.shape[:2]
    left, top = max(0, -xmin), max(0, -ymin)
    right, bottom = max(0, xmax - width + 1), max(0, ymax - height + 1)
    canvas = np.zeros((height + top + bottom, width + left + right, 3), np.uint8)
    canvas[top : top + height, left : left + width] = frame
    canvas[:top, left : left + width] = mean
    canvas[top + height :, left : left + width] = mean
    canvas[:, :left] = mean
    canvas[:, left + width :] = mean
    return canvas[ymin + top : ymax + top + 1, xmin + left : xmax + left + 1]


@pytest.mark.parametrize(
    ("center", "side"),
    [((30, 20), 11), ((0, 0), 24), ((60, 40), 31), ((30.5, 20.5), 12), ((29.5, 19.5), 12), ((3, 38), 200)],
)
def test_crops_are_the_official_ones(center, side):
    frame = RNG(0).randint(0, 256, (40, 60, 3)).astype(np.uint8)
    mean = frame.mean(axis=(0, 1)) + 0.99
    found = cut_square(frame, np.array(center, np.float64), side, mean)
    np.testing.assert_array_equal(found, naive_crop(frame, center, side, mean))


def test_a_square_of_the_wanted_size_is_not_resized():
    square = RNG(0).randint(0, 256, (127, 127, 3)).astype(np.uint8)
    np.testing.assert_array_equal(resized(square, 127), square.transpose(2, 0, 1))
    assert resized(square, 255).shape == (3, 255, 255)


def test_context_adds_half_the_mean_side_on_each_side():
    assert context_size(np.array([56.0, 36.0])) == pytest.approx(math.sqrt((56 + 46) * (36 + 46)))
    assert search_size(127.0) == pytest.approx(255)


def test_anchors_are_those_of_the_official_configuration():
    anchors = ANCHORS.reshape(4, 5, 25, 25)
    sizes = [tuple(anchors[2:, at, 0, 0].tolist()) for at in range(5)]
    assert sizes == [(104, 32), (88, 40), (64, 64), (40, 80), (32, 96)]
    assert anchors[:2, 2, 12, 12].tolist() == [0, 0]
    assert anchors[:2, 0, 3, 20].tolist() == [64, -72]  # x from the column, y from the row
    assert ANCHORS.dtype == np.float32
    assert WINDOW[2 * 625 + 12 * 25 + 12] == 1
    assert WINDOW[0] == 0


def test_boxes_are_decoded_from_their_anchors():
    boxes = np.zeros((4, 5, 25, 25), np.float32)
    boxes[:, 1, 3, 20] = 0.5, -1, math.log(2), math.log(0.5)
    decoded = decode_boxes(boxes.reshape(20, 25, 25)).reshape(4, 5, 25, 25)
    np.testing.assert_allclose(decoded[:, 1, 3, 20], [64 + 44, -72 - 40, 176, 20], rtol=1e-6)
    np.testing.assert_array_equal(decoded[:, 4, 0, 0], [-96, -96, 32, 96])


def test_the_penalty_is_one_for_the_same_box_and_its_formula_elsewhere():
    last = np.array([50.0, 30.0])
    sizes = np.array([[50, 100, 30], [30, 60, 50]], np.float32)
    same, double, turned = shape_penalty(sizes, last, penalty_k=0.1)
    assert same == pytest.approx(1, abs=1e-6)
    assert double == pytest.approx(math.exp(-(2 - 1) * 0.1), abs=1e-6)
    assert turned == pytest.approx(math.exp(-((50 / 30) ** 2 - 1) * 0.1), abs=1e-6)
    assert shape_penalty(sizes, last, penalty_k=0.1).dtype == np.float32


def test_the_best_box_wins_and_the_window_breaks_ties():
    boxes = np.zeros((20, 25, 25), np.float32)
    scores = np.full((5, 25, 25), 0.1, np.float32)
    scores[2, 5, 7] = scores[2, 11, 13] = 0.9
    chosen = choose_proposal(
        boxes,
        scores.ravel(),
        position=np.array([100.0, 80.0]),
        size=np.array([32.0, 32.0]),
        scale=2.0,
        setting=SETTINGS["vot"],
    )
    assert chosen.grid_position == (11, 13)
    assert chosen.score == pytest.approx(0.9)
    np.testing.assert_allclose(chosen.position, [100 + 8 / 2, 80 - 8 / 2])
    np.testing.assert_allclose(chosen.size, [32, 32])
    assert chosen.weight == pytest.approx(0.9 * 0.25)  # no penalty: the same shape


def naive_warp(mask, where, width, height):
    """Warp pixel by pixel: coordinates in 1/1024 pixel, rounded to 1/32, -1 outside the mask."""
    origin_x, origin_y = np.rint(where.shift_x * 1024) + 16, np.rint(where.shift_y * 1024) + 16
    out = np.empty((height, width), np.float32)
    for y in range(height):
        for x in range(width):
            sx = int(origin_x + np.rint(where.scale_x * x * 1024)) >> 5
            sy = int(origin_y + np.rint(where.scale_y * y * 1024)) >> 5
            (left, far_x), (top, far_y) = divmod(sx, 32), divmod(sy, 32)
            total = np.float32(0)
            for dy, dx in [(0, 0), (0, 1), (1, 0), (1, 1)]:
                row, column = top + dy, left + dx
                there = 0 <= row < MASK_SIZE and 0 <= column < MASK_SIZE
                value = mask[row, column] if there else np.float32(-1)
                share_x = far_x / 32 if dx else 1 - far_x / 32
                share_y = far_y / 32 if dy else 1 - far_y / 32
                total += value * np.float32(share_y * share_x)
            out[y, x] = total
    return out


@pytest.mark.parametrize(
    "where",
    [
        Placement(1.7, -20.3, 2.2, -60.71),
        Placement(0.31, 100.2, 0.9, 3.0),
        Placement(3.1, 5.5, 3.1, -300),
        Placement(1.0, 200.0, 1.0, 0.0),
    ],
    ids=["inside", "cut right", "cut left and below", "beside"],
)
def test_the_warp_is_the_fixed_point_formula_bit_for_bit(where):
    mask = RNG(1).rand(MASK_SIZE, MASK_SIZE).astype(np.float32)
    placed = place_mask(mask, where, width=90, height=70)
    whole = np.full((70, 90), -1, np.float32)
    rows, columns = placed.values.shape
    whole[placed.top : placed.top + rows, placed.left : placed.left + columns] = placed.values
    np.testing.assert_array_equal(whole, naive_warp(mask, where, 90, 70))
    if where.shift_x == 200:
        assert placed.values.size == 0


def test_the_warp_is_opencvs_up_to_its_rounding():
    mask = cv2.GaussianBlur(RNG(2).rand(MASK_SIZE, MASK_SIZE).astype(np.float32), (0, 0), 6)
    corner, side, width, height = np.array([12.5, -7.25]), 150, 160, 120
    where = placement((9, 14), corner=corner, side=side, width=width, height=height)
    step = side / 255
    zoom = 127 / (step * 127)
    forward = [(width - 1) / (width * zoom), (height - 1) / (height * zoom)]
    shift = [
        forward[0] * zoom * (corner[0] + (14 - 4) * 8 * step),
        forward[1] * zoom * (corner[1] + (9 - 4) * 8 * step),
    ]
    matrix = np.array([[forward[0], 0, shift[0]], [0, forward[1], shift[1]]])
    expected = cv2.warpAffine(mask, matrix, (width, height), borderMode=cv2.BORDER_CONSTANT, borderValue=-1)
    placed = place_mask(mask, where, width=width, height=height)
    rows, columns = placed.values.shape
    inner = expected[placed.top + 2 : placed.top + rows - 2, placed.left + 2 : placed.left + columns - 2]
    np.testing.assert_allclose(placed.values[2:-2, 2:-2], inner, atol=1 / 64)


def drawn(corners, shape=(120, 160)):
    picture = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(picture, np.array(corners, np.int32), 1)
    return picture.astype(np.float32)


def test_the_rotated_box_is_that_of_the_largest_piece():
    corners = [(60, 20), (100, 60), (80, 80), (40, 40)]
    values = np.maximum(drawn(corners), drawn([(5, 5), (15, 5), (15, 16), (5, 16)]))
    quad, area = rotated_box(PlacedMask(values[:, :130], 7, 3), threshold=0.5)
    assert area == int(values[:, :130].sum())
    expected = np.array([(47, 43), (67, 23), (107, 63), (87, 83)])  # moved by left and top
    # The corners (40, 40) and (60, 20) have equal sums: the upper one comes first.
    np.testing.assert_allclose(quad, np.roll(expected, -1, axis=0), atol=0.75)


@pytest.mark.parametrize(("size", "found"), [(10, False), (11, False), (12, True)])
def test_a_piece_must_enclose_more_than_100_pixels(size, found):
    values = np.zeros((40, 40), np.float32)
    values[5 : 5 + size, 5 : 5 + size] = 1  # its outline encloses (size - 1) squared
    quad, area = rotated_box(PlacedMask(values, 0, 0), threshold=0.5)
    assert area == size * size
    assert (quad is not None) == found
