"""CoRe: the score of a video from its differences to training videos with known scores.

Paper: Yu et al., "Group-aware Contrastive Regression for Action Quality Assessment", ICCV 2021. The sizes are
those of the authors' code, github.com/yuxumin/CoRe (no license; no code is copied).

Differences from the authors' code:
* The ten exemplars of a test video are drawn by the video's name and the seed, not anew at each test. The
  training set and the groups are part of the state, so that a run scores new videos by itself.
* Features are stored: no backbone is trained, and an exemplar is seen whole in training.
* In training the reported score is the mean over all leaves, which has a gradient.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from heads.data.streams import VIDEO_DIFFICULTIES, VIDEO_KEYS
from heads.models.mean_vector.exemplars import Exemplars
from heads.models.mean_vector.leaves import difference_at, divide_into_leaves, expected_difference
from heads.models.mean_vector.regression_tree import NUM_LEAVES, WIDTH, RegressionTree
from heads.models.output import HeadOutput, Pairs
from heads.models.time_weights import equal_weights, weighted_sum

ADAPTED_WIDTH = 64  # of the tree, for few videos


class ContrastiveHead(nn.Module):
    """Compare the mean over a video's real steps with exemplars.

    `leaves` `(leaf, 2)` are the groups of score differences. `score_range` divides the score of an exemplar
    where the tree reads it. Both are in the unit of the scores.
    """

    leaves: Tensor
    score_range: Tensor

    def __init__(self, dims: Mapping[str, int], *, variant: str = "paper") -> None:
        super().__init__()
        ((self.stream, dim),) = dims.items()
        width = ADAPTED_WIDTH if variant == "adapted" else WIDTH
        self.regressor = RegressionTree(2 * dim + 1, width=width)
        self.exemplars = Exemplars(dim)
        evenly = torch.linspace(-1, 1, NUM_LEAVES + 1)
        self.register_buffer("leaves", torch.stack([evenly[:-1], evenly[1:]], dim=1))
        self.register_buffer("score_range", torch.ones(()))

    def vectors_of(self, features: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> Tensor:
        """Return the mean over each video's real steps `(batch, dim)`, zeros without any."""
        steps = features[self.stream]
        return weighted_sum(equal_weights(masks[self.stream], steps.dtype), steps)

    def remember(
        self,
        vectors: Tensor,
        scores: Tensor,
        *,
        keys: Tensor,
        difficulties: Tensor | None,
        seed: int,
        score_range: float,
    ) -> None:
        """Take the training set as exemplars, and divide the differences of its admissible pairs into groups.

        All pairs are divided if no two videos have the same difficulty.
        """
        known = torch.zeros_like(scores) if difficulties is None else difficulties
        self.exemplars.remember(vectors, scores, keys=keys, difficulties=known, seed=seed)
        one, other = torch.triu_indices(len(scores), len(scores), offset=1)
        alike = known[one] == known[other]
        chosen = alike if alike.any() else torch.ones_like(alike)
        differences = (scores[one] - scores[other])[chosen]
        self.leaves = divide_into_leaves(differences, num_leaves=NUM_LEAVES, largest=score_range).to(
            self.leaves
        )
        self.score_range.fill_(score_range)

    def forward(self, features: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> HeadOutput:
        """Return scores `(batch)` and equal weights; in training also the pairs that were compared.

        `features` may hold a key and a difficulty of each video `(batch)`. A video is compared with exemplars
        of other keys and the same difficulty.
        """
        vectors = self.vectors_of(features, masks)
        keys = features.get(VIDEO_KEYS, torch.zeros(len(vectors), dtype=torch.int64, device=vectors.device))
        admissible = self.exemplars.admissible(keys, features.get(VIDEO_DIFFICULTIES))
        attention = {self.stream: equal_weights(masks[self.stream], vectors.dtype)}
        if self.training:
            pairs = self._compare_both_ways(vectors, self.exemplars.scores_of(keys), admissible)
            expected = expected_difference(pairs.log_probabilities[0], pairs.positions[0], self.leaves)
            return HeadOutput(pairs.exemplar_scores + expected, attention, pairs=pairs)
        voters, counted = self.exemplars.voters(keys, admissible)
        votes = self._votes(vectors, voters)
        return HeadOutput((votes * counted).sum(dim=1) / counted.sum(dim=1), attention)

    def _compare_both_ways(self, vectors: Tensor, known: Tensor, admissible: Tensor) -> Pairs:
        """Compare each video with an exemplar drawn at random, and the exemplar with the video.

        `known` are the videos' own scores `(batch)`, which the tree reads in the second comparison.
        """
        exemplars, scores = self.exemplars.rows(self.exemplars.draw(admissible))
        forwards, backwards = (
            self._compare(exemplars, vectors, scores),
            self._compare(vectors, exemplars, known),
        )
        log_probabilities, positions = (torch.stack(both) for both in zip(forwards, backwards, strict=True))
        return Pairs(log_probabilities, positions, scores, self.leaves)

    def _votes(self, vectors: Tensor, voters: Tensor) -> Tensor:
        """Return the score of each video by each of its voters, `(batch, voter)`."""
        exemplars, scores = self.exemplars.rows(voters)
        targets = vectors[:, None].expand_as(exemplars)
        log_probabilities, positions = self._compare(
            exemplars.flatten(0, 1), targets.flatten(0, 1), scores.flatten()
        )
        leaf = log_probabilities.argmax(dim=1)
        position = positions.gather(1, leaf[:, None]).squeeze(1)
        return scores + difference_at(leaf, position, self.leaves).view_as(scores)

    def _compare(self, exemplars: Tensor, targets: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
        """Return log probabilities and positions `(pair, leaf)` of targets beside exemplars with scores."""
        return self.regressor(torch.cat([exemplars, targets, (scores / self.score_range)[:, None]], dim=1))
