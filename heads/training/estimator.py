"""A head as a scikit-learn regressor: fitted on arrays in memory, without a store or a run.

Conventions: https://scikit-learn.org/stable/developers/develop.html
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from aqa_pipeline.errors import ArrayError
from aqa_pipeline.records import Target
from heads.data.score_scale import scale_of
from heads.registry import find_head
from heads.runs.epoch import Epoch
from heads.training.arrays import feature_set, group_names, raw_scores, sequences, whole_number
from heads.training.held_out import KeptEpoch, choose_fold
from heads.training.methods.by_recipe import fit_training, is_chosen_first
from heads.training.methods.choose import choose
from heads.training.methods.predictions import score_videos
from heads.training.methods.prepared_network import prepare_module
from heads.training.methods.training import Compute, Training


class Head(RegressorMixin, BaseEstimator):
    """Regress scores on sequences of features, one sequence per video, with a head of `aqa heads`.

    The recipe is the one that `aqa fit` uses for a dataset that no paper trained on. All parameters are
    keyword-only except `head`.

    Parameters
    ----------
    head : str
        Name of a head that reads one stream of features: "wd", "svr-average", "action-net", ...
    variant : str, optional
        Variant of the head. None: `adapted`, or the head's first variant if it has no `adapted`.
    epochs : int, optional
        Number of epochs. None: the recipe's number.
    select : {"auto", "last", "val"}
        Which epoch is kept. "last": the last one. "val": the one with the highest Spearman correlation on
        20 % of the training videos, which are held out. "auto": "val" if `fit` gets groups, else "last". The
        variant `adapted` chooses its number of epochs by inner folds, which keep groups whole: "auto" is
        "last".
    low, high : float, optional
        Raw scores that map to 0 and 1. None: 10 % beyond the range of the training scores.
    random_state : int
        Seed of the network's start, the batches and the held-out videos.
    device : str
        Device of the training: "cpu", "cuda", "cuda:1", ... `predict` runs on the CPU.

    Attributes
    ----------
    module_ : torch.nn.Module
        The trained network.
    recipe_ : Recipe
        The recipe of the training.
    scale_ : ScoreScale
        The scale of the scores.
    epochs_ : list of Epoch
        The learning curve, one value per epoch.
    chosen_epoch_ : int
        The kept epoch, counted from 1.
    n_features_in_ : int
        Feature size (dim).

    Notes
    -----
    `aqa heads` names the paper of each head.

    Examples
    --------
    >>> import aqa
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> y = rng.uniform(40, 90, size=12)                                          # raw scores (video,)
    >>> X = [rng.normal(score / 10, size=(rng.integers(5, 9), 6)) for score in y]  # (time, dim) per video
    >>> groups = np.repeat(["Ann", "Bo", "Cy", "Di"], 3)                           # one athlete per video
    >>> head = aqa.Head("svr-average").fit(X, y, groups=groups)
    >>> head.predict(X[:2]).shape
    (2,)
    """

    def __init__(
        self,
        head: str = "wd",
        *,
        variant: str | None = None,
        epochs: int | None = None,
        select: KeptEpoch = "auto",
        low: float | None = None,
        high: float | None = None,
        random_state: int = 0,
        device: str = "cpu",
    ) -> None:
        self.head = head
        self.variant = variant
        self.epochs = epochs
        self.select = select
        self.low = low
        self.high = high
        self.random_state = random_state
        self.device = device

    def fit(
        self, X: Sequence[ArrayLike] | ArrayLike, y: ArrayLike, *, groups: ArrayLike | None = None
    ) -> Self:
        """Train the head and return it.

        `X` is a list of arrays (time, dim), one per video, or one array (video, time, dim). `y` holds raw
        scores (video,). `groups` (video,) names what belongs together, such as athletes: whole groups are
        held out by inner folds or to choose the epoch, never a part of one. Heads that are fitted in closed
        form have no epoch to choose and learn from all videos.

        Raises `ArrayError` (a `ValueError`) for arrays or numbers that do not fit, `UnknownName` for an
        unknown head, variant or `select`, and `RunError` if all scores are equal or training diverges.
        """
        kind = find_head(self.head)
        variant = self.variant or kind.default_variant("arrays")
        kind.check_variant(variant)
        stream, seed = kind.streams[0], whole_number("random_state", self.random_state, least=0)
        if kind.reads_maps:
            raise ArrayError(
                f"{self.head} reads maps with tubes, not features (time, dim): use `aqa fit` with a store."
            )
        videos = sequences(X)
        labels = raw_scores(y, num_videos=len(videos))
        samples = feature_set(stream, videos, labels)
        recipe = kind.choose_recipe("arrays", "all", variant, {stream: samples.lengths[stream].tolist()})
        recipe = (
            recipe
            if self.epochs is None
            else recipe.with_epochs(whole_number("epochs", self.epochs, least=1))
        )
        scale = scale_of(Target("score", self.low, self.high), labels, unit=recipe.unit)
        names = None if groups is None else group_names(groups, num_videos=len(videos))
        fold = choose_fold(len(videos), names, recipe, select=self.select, seed=self.random_state)
        training = Training(
            build=lambda dims, **options: kind.build(dims, variant, **options),
            samples=samples,
            fold=fold,
            labels=scale.normalise(labels),
            recipe=recipe,
            seed=seed,
            select="val" if len(fold.validation) else "last",
            compute=Compute(self.device),
            groups=() if names is None else tuple(map(str, names)),
        )
        if is_chosen_first(training):
            recipe = choose(training).recipe
            training = replace(training, recipe=recipe)
        trained = fit_training(training)
        with torch.random.fork_rng(devices=[]):  # the start that is overwritten right after draws numbers
            module = prepare_module(training.build, samples.dims, recipe)
        module.load_state_dict(trained.state)
        self.module_, self.recipe_, self.scale_, self.stream_ = module.eval(), recipe, scale, stream
        self.epochs_: tuple[Epoch, ...] = trained.epochs
        self.chosen_epoch_ = trained.chosen_epoch
        self.n_features_in_ = samples.dims[stream]
        return self

    def predict(self, X: Sequence[ArrayLike] | ArrayLike) -> NDArray[np.float64]:
        """Return one raw score per video (video,); `X` as in `fit`.

        Raises `sklearn.exceptions.NotFittedError` before `fit`, and `ArrayError` for arrays that do not fit.
        """
        check_is_fitted(self)
        videos = sequences(X)
        if videos[0].shape[1] != self.n_features_in_:
            raise ArrayError(
                f"the features have {videos[0].shape[1]} dimensions, the head was fitted on "
                f"{self.n_features_in_}."
            )
        samples = feature_set(self.stream_, videos, np.full(len(videos), np.nan))
        scores = score_videos(self.module_, samples, np.arange(len(videos)), recipe=self.recipe_)
        return self.scale_.restore(scores)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.target_tags.required = True
        return tags
