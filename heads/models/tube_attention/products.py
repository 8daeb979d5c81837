"""Three orders of the same products (eq. 4-6 of TSA-Net), forward and backward, for one video.

X `(position, channel)` are the rows of the M positions of a tube. With T = theta(X), P = phi(X) and G = g(X),
eq. 4-6 are

    Z = X + W_z((T P^T) G / M)

There is no softmax, so the products associate. With C channels reduced to R:

* `scores`: (T P^T) G, as written. The M x M scores cost 2 M^2 R multiply-adds. Best for M < R.
* `context`: T (P^T G). The R x R matrix costs 2 M R^2 multiply-adds.
* `moments`: P^T G = phi (X^T X) g^T. The symmetric second moments X^T X replace the projections P and G, and
  (P^T G) W_z^T / M replaces W_z. Best for M > C. In the backward pass, the gradients of phi, g and W_z need
  no product with the M rows.

In `moments` a bias is one more channel that is always 1. Comments mark matrices with that channel by a tilde.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

import torch
from torch import Tensor

Order = Literal["scores", "context", "moments"]
Saved = tuple[Tensor, ...]


class Weights(NamedTuple):
    """The weights of theta, phi and g, `(R, C)` each, of W_z, `(C, R)`, and their biases."""

    theta: Tensor
    theta_bias: Tensor
    phi: Tensor
    phi_bias: Tensor
    g: Tensor
    g_bias: Tensor
    w_z: Tensor
    w_z_bias: Tensor


class Backward(Protocol):
    """A backward pass."""

    def __call__(
        self,
        grad: Tensor,
        x: Tensor,
        saved: Saved,
        /,
        *,
        weights: Weights,
        grads: Weights,
        needs_input_grad: bool,
    ) -> None:
        """Add the gradients of the weights to `grads`; turn `grad`, dZ, into dX if `needs_input_grad`."""


@dataclass(frozen=True)
class Products:
    """One order of products.

    `forward(X, weights)` returns Z and the tensors that `backward` needs. `multiply_adds(M, C, R)` counts the
    products of the forward pass.
    """

    forward: Callable[[Tensor, Weights], tuple[Tensor, Saved]]
    backward: Backward
    multiply_adds: Callable[[int, int, int], int]


def scores_forward(x: Tensor, weights: Weights) -> tuple[Tensor, Saved]:
    """Compute Z through (T P^T) G, with the scores of all pairs of positions."""
    projected = _project(x, weights)
    theta, phi, g = projected.chunk(3, dim=1)
    scores = (theta @ phi.mT).div_(len(x))
    y = scores @ g
    return torch.addmm(x, y, weights.w_z.mT).add_(weights.w_z_bias), (projected, scores, y)


def scores_backward(
    grad: Tensor, x: Tensor, saved: Saved, *, weights: Weights, grads: Weights, needs_input_grad: bool
) -> None:
    """Add the gradients of (T P^T) G to `grads`; turn `grad` into dX if needed."""
    projected, scores, y = saved
    theta, phi, g = projected.chunk(3, dim=1)
    grad_y = _embedding_backward(grad, y, weights, grads)
    grad_scores = (grad_y @ g.mT).div_(len(x))
    grad_projected = torch.empty_like(projected)
    grad_theta, grad_phi, grad_g = grad_projected.chunk(3, dim=1)
    torch.mm(grad_scores, phi, out=grad_theta)
    torch.mm(grad_scores.mT, theta, out=grad_phi)
    torch.mm(scores.mT, grad_y, out=grad_g)
    _project_backward(
        grad, x, grad_projected, weights=weights, grads=grads, needs_input_grad=needs_input_grad
    )


def context_forward(x: Tensor, weights: Weights) -> tuple[Tensor, Saved]:
    """Compute Z through T (P^T G), without the scores."""
    projected = _project(x, weights)
    theta, phi, g = projected.chunk(3, dim=1)
    context = (phi.mT @ g).div_(len(x))
    y = theta @ context
    return torch.addmm(x, y, weights.w_z.mT).add_(weights.w_z_bias), (projected, context, y)


def context_backward(
    grad: Tensor, x: Tensor, saved: Saved, *, weights: Weights, grads: Weights, needs_input_grad: bool
) -> None:
    """Add the gradients of T (P^T G) to `grads`; turn `grad` into dX if needed."""
    projected, context, y = saved
    theta, phi, g = projected.chunk(3, dim=1)
    grad_y = _embedding_backward(grad, y, weights, grads)
    grad_context = (theta.mT @ grad_y).div_(len(x))
    grad_projected = torch.empty_like(projected)
    grad_theta, grad_phi, grad_g = grad_projected.chunk(3, dim=1)
    torch.mm(grad_y, context.mT, out=grad_theta)
    torch.mm(g, grad_context.mT, out=grad_phi)
    torch.mm(phi, grad_context, out=grad_g)
    _project_backward(
        grad, x, grad_projected, weights=weights, grads=grads, needs_input_grad=needs_input_grad
    )


def _project(x: Tensor, weights: Weights) -> Tensor:
    """Return T, P and G side by side, `(M, 3 R)`, from one product."""
    bias = torch.cat([weights.theta_bias, weights.phi_bias, weights.g_bias])
    return torch.addmm(bias, x, torch.cat([weights.theta, weights.phi, weights.g]).mT)


def _embedding_backward(grad: Tensor, y: Tensor, weights: Weights, grads: Weights) -> Tensor:
    grads.w_z.addmm_(grad.mT, y)
    grads.w_z_bias.add_(grad.sum(dim=0))
    return grad @ weights.w_z


def _project_backward(
    grad: Tensor,
    x: Tensor,
    grad_projected: Tensor,
    *,
    weights: Weights,
    grads: Weights,
    needs_input_grad: bool,
) -> None:
    grad_weights, grad_bias = grad_projected.mT @ x, grad_projected.sum(dim=0)
    for mine, part in zip((grads.theta, grads.phi, grads.g), grad_weights.chunk(3), strict=True):
        mine.add_(part)
    for mine, part in zip((grads.theta_bias, grads.phi_bias, grads.g_bias), grad_bias.chunk(3), strict=True):
        mine.add_(part)
    if needs_input_grad:
        grad.addmm_(grad_projected, torch.cat([weights.theta, weights.phi, weights.g]))


def moments_forward(x: Tensor, weights: Weights) -> tuple[Tensor, Saved]:
    """Compute Z through the second moments of X."""
    theta = torch.addmm(weights.theta_bias, x, weights.theta.mT)
    moments = second_moments(x)  # S~ = X~^T X~
    phi_moments = _with_bias(weights.phi, weights.phi_bias) @ moments  # phi~ S~
    context = phi_moments @ _with_bias(weights.g, weights.g_bias).mT  # P^T G
    embedded = (context @ weights.w_z.mT).div_(len(x))  # P^T G W_z^T / M
    z = torch.addmm(x, theta, embedded).add_(weights.w_z_bias)
    return z, (theta, moments, phi_moments, context, embedded)


def moments_backward(
    grad: Tensor, x: Tensor, saved: Saved, *, weights: Weights, grads: Weights, needs_input_grad: bool
) -> None:
    """Add the gradients of the moments to `grads`; turn `grad` into dX if needed."""
    theta, moments, phi_moments, context, embedded = saved
    grad_theta = grad @ embedded.mT
    grad_embedded = (theta.mT @ grad).div_(len(x))
    grads.theta.addmm_(grad_theta.mT, x)
    grads.theta_bias.add_(grad_theta.sum(dim=0))
    grads.w_z.addmm_(grad_embedded.mT, context)
    grads.w_z_bias.add_(grad.sum(dim=0))
    grad_context = grad_embedded @ weights.w_z
    grad_phi_moments = grad_context @ _with_bias(weights.g, weights.g_bias)
    _add_with_bias(grads.g, grads.g_bias, grad_context.mT @ phi_moments)
    _add_with_bias(grads.phi, grads.phi_bias, grad_phi_moments @ moments)
    if needs_input_grad:
        grad_moments = _with_bias(weights.phi, weights.phi_bias).mT @ grad_phi_moments
        both = grad_moments + grad_moments.mT  # X is on both sides of X^T X
        grad.addmm_(grad_theta, weights.theta).addmm_(x, both[:-1, :-1]).add_(both[-1, :-1])


def second_moments(x: Tensor) -> Tensor:
    """Return X~^T X~, `(C + 1, C + 1)`; one of its four blocks is copied from its mirror image."""
    channels, half = x.shape[1], x.shape[1] // 2
    moments = x.new_empty(channels + 1, channels + 1)
    first, second = x[:, :half], x[:, half:]
    moments[:half, :half] = first.mT @ first
    moments[half:channels, half:channels] = second.mT @ second
    moments[:half, half:channels] = first.mT @ second
    moments[half:channels, :half] = moments[:half, half:channels].mT
    moments[channels, :channels] = x.sum(dim=0)
    moments[:channels, channels] = moments[channels, :channels]
    moments[channels, channels] = len(x)
    return moments


def _with_bias(weight: Tensor, bias: Tensor) -> Tensor:
    return torch.cat([weight, bias[:, None]], dim=1)


def _add_with_bias(grad_weight: Tensor, grad_bias: Tensor, grad: Tensor) -> None:
    grad_weight.add_(grad[:, :-1])
    grad_bias.add_(grad[:, -1])


def _scores_cost(positions: int, channels: int, reduced: int) -> int:
    return 4 * positions * channels * reduced + 2 * positions**2 * reduced


def _context_cost(positions: int, channels: int, reduced: int) -> int:
    return 4 * positions * channels * reduced + 2 * positions * reduced**2


def _moments_cost(positions: int, channels: int, reduced: int) -> int:
    half, with_bias = channels // 2, channels + 1
    of_moments = positions * (channels**2 - half * (channels - half))
    of_small = reduced * with_bias**2 + reduced**2 * with_bias + reduced**2 * channels
    return 2 * positions * channels * reduced + of_moments + of_small


PRODUCTS: Mapping[Order, Products] = {
    "scores": Products(scores_forward, scores_backward, _scores_cost),
    "context": Products(context_forward, context_backward, _context_cost),
    "moments": Products(moments_forward, moments_backward, _moments_cost),
}


def cheapest(positions: int, channels: int, reduced: int) -> Order:
    """Return the order with the fewest multiply-adds for a tube of so many positions."""
    return min(PRODUCTS, key=lambda order: PRODUCTS[order].multiply_adds(positions, channels, reduced))
