"""The network that a recipe trains: the head, and what stands before it."""

from collections.abc import Callable, Mapping
from functools import partial

from torch import nn

from heads.models.closed_form.beside_ridge import BesideRidge
from heads.models.feature_scaling.standardized import Standardized
from heads.models.feature_scaling.whitening import Whitened
from heads.recipes import Recipe

Build = Callable[..., nn.Module]


def prepare_module(build: Build, dims: Mapping[str, int], recipe: Recipe) -> nn.Module:
    """Return the module that the recipe asks for: the head, behind whitening or standardization if it asks.

    `build(dims, **recipe.network)` returns the head. An adapted head may have ridge regression beside it,
    which is not trained by gradient.
    """
    build, adaptation = partial(build, **recipe.network), recipe.adaptation
    if adaptation is not None and adaptation.standardize:
        adapted, share = _adapted(build(dims), dims, recipe), adaptation.ridge_share
        return adapted if share is None else BesideRidge(adapted, dims, share=share)
    if not recipe.num_components:
        return build(dims)
    num_components = {stream: min(recipe.num_components, dim) for stream, dim in dims.items()}
    return Whitened(build(num_components), dims, num_components)


def _adapted(head: nn.Module, dims: Mapping[str, int], recipe: Recipe) -> Standardized:
    """Return the head behind standardization, with the dropout of the first (or chosen) regularization."""
    assert recipe.adaptation is not None, "only adapted recipes choose a dropout"
    regularization = recipe.adaptation.candidates[0]
    for module in head.modules():
        if isinstance(module, nn.Dropout):
            module.p = regularization.dropout
    return Standardized(head, dims, dropout=regularization.input_dropout)
