"""`aqa.Head` inside scikit-learn: searches, folds, pipelines, clones, pickles; its parameters."""

import pickle
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.ensemble import BaggingRegressor
from sklearn.metrics import make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    permutation_test_score,
)
from sklearn.pipeline import make_pipeline

from aqa_pipeline.errors import AqaError, ArrayError, RunError, UnknownName
from aqa_pipeline.metrics import spearman
from heads.registry import OURS
from heads.training.estimator import Head

Videos = tuple[list[NDArray[np.float64]], NDArray[np.float64], NDArray[np.str_]]
HEADS_OF_FEATURES = [name for name, head in OURS.items() if not head.reads_maps]


@pytest.fixture(scope="module")
def videos() -> Videos:
    """Return 24 videos of 4 to 7 steps that follow their scores, of 8 athletes."""
    rng = np.random.default_rng(0)
    y = rng.uniform(40, 90, size=24)
    X = [rng.normal(score / 10, size=(rng.integers(4, 8), 6)) for score in y]
    return X, y, np.repeat([f"athlete {number}" for number in range(8)], 3)


def test_a_grid_search_chooses_among_heads_and_refits(videos: Videos) -> None:
    X, y, groups = videos
    search = GridSearchCV(
        Head("svr-average"),
        {"head": ["svr-average", "svr-maximum"], "random_state": [0, 1]},
        cv=GroupKFold(3),
        scoring="neg_mean_absolute_error",
    ).fit(X, y, groups=groups)
    assert len(search.cv_results_["mean_test_score"]) == 4
    best = search.cv_results_["params"][int(np.argmax(search.cv_results_["mean_test_score"]))]
    assert search.best_params_ == best
    refitted = Head(**best).fit(X, y)
    assert np.array_equal(search.best_estimator_.predict(X), refitted.predict(X))


def test_a_grid_over_epochs_trains_so_many(videos: Videos) -> None:
    X, y, _ = videos
    search = GridSearchCV(Head("wd"), {"epochs": [1, 3]}, cv=KFold(2), scoring="r2", refit=False).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    for epochs in (1, 3):
        assert len(Head("wd", epochs=epochs).fit(X, y).epochs_) == epochs


def test_every_fold_of_groups_is_predicted_by_a_head_that_never_saw_them(videos: Videos) -> None:
    """The oracle fits each fold by hand."""
    X, y, groups = videos
    cv = GroupKFold(4)
    predicted = cross_val_predict(Head("svr-average"), X, y, groups=groups, cv=cv)
    for train, test in cv.split(np.zeros(24), y, groups):
        assert not set(groups[train]) & set(groups[test])
        head = Head("svr-average").fit([X[at] for at in train], y[train])
        np.testing.assert_allclose(predicted[test], head.predict([X[at] for at in test]))


def test_leaving_each_athlete_out_scores_each_once(videos: Videos) -> None:
    X, y, groups = videos
    scores = cross_val_score(
        Head("svr-average"), X, y, groups=groups, cv=LeaveOneGroupOut(), scoring="neg_mean_absolute_error"
    )
    assert scores.shape == (8,)
    assert (scores > -10).all(), "the planted signal is found for every athlete"


def test_the_fields_metric_can_be_the_scorer(videos: Videos) -> None:
    X, y, groups = videos
    rho = make_scorer(lambda true, told: float(spearman(told, true)))
    results = cross_validate(Head("svr-average"), X, y, groups=groups, cv=GroupKFold(3), scoring={"rho": rho})
    assert results["test_rho"].min() > 0.8


def test_a_permutation_test_finds_the_signal(videos: Videos) -> None:
    X, y, _ = videos
    score, permuted, p = permutation_test_score(
        Head("svr-average"), X, y, cv=KFold(2), n_permutations=4, random_state=0
    )
    assert p == pytest.approx(1 / 5)
    assert score > permuted.max()


class Cut(TransformerMixin, BaseEstimator):
    """Keep the first steps of each video."""

    def __init__(self, num_steps: int = 3) -> None:
        self.num_steps = num_steps

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return [video[: self.num_steps] for video in X]


def test_a_head_ends_a_pipeline(videos: Videos) -> None:
    X, y, _ = videos
    pipeline = make_pipeline(Cut(3), Head("svr-average")).fit(X, y)
    direct = Head("svr-average").fit([video[:3] for video in X], y)
    assert np.array_equal(pipeline.predict(X), direct.predict([video[:3] for video in X]))
    pipeline.set_params(cut__num_steps=2, head__random_state=5)
    assert pipeline["head"].random_state == 5
    assert pipeline.score(X, y) > 0


@pytest.mark.parametrize("name", HEADS_OF_FEATURES)
def test_every_head_of_features_fits_predicts_clones_and_pickles(
    videos: Videos, name: str, tmp_path: Path
) -> None:
    X, y, _ = videos
    head = Head(name, epochs=1).fit(X[:12], y[:12])
    predicted = head.predict(X[12:])
    assert predicted.shape == (12,)
    assert predicted.dtype == np.float64
    assert np.isfinite(predicted).all()
    again = clone(head)
    assert again.get_params() == head.get_params()
    assert not hasattr(again, "module_")
    assert np.array_equal(again.fit(X[:12], y[:12]).predict(X[12:]), predicted)
    joblib.dump(head, tmp_path / "head.joblib")
    for copy in (pickle.loads(pickle.dumps(head)), joblib.load(tmp_path / "head.joblib")):
        assert np.array_equal(copy.predict(X[12:]), predicted)


def test_one_video_and_many_are_predicted_alike(videos: Videos) -> None:
    X, y, _ = videos
    head = Head("wd", epochs=2).fit(X, y)
    together = head.predict(X)
    alone = np.concatenate([head.predict([video]) for video in X])
    np.testing.assert_allclose(together, alone, rtol=1e-5)


def test_bounds_are_the_scores_of_zero_and_one(videos: Videos) -> None:
    X, y, _ = videos
    head = Head("svr-average", low=0, high=100).fit(X, y)
    assert (head.scale_.low, head.scale_.high) == (0, 100)
    free = Head("svr-average").fit(X, y).scale_
    margin = 0.1 * np.ptp(y)
    assert (free.low, free.high) == pytest.approx((y.min() - margin, y.max() + margin))
    with pytest.raises(RunError, match="from 90 to 10 has no range: expected low < high"):
        Head("svr-average", low=90, high=10).fit(X, y)


def test_the_learning_curve_and_the_recipe_are_kept(videos: Videos) -> None:
    X, y, _ = videos
    head = Head("wd", epochs=3, select="val").fit(X, y)
    assert [epoch.epoch for epoch in head.epochs_] == [1, 2, 3]
    assert head.recipe_.epochs == 3
    assert head.n_features_in_ == 6
    assert 1 <= head.chosen_epoch_ <= 3
    assert isinstance(head.module_, torch.nn.Module)
    assert not head.module_.training


@pytest.mark.parametrize("epochs", [0, -1, 1.5, "3"])
def test_a_number_of_epochs_that_is_none_is_refused(videos: Videos, epochs: object) -> None:
    X, y, _ = videos
    with pytest.raises(ArrayError, match="epochs"):
        Head("wd", epochs=epochs).fit(X, y)


@pytest.mark.parametrize(
    "state",
    [None, -1, 0.5, True, np.random.RandomState(0)],
    ids=["None", "negative", "share", "bool", "generator"],
)
def test_a_random_state_that_is_no_number_is_refused(videos: Videos, state: object) -> None:
    """Only a number repeats a training; a generator or None would not."""
    X, y, groups = videos
    for options in ({}, {"groups": groups}):
        with pytest.raises(ArrayError, match=r"random_state is .*: expected a whole number of at least 0"):
            Head("wd", epochs=1, random_state=state).fit(X, y, **options)


def test_values_too_large_for_the_network_are_refused(videos: Videos) -> None:
    X, y, _ = videos
    head = Head("svr-average").fit(X, y)
    with pytest.raises(ArrayError, match="video 1 of X holds values that are not finite in float32"):
        head.predict([X[0], X[1] * 1e300])


def test_too_few_videos_for_validation_name_the_parameter(videos: Videos) -> None:
    """A caller from Python has no --select."""
    X, y, _ = videos
    with pytest.raises(AqaError, match="select='last'") as caught:
        Head("wd", select="val").fit(X[:6], y[:6])
    assert "--select" not in str(caught.value)


def test_a_failed_fit_leaves_the_fitted_head_as_it_was(videos: Videos) -> None:
    X, y, _ = videos
    head = Head("svr-average").fit(X, y)
    before = head.predict(X)
    with pytest.raises(ArrayError):
        head.fit(X, y[:3])
    assert np.array_equal(head.predict(X), before)


def test_fitting_again_forgets_the_first_videos(videos: Videos) -> None:
    X, y, _ = videos
    head = Head("svr-average").fit(X[:12], y[:12])
    head.fit([video[:, :4] for video in X[12:]], y[12:])
    assert head.n_features_in_ == 4
    fresh = Head("svr-average").fit([video[:, :4] for video in X[12:]], y[12:])
    cut = [video[:, :4] for video in X]
    assert np.array_equal(head.predict(cut), fresh.predict(cut))


def test_neither_features_nor_scores_are_changed(videos: Videos) -> None:
    X, y, _ = videos
    copies = [video.copy() for video in X], y.copy()
    Head("wd", epochs=1).fit(X, y).predict(X)
    assert all(np.array_equal(one, other) for one, other in zip(X, copies[0], strict=True))
    assert np.array_equal(y, copies[1])


@pytest.mark.parametrize("kind", ["whole numbers", "float16", "lists", "scores as a list"])
def test_numbers_of_any_kind_are_taken(videos: Videos, kind: str) -> None:
    X, y, _ = videos
    change = {
        "whole numbers": lambda video: video.round().astype(int),
        "float16": lambda video: video.astype(np.float16),
        "lists": lambda video: video.tolist(),
        "scores as a list": lambda video: video,
    }[kind]
    head = Head("svr-average").fit([change(video) for video in X], y.tolist())
    assert np.corrcoef(head.predict(X), y)[0, 1] > 0.8


def test_a_bag_of_heads_refuses_flat_features_with_the_reason(videos: Videos) -> None:
    """Tools that flatten their input get an error about the shape, not a silent fit."""
    with pytest.raises(ArrayError, match=r"expected numbers \(time, dim\)"):
        BaggingRegressor(Head("svr-average"), n_estimators=2).fit(np.zeros((12, 6)), np.arange(12.0))


def test_parameters_are_checked_in_fit_and_not_before() -> None:
    head = Head("no such head", variant="x", epochs=-5, select="luck")
    assert clone(head).get_params()["select"] == "luck"
    with pytest.raises(UnknownName, match="unknown head 'no such head'"):
        head.fit([np.zeros((2, 2))], [1.0])
