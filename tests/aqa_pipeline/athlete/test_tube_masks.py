"""Tube masks: areas by hand and by clipping, the crop by torchvision, the released fill by its golden."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torchvision.transforms.functional import center_crop

from aqa_pipeline.athlete.tube_masks import (
    GRID_SIZE,
    PictureGeometry,
    TubeMasks,
    coverage,
    paper_frame_masks,
    released_frame_masks,
    resized_to_short_side,
    union_of_frames,
    with_whole_grid_where_empty,
)
from aqa_pipeline.errors import AqaError

CELL = 16  # pixels of a 224x224 picture
BROADCAST = PictureGeometry((640, 360))
SAME = PictureGeometry((224, 224), resized_size=(224, 224))
FR_FS_STARTS = (0, 16, 32, 48, 64, 80, 87)


def tube_masks(
    quads: np.ndarray, *, geometry: PictureGeometry, variant: str = "paper", flipped: bool = False
) -> TubeMasks:
    """Compose the tube of quads, (..., frame, 4, 2) in pixels of the frame."""
    if variant == "paper":
        masks = paper_frame_masks(geometry.in_picture(quads, flipped=flipped))
    else:
        masks = released_frame_masks(quads, geometry, flipped)
    return with_whole_grid_where_empty(union_of_frames(masks))


def clip_quads(quads: np.ndarray, starts: Sequence[int]) -> np.ndarray:
    """Return the quads of clips of 16 frames, (clip, frame, 4, 2), of the (frame, 4, 2) of a video."""
    return quads[np.add.outer(starts, np.arange(16))]


def box(x1: float, y1: float, x2: float, y2: float) -> np.ndarray:
    return np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], float)


def rotated(center: tuple[float, float], sides: tuple[float, float], degrees: float) -> np.ndarray:
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    half = np.array(sides) / 2
    return (np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half) @ turn + center


def clipped(polygon: list[tuple[float, float]], inside, crossing) -> list[tuple[float, float]]:
    """One step of Sutherland and Hodgman."""
    result = []
    for this, following in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        if inside(this):
            result.append(this)
        if inside(this) != inside(following):
            result.append(crossing(this, following))
    return result


def naive_share(quad: np.ndarray, row: int, column: int) -> float:
    """Compute the share of one grid position by clipping the polygon at its four edges in turn."""
    polygon = [tuple(corner) for corner in quad / CELL]
    for axis, edge, sign in ((0, column, 1), (0, column + 1, -1), (1, row, 1), (1, row + 1, -1)):

        def crossing(a, b, axis=axis, edge=edge):
            at = (edge - a[axis]) / (b[axis] - a[axis])
            return tuple(a[i] + at * (b[i] - a[i]) for i in range(2))

        polygon = clipped(polygon, lambda p, a=axis, e=edge, s=sign: s * (p[a] - e) >= 0, crossing)
    pairs = zip(polygon, polygon[1:] + polygon[:1], strict=True)
    return abs(sum(a[0] * b[1] - a[1] * b[0] for a, b in pairs)) / 2 if polygon else 0.0


@pytest.mark.parametrize("seed", range(6))
def test_coverage_equals_the_clipped_polygons(seed: int) -> None:
    rng = np.random.default_rng(seed)
    quad = rotated(tuple(rng.uniform(-20, 244, 2)), tuple(rng.uniform(5, 200, 2)), rng.uniform(0, 360))
    naive = [[naive_share(quad, row, column) for column in range(GRID_SIZE)] for row in range(GRID_SIZE)]
    np.testing.assert_allclose(coverage(quad), naive, atol=1e-9, rtol=0)


def test_coverage_of_an_upright_box_by_hand() -> None:
    shares = coverage(box(8, 16, 40, 36))
    expected = np.zeros((GRID_SIZE, GRID_SIZE))
    expected[1, :3] = 0.5, 1, 0.5
    expected[2, :3] = 0.125, 0.25, 0.125
    np.testing.assert_allclose(shares, expected, atol=1e-12)


def test_coverage_of_a_diamond_by_hand() -> None:
    """Corners in the middles of a cell's edges cover half of it, and reach no other."""
    shares = coverage(np.array([[40, 32], [48, 40], [40, 48], [32, 40]], float))
    assert shares[2, 2] == pytest.approx(0.5, abs=1e-12)
    assert shares.sum() == pytest.approx(0.5, abs=1e-12)


@pytest.mark.parametrize("degrees", [0, 1e-9, 1e-5, 17, 45, 89.9999999, 90, 133])
def test_coverage_adds_up_to_the_area(degrees: float) -> None:
    """Also of sides that are all but level or upright, where slopes lose their digits."""
    quad = rotated((111.3, 97.7), (83, 41), degrees)
    assert coverage(quad).sum() * CELL**2 == pytest.approx(83 * 41, rel=1e-12)


def test_outside_the_picture_nothing_is_covered() -> None:
    assert coverage(box(-50, -50, 32, 16)).sum() * CELL**2 == pytest.approx(32 * 16)
    assert not coverage(box(230, 10, 300, 60)).any()
    np.testing.assert_allclose(coverage(box(-1e6, -1e6, 1e6, 1e6)), 1)


def test_corners_go_either_way_around() -> None:
    quad = rotated((100, 120), (60, 90), 30)
    np.testing.assert_allclose(coverage(quad[::-1]), coverage(quad), atol=1e-12)
    np.testing.assert_allclose(coverage(np.roll(quad, 1, axis=0)), coverage(quad), atol=1e-12)


@pytest.mark.parametrize("order", [[0, 1, 3, 2], [0, 2, 1, 3], [0, 2, 3, 1]])
def test_a_bow_tie_is_the_box_around_its_corners(order: list[int]) -> None:
    quad = rotated((100, 120), (60, 90), 30)
    np.testing.assert_allclose(coverage(quad[order]), coverage(quad), atol=1e-12)


def test_a_hollow_quad_has_its_own_area() -> None:
    dart = np.array([[32, 32], [96, 96], [160, 32], [96, 160]], float)
    shares = coverage(dart)
    assert shares.sum() * CELL**2 == pytest.approx(64 * 64)
    assert shares[3, 5] == 0  # above the notch: around the corners, but not inside


def test_quads_without_area_or_athlete_cover_nothing() -> None:
    line, point = np.array([[10, 10], [60, 60], [90, 90], [30, 30]], float), np.full((4, 2), 40.0)
    nobody = np.full((4, 2), np.nan)
    half_known = box(0, 0, 100, 100)
    half_known[0, 0] = np.nan
    np.testing.assert_allclose(coverage(np.stack([line, point, nobody, half_known])), 0, atol=1e-12)


def test_a_half_is_enough_and_less_is_not() -> None:
    """tau: a box over the left half of a cell, however its corners were rounded."""
    half, less = box(32, 32, 40, 48) / 3 * 3, box(32, 32, 39.99, 48)
    masks = [tube_masks(np.stack([quad] * 4), geometry=SAME) for quad in (half, less)]
    assert masks[0].masks[0, 2, 2]
    assert masks[0].masks.sum() == 1
    assert masks[1].num_empty == 1


def test_four_frames_make_one_step() -> None:
    """The union: cells that the athlete was in during any of the four frames, and no others."""
    quads = np.stack([box(16 * column, 0, 16 * column + 16, 16) for column in range(8)])
    masks = tube_masks(quads, geometry=SAME).masks
    assert masks.shape == (2, GRID_SIZE, GRID_SIZE)
    assert np.flatnonzero(masks[0]).tolist() == [0, 1, 2, 3]
    assert np.flatnonzero(masks[1]).tolist() == [4, 5, 6, 7]


def test_an_empty_step_has_its_whole_grid() -> None:
    quads = np.full((8, 4, 2), np.nan)
    quads[5] = box(16, 16, 48, 48)
    tube = tube_masks(quads, geometry=SAME)
    assert tube.num_empty == 1
    assert tube.masks[0].all()
    assert tube.masks[1].sum() == 4
    assert tube.masks.sum() == GRID_SIZE**2 + 4


@pytest.mark.parametrize("size", [(455, 256), (341, 256), (256, 455), (200, 256), (224, 224), (225, 223)])
def test_the_crop_is_torchvisions(size: tuple[int, int]) -> None:
    """A marked pixel lies after the crop where its box lies after the mapping."""
    width, height = size
    for x, y in ((width // 2, height // 2), (width // 2 - 60, height // 2 + 70)):
        frame = torch.zeros(1, height, width)
        frame[0, y, x] = 1
        row, column = np.argwhere(center_crop(frame, [224, 224])[0].numpy())[0]
        mapped = PictureGeometry(size, resized_size=size).in_picture(box(x, y, x + 1, y + 1))
        assert mapped[0].tolist() == [column, row]


def test_masks_follow_the_crop() -> None:
    """E2.7 of the protocol: x14 = (x 455/640 - 116)/16, y14 = (y 256/360 - 16)/16."""
    quad = rotated((330, 170), (90, 120), 25)
    cells = np.stack([(quad[:, 0] * 455 / 640 - 116) / 16, (quad[:, 1] * 256 / 360 - 16) / 16], axis=1)
    expected = coverage(cells, picture_size=GRID_SIZE) >= 0.5
    assert (tube_masks(np.stack([quad] * 4), geometry=BROADCAST).masks[0] == expected).all()
    assert expected.any()


def test_resizing_cuts_the_longer_side() -> None:
    assert resized_to_short_side((640, 360), 256) == (455, 256)
    assert resized_to_short_side((360, 640), 256) == (256, 455)
    assert resized_to_short_side((320, 240), 256) == (341, 256)


@pytest.mark.parametrize("variant", ["paper", "released"])
def test_flips_mirror_the_masks(variant: str) -> None:
    """Exactly so on the map for `paper`; the released truncation to whole cells is not symmetric."""
    quads = np.stack([rotated((300 + 3 * at, 170), (90, 120), 25 + at) for at in range(8)])
    plain = tube_masks(quads, geometry=BROADCAST, variant=variant).masks
    mirrored = tube_masks(quads, geometry=BROADCAST, variant=variant, flipped=True).masks
    if variant == "paper":
        assert (mirrored == plain[..., ::-1]).all()
    else:
        other_way = quads * [-1, 1] + [640, 0]
        assert (mirrored == tube_masks(other_way, geometry=BROADCAST, variant=variant).masks).all()
        assert (mirrored != plain).any()


def test_offsets_shift_the_steps() -> None:
    """Clips that start four frames later are the same tube, one step further on."""
    quads = np.stack([rotated((200 + 2 * at, 170), (70, 100), at) for at in range(103)])
    first = tube_masks(clip_quads(quads, starts=[0, 32]), geometry=BROADCAST).masks
    later = tube_masks(clip_quads(quads, starts=[4, 36]), geometry=BROADCAST).masks
    assert (first[:, 1:] == later[:, :-1]).all()
    assert (first != later).any()


def test_released_gives_the_authors_masks(shared: Path) -> None:
    golden = json.loads((shared / "golden" / "heads_golden.json").read_text())["tsa_official"]
    for video, sums in zip(golden["boxes"], golden["mask_sum_per_step"], strict=True):
        quads = clip_quads(np.array(video, float).reshape(-1, 4, 2), starts=FR_FS_STARTS)
        tube = tube_masks(quads, geometry=BROADCAST, variant="released")
        assert tube.masks.shape == (7, 4, GRID_SIZE, GRID_SIZE)
        assert tube.masks.sum(axis=(-2, -1)).ravel().tolist() == sums
        assert tube.num_empty == 0
    first = np.array(golden["boxes"][0], float).reshape(-1, 4, 2)[:4]
    tube = tube_masks(first, geometry=BROADCAST, variant="released")
    assert tube.masks[0].astype(int).tolist() == golden["mask_step0"]


def test_released_paints_whole_cells_of_truncated_corners() -> None:
    """By the released recipe: integer corners, divided by 640/14 and 360/14, truncated, filled."""
    quad = rotated((310, 150), (120, 60), 35)
    cells = (quad.astype(int) / [640 / 14, 360 / 14]).astype(np.int32)
    canvas = np.zeros((GRID_SIZE, GRID_SIZE), np.uint8)
    cv2.fillConvexPoly(canvas, cells, 1)
    assert (released_frame_masks(quad, BROADCAST, False) == canvas).all()
    assert not released_frame_masks(np.full((4, 2), np.nan), BROADCAST, False).any()


def test_a_paper_tube_stands_elsewhere_than_a_released_one() -> None:
    """What the authors called the mismatch: the athlete in the middle of the left half of the crop."""
    quads = np.stack([rotated((230, 120), (40, 60), 0)] * 4)
    paper, released = (
        tube_masks(quads, geometry=BROADCAST, variant=v).masks[0] for v in ("paper", "released")
    )
    assert np.argwhere(paper).mean(axis=0)[1] < np.argwhere(released).mean(axis=0)[1] - 1


def test_leading_axes_are_kept() -> None:
    quads = np.stack([rotated((300 + at, 170), (90, 120), at) for at in range(64)]).reshape(2, 2, 16, 4, 2)
    together = tube_masks(quads, geometry=BROADCAST).masks
    assert together.shape == (2, 2, 4, GRID_SIZE, GRID_SIZE)
    assert (together[1, 0] == tube_masks(quads[1, 0], geometry=BROADCAST).masks).all()


def test_what_cannot_be_masks_is_refused() -> None:
    quads = np.zeros((8, 4, 2))
    with pytest.raises(AqaError, match=r"shape \(8, 2, 4\): expected \(\.\.\., 4, 2\)"):
        coverage(np.zeros((8, 2, 4)))
    with pytest.raises(AqaError, match="infinite corners"):
        coverage(np.full((4, 2), np.inf))
    with pytest.raises(AqaError, match="6 frames: expected groups of 4"):
        tube_masks(quads[:6], geometry=BROADCAST)
    with pytest.raises(AqaError, match="0 frames"):
        union_of_frames(np.zeros((GRID_SIZE, GRID_SIZE), bool))
    with pytest.raises(AqaError, match="at least one pixel"):
        PictureGeometry((0, 360))
