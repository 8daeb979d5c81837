"""Pose + DCT: low frequencies of the joints' tracks, then linear support vector regression (SVR).

Paper: Pirsiavash, Vondrick and Torralba, "Assessing the Quality of Actions", ECCV 2014. Original code:
MATLAB, published with the paper. Own text.

Each joint's track relative to the head goes through a discrete cosine transform (DCT), and the magnitudes of
the lowest frequencies are the numbers of a video. What differs: tracks are in torso lengths; coefficients are
divided by the number of steps, so that they do not grow with the video; how many frequencies count is chosen
with the SVR's C by cross-validation on the training set; and the poses are those of the stream `poses`. Steps
without a pose are left out of the tracks.
"""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from aqa_pipeline.poses import JOINT_SETS, feature_names
from heads.models.closed_form.linear_svr import LinearSvr, search_cost
from heads.models.time_weights import equal_weights

NUM_FREQUENCIES = (5, 15, 50)  # candidates, the mean included
HEAD = "nose"


class PoseDct(LinearSvr):
    """Score the tracks of one stream: magnitudes of the DCT's low frequencies, and a linear function.

    Of features of poses, the joints' x and y relative to the head are the tracks. Other features are tracks
    as they are.
    """

    def __init__(self, dims: Mapping[str, int]) -> None:
        ((stream, dim),) = dims.items()
        self.num_tracks, self.head = tracks_of(dim)
        super().__init__(stream, max(NUM_FREQUENCIES) * self.num_tracks)

    def numbers(self, features: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the magnitudes `(batch, frequency * track)`, and equal weights of the steps."""
        tracks = features[:, :, : self.num_tracks].double()
        if self.head is not None:
            points = tracks.unflatten(2, (-1, 2))
            tracks = (points - points[:, :, self.head : self.head + 1]).flatten(2)
        spectrum = low_frequencies(tracks, mask, num=max(NUM_FREQUENCIES))
        return spectrum.abs().flatten(1), equal_weights(mask, features.dtype)

    def fit(self, numbers: NDArray[np.float64], labels: NDArray[np.float64], *, seed: int) -> None:
        """Fit to numbers `(video, width)` and normalized labels `(video)`; choose frequencies and C."""
        widths = [num * self.num_tracks for num in NUM_FREQUENCIES]
        searches = [search_cost(numbers[:, :width], labels, seed=seed) for width in widths]
        best = max(searches, key=lambda search: search.best_score_)
        scaler, svr = best.best_estimator_
        unused = numbers.shape[1] - len(scaler.mean_)
        self.keep(
            np.pad(scaler.mean_, (0, unused)),
            np.pad(scaler.scale_, (0, unused), constant_values=1.0),
            np.pad(svr.coef_[0], (0, unused)),
            svr.intercept_[0],
        )


def tracks_of(dim: int) -> tuple[int, int | None]:
    """Return how many of the features are tracks, and the place of the head; None if they are no poses."""
    for joint_set in JOINT_SETS.values():
        if dim == len(feature_names(joint_set)):
            return 2 * len(joint_set), joint_set.joints.index(HEAD)
    return dim, None


def low_frequencies(tracks: Tensor, mask: Tensor, *, num: int) -> Tensor:
    """Return the DCT-II of the real steps, `(batch, num, track)`, divided by the number of steps T.

    Coefficient k is the mean over steps t of x_t cos(pi k (t + 1/2) / T); those from T on are zero.
    """
    lengths = mask.sum(dim=1)
    step = mask.cumsum(dim=1) - 0.5  # the first real step has 1/2, wherever the padding is
    frequency = torch.arange(num)
    angle = torch.pi * frequency[:, None] * (step / lengths.clamp(min=1)[:, None])[:, None, :]
    used = mask[:, None, :] & (frequency[:, None] < lengths[:, None, None])
    waves = angle.double().cos() * used / lengths.clamp(min=1)[:, None, None]
    return waves @ tracks.masked_fill(~mask[:, :, None], 0.0)


def build_pose_dct(dims: Mapping[str, int]) -> PoseDct:
    """Return the head on one stream."""
    return PoseDct(dims)
