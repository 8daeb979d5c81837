"""A head as a scikit-learn regressor: fitted on arrays in memory, without a store or a run.

Conventions: https://scikit-learn.org/stable/developers/develop.html
"""

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, column_or_1d

from aqa_pipeline.errors import ArrayError, UnknownName
from aqa_pipeline.records import Target
from heads.data.feature_set import FeatureSet
from heads.data.folds import MIN_VALIDATION_VIDEOS, VALIDATION_SHARE, Fold, derived_seed, make_fold
from heads.data.score_scale import scale_of
from heads.registry import find_head
from heads.runs.epoch import Epoch
from heads.training.loop import Training, prepare_module, score_videos, train
from heads.training.svr import fit_svr

KeptEpoch = Literal["auto", "last", "val"]
KEPT_EPOCHS: tuple[KeptEpoch, ...] = ("auto", "last", "val")
NO_VIDEOS = np.empty(0, dtype=np.int64)


class Head(RegressorMixin, BaseEstimator):
    """Regress scores on sequences of features, one sequence per video, with a head of `aqa heads`.

    The recipe is the one that `aqa fit` uses for a dataset that no paper trained on. All parameters are
    keyword-only except `head`.

    Parameters
    ----------
    head : str
        Name of a head that reads one stream of features: "wd", "svr-average", "action-net", ...
    variant : str, optional
        Variant of the head. None: the head's first variant.
    epochs : int, optional
        Number of epochs. None: the recipe's number.
    select : {"auto", "last", "val"}
        Which epoch is kept. "last": the last one. "val": the one with the highest Spearman correlation on
        20 % of the training videos, which are held out. "auto": "val" if `fit` gets groups, else "last".
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
        held out to choose the epoch, never a part of one. Heads that are fitted in closed form have no
        epoch to choose and learn from all videos.

        Raises `ArrayError` (a `ValueError`) for arrays that do not fit, `UnknownName` for an unknown head,
        variant or `select`, and `RunError` if all scores are equal or training diverges.
        """
        kind = find_head(self.head)
        variant = self.variant or kind.variants[0]
        kind.check_variant(variant)
        stream = kind.streams[0]
        if kind.reads_maps:
            raise ArrayError(
                f"{self.head} reads maps with tubes, not features (time, dim): use `aqa fit` with a store."
            )
        videos = sequences(X)
        labels = _scores(y, num_videos=len(videos))
        samples = feature_set(stream, videos, labels)
        recipe = kind.choose_recipe("arrays", "all", variant, {stream: samples.lengths[stream].tolist()})
        recipe = recipe.with_epochs(self.epochs) if self.epochs else recipe
        scale = scale_of(Target("score", self.low, self.high), labels, unit=recipe.unit)
        closed_form = recipe.optimiser == "closed-form"
        names = None if groups is None else _group_names(groups, num_videos=len(videos))
        fold = self._fold(len(videos), names, closed_form=closed_form)
        training = Training(
            build=lambda dims: kind.build(dims, variant),
            samples=samples,
            fold=fold,
            labels=scale.normalise(labels),
            recipe=recipe,
            seed=self.random_state,
            select="val" if len(fold.validation) else "last",
            device=self.device,
        )
        trained = fit_svr(training) if closed_form else train(training)
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

    def _fold(self, num_videos: int, groups: NDArray[Any] | None, *, closed_form: bool) -> Fold:
        if self.select not in KEPT_EPOCHS:
            raise UnknownName("selection", str(self.select), KEPT_EPOCHS)
        if groups is not None and self.select == "last":
            raise ArrayError("groups choose what is held out, but select='last' holds out nothing.")
        videos = np.arange(num_videos)
        if closed_form or self.select == "last" or (self.select == "auto" and groups is None):
            return Fold(videos, NO_VIDEOS, NO_VIDEOS)
        if groups is None:
            return make_fold(videos, NO_VIDEOS, select="val", seed=self.random_state)
        held_out = _held_out_groups(groups, seed=self.random_state)
        return Fold(videos[~held_out], videos[held_out], NO_VIDEOS)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.target_tags.required = True
        return tags


def sequences(X: Sequence[ArrayLike] | ArrayLike) -> list[NDArray[np.float32]]:
    """Return one float32 array (time, dim) per video.

    Raises `ArrayError` unless all have the same dim, at least one step, and finite values.
    """
    videos = [np.asarray(video) for video in X]  # type: ignore[union-attr]  # what cannot be iterated raises
    if not videos:
        raise ArrayError("X holds no video: expected at least one array (time, dim).")
    for number, video in enumerate(videos):
        if video.ndim != 2 or 0 in video.shape or video.dtype.kind not in "fiu":
            raise ArrayError(
                f"video {number} of X is {video.dtype} {video.shape}: expected numbers (time, dim): X "
                "is a list of such arrays, or one array (video, time, dim)."
            )
        if video.shape[1] != videos[0].shape[1]:
            raise ArrayError(
                f"video {number} of X has {video.shape[1]} features per step, video 0 has "
                f"{videos[0].shape[1]}: expected the same number."
            )
        if not np.isfinite(video).all():
            raise ArrayError(f"video {number} of X holds values that are not finite.")
    return [video.astype(np.float32) for video in videos]


def feature_set(
    stream: str, videos: Sequence[NDArray[np.float32]], labels: NDArray[np.float64]
) -> FeatureSet:
    """Return the arrays (time, dim) as a feature set of one stream; each step counts as one second."""
    lengths = [len(video) for video in videos]
    padded = torch.zeros(len(videos), max(lengths), videos[0].shape[1])
    for row, video in zip(padded, videos, strict=True):
        row[: len(video)] = torch.from_numpy(video)
    return FeatureSet(
        video_ids=tuple(map(str, range(len(videos)))),
        streams={stream: padded},
        lengths={stream: torch.tensor(lengths)},
        pts_seconds={stream: tuple(_seconds(length) for length in lengths)},
        labels=labels,
    )


def _seconds(length: int) -> NDArray[np.float64]:
    starts = np.arange(length, dtype=np.float64)
    return np.stack([starts, starts + 1], axis=1)


def _scores(y: ArrayLike, *, num_videos: int) -> NDArray[np.float64]:
    if y is None:
        raise ArrayError("Head requires y to be passed: the raw scores (video,), but the target y is None.")
    try:
        scores = column_or_1d(np.asarray(y, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise ArrayError(f"y must be numbers (video,): {error}") from error
    if len(scores) != num_videos or not np.isfinite(scores).all():
        raise ArrayError(
            f"y holds {len(scores)} scores, {np.isfinite(scores).sum()} of them finite: expected one finite "
            f"score for each of {num_videos} videos."
        )
    return scores


def _group_names(groups: ArrayLike, *, num_videos: int) -> NDArray[Any]:
    names = np.asarray(groups)
    if names.shape != (num_videos,):
        raise ArrayError(f"groups have the shape {names.shape}: expected one name per video ({num_videos},).")
    return names


def _held_out_groups(groups: NDArray[Any], *, seed: int) -> NDArray[np.bool_]:
    """Return (video,) which videos are held out: random whole groups, 20 % of the videos or a little more."""
    wanted = max(MIN_VALIDATION_VIDEOS, round(VALIDATION_SHARE * len(groups)))
    names = np.unique(groups)
    held_out = np.zeros(len(groups), dtype=bool)
    for name in np.random.default_rng(derived_seed(seed, "validation")).permutation(names):
        if held_out.sum() >= wanted:
            break
        held_out |= groups == name
    if held_out.sum() < wanted or (~held_out).sum() < wanted:
        raise ArrayError(
            f"{len(names)} groups of {len(groups)} videos leave {(~held_out).sum()} to train on when "
            f"{wanted} or more are held out: give more groups, or fit without them."
        )
    return held_out
