"""Groups of score differences: the leaves of CoRe's tree, a difference's place in them, and the loss of both.

Yu et al., ICCV 2021, sections 3.3 and 3.4. Positive leaves hold equally many differences of training pairs,
and negative ones mirror them. `leaves` are `(leaf, 2)`: the left and right ends, in ascending order.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from heads.models.output import Pairs


class Places(NamedTuple):
    """The leaf and the position in it, 0 at the left end and 1 at the right one, of each difference `(pair)`.

    `counted` is False for a difference whose position the loss does not compare.
    """

    leaf: Tensor
    position: Tensor
    counted: Tensor


def divide_into_leaves(differences: Tensor, *, num_leaves: int, largest: float) -> Tensor:
    """Return the leaves of the absolute differences `(pair)` of training pairs; the outer ends are `largest`.

    Leaf i of the n positive ones begins at the sorted difference of index `int(i / n * (pairs - 1))`.
    """
    ordered, half = differences.abs().sort().values, num_leaves // 2
    inner = [int(leaf / half * (len(ordered) - 1)) for leaf in range(1, half)]
    edges = torch.cat([ordered.new_zeros(1), ordered[inner], ordered.new_full((1,), largest)])
    positive = torch.stack([edges[:-1], edges[1:]], dim=1)
    return torch.cat([-positive.flip(0, 1), positive])


def place(differences: Tensor, leaves: Tensor, *, released: bool) -> Places:
    """Return where differences `(pair)` lie. A difference beyond the outer ends is moved to the end.

    `released` keeps a fault of the authors' code: a difference that equals an outer end lies in no leaf. It
    is taken for the first leaf then, whatever its sign, and its position does not count.
    """
    left, right = leaves.unbind(1)
    inner = differences if released else differences.clamp(left[0], right[-1])
    each = inner[:, None]
    inside = torch.where(each >= 0, (left <= each) & (each < right), (left < each) & (each <= right))
    leaf, counted = inside.int().argmax(dim=1), inside.any(dim=1)
    if not released:
        leaf = torch.where(counted | (inner <= 0), leaf, len(leaves) - 1)
        counted = torch.ones_like(counted)
    width = right[leaf] - left[leaf]
    position = (inner - left[leaf]) / torch.where(width == 0, torch.ones_like(width), width)
    return Places(leaf, position, counted)


def difference_at(leaf: Tensor, position: Tensor, leaves: Tensor) -> Tensor:
    """Return the difference at a position of a leaf; both have the same shape."""
    left, right = leaves.unbind(1)
    return left[leaf] + (right[leaf] - left[leaf]) * position


def expected_difference(log_probabilities: Tensor, positions: Tensor, leaves: Tensor) -> Tensor:
    """Return the mean difference `(batch)` over all leaves `(batch, leaf)`, by their probabilities."""
    left, right = leaves.unbind(1)
    return (log_probabilities.exp() * (left + (right - left) * positions)).sum(dim=-1)


def leaf_losses(pairs: Pairs, targets: Tensor, *, in_batch: bool = False, released: bool = False) -> Tensor:
    """Return the loss of each pair `(batch)`, the sum over both orders of the two videos.

    Each order has the negative log likelihood of the leaf and the squared error of the position in it. With
    `in_batch` the errors are averaged over the batch's pairs of the same leaf, and the mean of the losses is
    the mean of the likelihoods plus the sum of these averages. Else each pair is a batch of its own.
    """
    losses = torch.zeros_like(targets)
    difference = targets - pairs.exemplar_scores
    for order, sign in enumerate((1, -1)):
        leaf, position, counted = place(sign * difference, pairs.leaves, released=released)
        losses = losses - _of(leaf, pairs.log_probabilities[order])
        error = counted * (_of(leaf, pairs.positions[order]) - position) ** 2
        if in_batch:
            same = (leaf[:, None] == leaf) & counted
            error = error * len(leaf) / same.sum(dim=1).clamp_min(1)
        losses = losses + error
    return losses


def _of(leaf: Tensor, values: Tensor) -> Tensor:
    return values.gather(1, leaf[:, None]).squeeze(1)
