"""Decode the outputs of BlazePose's detector into persons."""

from dataclasses import dataclass

import numpy as np

from extract.detectors.blazepose.anchors import anchor_centers

SIZE = 224  # of the picture that the network takes
LARGEST_LOGIT = 100.0
MOST_OVERLAP = 0.3  # of faces: above it, two candidates are one person
ANCHORS = anchor_centers()
CENTER, SIDES = 0, 1  # of a face
HIPS, SCALE_POINT, SHOULDERS = 0, 1, 2  # of a body; the upper body's scale point follows


@dataclass(frozen=True, eq=False)
class Candidates:
    """Candidates, best first; all numbers are from 0 to 1 in the network's picture.

    `faces` (candidate, 2, 2) are the center and the sides of the face's box. `bodies` (candidate, 4, 2) are
    the middle of the hips, the scale point of the whole body, the middle of the shoulders, and the scale
    point of the upper body. `scores` are (candidate,).
    """

    faces: np.ndarray
    bodies: np.ndarray
    scores: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)


def decode(values: np.ndarray, logits: np.ndarray, *, confidence: float) -> Candidates:
    """Return the candidates of at least `confidence` among (2254, 12) values and (2254,) logits."""
    scores = 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -LARGEST_LOGIT, LARGEST_LOGIT)))
    order = np.argsort(-scores, kind="stable")
    kept = order[scores[order] >= confidence]
    faces, bodies = np.split(values[kept].astype(np.float64).reshape(-1, 6, 2) / SIZE, [2], axis=1)
    faces[:, CENTER] += ANCHORS[kept]
    return Candidates(faces, bodies + ANCHORS[kept, None], scores[kept])


def suppress(candidates: Candidates) -> Candidates:
    """Return one candidate per person: the mean of candidates whose faces overlap, weighted by their scores.

    The score is the best one of them, as in MediaPipe's weighted non-maximum suppression.
    """
    left, people = np.arange(len(candidates)), []
    while len(left):
        overlaps = _overlaps(candidates.faces[left[0]], candidates.faces[left])
        is_same = (overlaps > MOST_OVERLAP) | (left == left[0])
        people.append(left[is_same])
        left = left[~is_same]

    def means(points: np.ndarray) -> np.ndarray:
        merged = [np.average(points[same], axis=0, weights=candidates.scores[same]) for same in people]
        return np.reshape(merged, (-1, *points.shape[1:]))

    best = [same[0] for same in people]
    return Candidates(means(candidates.faces), means(candidates.bodies), candidates.scores[best])


def _overlaps(best: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the intersection over union of one face (2, 2) and those of (candidate, 2, 2)."""
    low = np.maximum(best[CENTER] - best[SIDES] / 2, others[:, CENTER] - others[:, SIDES] / 2)
    high = np.minimum(best[CENTER] + best[SIDES] / 2, others[:, CENTER] + others[:, SIDES] / 2)
    shared = np.maximum(high - low, 0).prod(axis=1)
    union = best[SIDES].prod() + others[:, SIDES].prod(axis=1) - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
