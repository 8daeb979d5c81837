"""Tube self-attention of the paper's text: every position of a tube attends to all others of the video.

Paper: Wang et al., "TSA-Net", ACM MM 2021, section 3.2, eq. 4-6. No code is copied. The paper does not say
whether there are biases, nor how to initialize. Here, as in the non-local networks that it follows (Wang et
al., CVPR 2018), all four transformations have a bias, and W_z starts at zero, so that a new block does not
change the output of a trained network.
"""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from aqa_pipeline.errors import UnknownName
from heads.models.tube_attention.autograd import attend
from heads.models.tube_attention.points import check_shapes, dense_in_either_order, replace_rows, tube_points
from heads.models.tube_attention.products import PRODUCTS, Order, Weights, cheapest

CHANNELS, REDUCED = 528, 264  # of Mixed_4e; theta, phi and g halve them

Computation = Literal["cheapest", "as-written", "scores", "context", "moments"]


class TubeAttention(nn.Module):
    """Attention among the positions of each video's tube, over all its clips and steps (eq. 4-6).

    Positions outside the tube do not change. `everywhere` ignores the masks: the dense non-local block.
    `computation` chooses how the same result is computed: `cheapest` takes the order with the fewest
    multiply-adds for each video, `as-written` is eq. 4-6 by autograd, and the others fix the order (see
    products.py). Raises `UnknownName` for an unknown computation.
    """

    def __init__(
        self,
        channels: int = CHANNELS,
        reduced: int = REDUCED,
        *,
        computation: Computation = "cheapest",
        everywhere: bool = False,
    ) -> None:
        super().__init__()
        if computation not in COMPUTATIONS:
            raise UnknownName("computation of tube attention", computation, COMPUTATIONS)
        self.channels, self.reduced = channels, reduced
        self.computation, self.everywhere = computation, everywhere
        self.theta = nn.Linear(channels, reduced)
        self.phi = nn.Linear(channels, reduced)
        self.g = nn.Linear(channels, reduced)
        self.w_z = nn.Linear(reduced, channels)
        nn.init.zeros_(self.w_z.weight)
        nn.init.zeros_(self.w_z.bias)

    def forward(self, maps: Tensor, masks: Tensor) -> Tensor:
        """Return X' (eq. 6) in the shape of the maps, `(batch, clip, channel, step, height, width)`.

        `masks` are bool, of the same shape without channel. Raises `ValueError` for other shapes.
        """
        check_shapes(maps, masks, self.channels)
        maps = dense_in_either_order(maps)
        points = tube_points(torch.ones_like(masks) if self.everywhere else masks, maps.device)
        if self.computation == "as-written":
            return replace_rows(maps, points, self._as_written, dtype=self.theta.weight.dtype)
        return attend(maps, points, self.orders([len(of_video) for of_video in points]), self._weights())

    def orders(self, counts: list[int]) -> list[Order]:
        """Return the order of the products of each video, for tubes of so many positions."""
        fixed: Order | None = next((order for order in PRODUCTS if order == self.computation), None)
        return [fixed or cheapest(count, self.channels, self.reduced) for count in counts]

    def _weights(self) -> Weights:
        layers = (self.theta, self.phi, self.g, self.w_z)
        return Weights(*(tensor for layer in layers for tensor in (layer.weight, layer.bias)))

    def _as_written(self, x: Tensor) -> Tensor:
        if not len(x):
            return x
        y = (self.theta(x) @ self.phi(x).mT / len(x)) @ self.g(x)
        attended: Tensor = self.w_z(y) + x
        return attended


COMPUTATIONS: Mapping[str, str] = {
    "cheapest": "the order with the fewest multiply-adds, chosen per video",
    "as-written": "eq. 4-6, by autograd",
    "scores": "(theta phi^T) g",
    "context": "theta (phi^T g)",
    "moments": "theta (phi (X^T X) g^T)",
}
