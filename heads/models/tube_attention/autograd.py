"""Tube attention of a batch as one differentiable operation.

Plain autograd copies the whole maps several times in the backward pass. Only the positions of the tubes
change, so this operation copies the maps once.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from heads.models.tube_attention.points import TubePoints, dense_in_either_order, take, write
from heads.models.tube_attention.products import PRODUCTS, Order, Weights


def attend(maps: Tensor, points: list[TubePoints], orders: list[Order], weights: Weights) -> Tensor:
    """Return X' of eq. 6 in the shape of the maps and the dtype of the weights.

    `points` and `orders` have one entry per video. Autocast is off, because sums over thousands of positions
    need the precision of the weights.
    """
    with torch.autocast(maps.device.type, enabled=False):
        result: Tensor = _TubeAttention.apply(maps, points, orders, *weights)
    return result


class _TubeAttention(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, maps: Tensor, points: list[TubePoints], orders: list[Order], *parameters: Tensor
    ) -> Tensor:
        weights = Weights(*parameters)
        attended = maps.to(weights.theta.dtype, copy=True)
        saved: list[Tensor] = []
        lengths: list[int] = []
        for of_video, order in zip(points, orders, strict=True):
            kept: tuple[Tensor, ...] = ()
            if len(of_video):
                x = take(attended, of_video)
                z, others = PRODUCTS[order].forward(x, weights)
                kept = x, *others
                write(attended, of_video, z)
            saved.extend(kept)
            lengths.append(len(kept))
        ctx.points, ctx.orders, ctx.lengths, ctx.dtype = points, orders, lengths, maps.dtype
        ctx.save_for_backward(*weights, *saved)
        return attended

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_attended: Tensor) -> tuple[Tensor | None, ...]:
        kept = ctx.saved_tensors
        weights, saved = Weights(*kept[: len(Weights._fields)]), iter(kept[len(Weights._fields) :])
        grads = Weights(*(torch.zeros_like(weight) for weight in weights))
        needs_input_grad: bool = ctx.needs_input_grad[0]
        grad_attended = dense_in_either_order(grad_attended)
        grad_maps = grad_attended.to(ctx.dtype, copy=True) if needs_input_grad else None
        for of_video, order, length in zip(ctx.points, ctx.orders, ctx.lengths, strict=True):
            x, *others = (next(saved) for _ in range(length)) if length else (None,)
            if x is None:
                continue
            grad = take(grad_attended, of_video)
            PRODUCTS[order].backward(
                grad, x, tuple(others), weights=weights, grads=grads, needs_input_grad=needs_input_grad
            )
            if grad_maps is not None:
                write(grad_maps, of_video, grad.to(ctx.dtype))
        return grad_maps, None, None, *grads
