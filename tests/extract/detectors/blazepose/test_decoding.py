"""Decoding follows MediaPipe's graph: each formula is written here again, as loops over single numbers."""

import math

import numpy as np
import pytest

from extract.detectors.blazepose.anchors import anchor_centers
from extract.detectors.blazepose.decoding import Candidates, decode, suppress

STRIDES = (8, 16, 32, 32, 32)


def anchors_by_loops():
    """Return the anchors of SsdAnchorsCalculator: layers of one stride share a grid, two anchors each."""
    centers, layer = [], 0
    while layer < len(STRIDES):
        stride, number = STRIDES[layer], 0
        while layer < len(STRIDES) and STRIDES[layer] == stride:
            number, layer = number + 2, layer + 1
        cells = math.ceil(224 / stride)
        for y in range(cells):
            for x in range(cells):
                centers += [((x + 0.5) / cells, (y + 0.5) / cells)] * number
    return np.array(centers)


def test_anchors_are_those_of_five_layers():
    np.testing.assert_allclose(anchor_centers(), anchors_by_loops(), rtol=0, atol=1e-15)
    assert anchor_centers().shape == (2254, 2)


def decoded_by_loops(values, logits, confidence):
    anchors, found = anchors_by_loops(), []
    for row, logit, (x, y) in zip(values, logits, anchors, strict=True):
        score = 1 / (1 + math.exp(-min(max(logit, -100), 100)))
        if score < confidence:
            continue
        box = [row[0] / 224 + x, row[1] / 224 + y, row[2] / 224, row[3] / 224]
        points = [row[k] / 224 + (x, y)[k % 2] for k in range(4, 12)]
        found.append((score, box + points))
    return sorted(found, key=lambda each: -each[0])


def random_outputs(seed=0):
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 60, (2254, 12)).astype(np.float32)
    logits = np.full(2254, -9.0, np.float32)
    logits[rng.choice(2254, 40, replace=False)] = rng.uniform(-1, 3, 40)
    return values, logits


def test_decoding_is_the_graphs_formula():
    values, logits = random_outputs()
    found, expected = decode(values, logits, confidence=0.5), decoded_by_loops(values, logits, 0.5)
    assert 10 < len(found) == len(expected)
    np.testing.assert_allclose(found.scores, [score for score, _ in expected], rtol=1e-12)
    flat = np.concatenate([found.faces.reshape(-1, 4), found.bodies.reshape(-1, 8)], axis=1)
    np.testing.assert_allclose(flat, [row for _, row in expected], rtol=1e-6, atol=1e-7)


@pytest.mark.filterwarnings("error")
def test_extreme_logits_are_clipped():
    values, logits = random_outputs()
    logits[:] = -1e6
    logits[7] = 1e6
    found = decode(values, logits, confidence=0.5)
    assert (len(found), found.scores[0]) == (1, 1.0)
    assert len(decode(values, np.full(2254, -1e6), confidence=0.5)) == 0


def candidates(*faces, scores):
    """Return candidates with faces (x, y, width, height); the bodies repeat the centers, plus 0 to 3."""
    boxes = np.array(faces, float).reshape(-1, 2, 2)
    bodies = boxes[:, :1] + np.arange(4.0)[None, :, None]
    return Candidates(boxes, bodies, np.array(scores))


def test_overlapping_faces_are_averaged_by_their_scores():
    # Two squares of side 4, one apart: IoU 12 / 20 = 0.6. The third is elsewhere.
    found = suppress(candidates((10, 10, 4, 4), (50, 10, 4, 4), (11, 10, 4, 4), scores=(0.9, 0.8, 0.6)))
    np.testing.assert_array_equal(found.scores, [0.9, 0.8])
    mean = (0.9 * 10 + 0.6 * 11) / 1.5
    np.testing.assert_allclose(found.faces, [[[mean, 10], [4, 4]], [[50, 10], [4, 4]]])
    np.testing.assert_allclose(found.bodies[0], [[mean + k, 10 + k] for k in range(4)])


def test_faces_that_overlap_little_are_two_persons():
    # Two squares of side 4, two apart: IoU 8 / 24 = 1/3, above 0.3; with 2.2: 7.2 / 24.8 = 0.29, below it.
    assert len(suppress(candidates((10, 10, 4, 4), (12, 10, 4, 4), scores=(0.9, 0.8)))) == 1
    assert len(suppress(candidates((10, 10, 4, 4), (12.2, 10, 4, 4), scores=(0.9, 0.8)))) == 2


def test_suppression_compares_with_the_best_and_not_with_the_mean():
    # The third overlaps the second and the mean, but not the first, which is the best.
    chain = candidates((10, 10, 4, 4), (12, 10, 4, 4), (13, 10, 4, 4), scores=(0.9, 0.8, 0.7))
    found = suppress(chain)
    np.testing.assert_array_equal(found.scores, [0.9, 0.7])
    np.testing.assert_array_equal(found.faces[1, 0], [13, 10])


def test_a_face_without_area_is_kept_alone_and_no_face_gives_nobody():
    assert len(suppress(candidates((10, 10, 0, 0), (10, 10, 0, 0), scores=(0.9, 0.8)))) == 2
    nobody = suppress(candidates(scores=()))
    assert (nobody.faces.shape, nobody.bodies.shape, len(nobody)) == ((0, 2, 2), (0, 4, 2), 0)
