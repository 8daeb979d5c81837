"""Tube attention of a batch as one differentiable operation, each video by the order of products it is given.

What autograd would make of the same products copies the whole maps several times on the way back; only the
points of the tubes change, so here they are copied once.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from heads.tube_attention.points import TubePoints, dense_in_either_order, put, take
from heads.tube_attention.products import PRODUCTS, Order, Weights


def attend(maps: Tensor, points: TubePoints, orders: list[Order], weights: Weights) -> Tensor:
    """X' of eq. 6, shaped as the maps and in the weights' dtype; `orders` has one entry per video.

    Under autocast too it runs in the weights' own dtype: sums over thousands of positions need its digits.
    """
    with torch.autocast(maps.device.type, enabled=False):
        result: Tensor = _TubeAttention.apply(maps, points, orders, *weights)
    return result


class _TubeAttention(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, maps: Tensor, points: TubePoints, orders: list[Order], *parameters: Tensor
    ) -> Tensor:
        weights = Weights(*parameters)
        rows = take(maps, points).to(weights.theta.dtype)
        attended = rows.clone()
        saved: list[Tensor] = []
        lengths: list[int] = []
        for x, z, order in zip(rows.split(points.counts), attended.split(points.counts), orders, strict=True):
            kept = PRODUCTS[order].forward(x, z, weights) if len(x) else ()
            saved.extend(kept)
            lengths.append(len(kept))
        ctx.points, ctx.orders, ctx.lengths, ctx.dtype = points, orders, lengths, maps.dtype
        ctx.save_for_backward(rows, *weights, *saved)
        return put(maps, points, attended)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_maps: Tensor) -> tuple[Tensor | None, ...]:
        rows, *kept = ctx.saved_tensors
        weights, saved = Weights(*kept[: len(Weights._fields)]), iter(kept[len(Weights._fields) :])
        grads = Weights(*(torch.zeros_like(weight) for weight in weights))
        points: TubePoints = ctx.points
        wanted: bool = ctx.needs_input_grad[0]
        grad_maps = dense_in_either_order(grad_maps)
        grad_rows = take(grad_maps, points)
        for x, grad, order, length in zip(
            rows.split(points.counts), grad_rows.split(points.counts), ctx.orders, ctx.lengths, strict=True
        ):
            of_video = tuple(next(saved) for _ in range(length))
            if len(x):
                PRODUCTS[order].backward(grad, x, of_video, weights, grads, wanted)
        grad_input = put(grad_maps, points, grad_rows).to(ctx.dtype) if wanted else None
        return grad_input, None, None, *grads
