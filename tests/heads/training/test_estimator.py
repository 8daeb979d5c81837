"""`aqa.Head`: scikit-learn's conventions, and the same numbers as a run on the same videos."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GroupKFold, cross_val_predict, cross_val_score
from sklearn.utils import estimator_checks

from aqa_pipeline.errors import ArrayError, RunError, UnknownName
from heads.training.estimator import Head

CHECKS = (
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_set_params",
)  # the checks of scikit-learn that give no data: all others give (sample, feature), not (video, time, dim)


@pytest.fixture
def videos() -> tuple[list[NDArray[np.float64]], NDArray[np.float64], NDArray[np.str_]]:
    """Return 24 videos of 5 to 8 steps whose features lie around a tenth of their score; 8 athletes."""
    rng = np.random.default_rng(0)
    y = rng.uniform(40, 90, size=24)
    X = [rng.normal(score / 10, size=(rng.integers(5, 9), 6)) for score in y]
    return X, y, np.repeat([f"athlete {number}" for number in range(8)], 3)


@pytest.mark.parametrize("check", CHECKS)
def test_it_passes_the_checks_of_scikit_learn_that_need_no_data(check: str) -> None:
    getattr(estimator_checks, check)("Head", Head("svr-average"))


def test_a_planted_signal_is_found_across_groups(videos) -> None:
    X, y, groups = videos
    r2 = cross_val_score(Head("svr-average"), X, y, groups=groups, cv=GroupKFold(4))
    assert r2.shape == (4,)
    assert r2.min() > 0.9


def test_shuffled_scores_teach_nothing(videos) -> None:
    X, y, groups = videos
    shuffled = np.random.default_rng(1).permutation(y)
    predicted = cross_val_predict(Head("svr-average"), X, shuffled, groups=groups, cv=GroupKFold(4))
    assert np.corrcoef(predicted, shuffled)[0, 1] < 0.3


def test_a_list_and_a_stacked_array_are_the_same(videos) -> None:
    X, y, _ = videos
    X = [video[:5] for video in X]
    of_list = Head("wd", variant="paper", epochs=2).fit(X, y).predict(X)
    of_array = Head("wd", variant="paper", epochs=2).fit(np.stack(X), y).predict(np.stack(X))
    assert np.array_equal(of_list, of_array)


def test_a_fit_is_repeatable_and_leaves_the_random_state(videos) -> None:
    import torch

    X, y, _ = videos
    before = torch.get_rng_state()
    head = Head("action-net", variant="paper", epochs=2, random_state=3)
    first, second = head.fit(X, y).predict(X), clone(head).fit(X, y).predict(X)
    assert np.array_equal(first, second)
    assert not np.array_equal(
        first, Head("action-net", variant="paper", epochs=2, random_state=4).fit(X, y).predict(X)
    )
    assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(pickle.loads(pickle.dumps(head)).predict(X), first)


def test_a_fit_is_that_of_a_run_on_the_same_videos(world, tmp_path: Path) -> None:
    """The oracle is a run from the store: the same videos, recipe and seed give the same scores."""
    from heads.runs.trained_cell import read_cell
    from heads.training.fit import fit

    fit(world.request(tmp_path / "run", head="wd", streams=("segments",), epochs=2))
    rows = read_cell(tmp_path / "run", split="first", seed=0).predictions
    spec = world.specs["segments"]
    train, test = ([row for row in rows if row.part == part] for part in ("train", "test"))
    X, X_test = (
        [world.store.read(world.dataset.name, row.video_id, spec).features for row in part]
        for part in (train, test)
    )
    head = Head("wd", variant="paper", epochs=2).fit(X, [row.true for row in train])
    np.testing.assert_allclose(head.predict(X_test), [row.predicted for row in test], rtol=1e-5)


def test_with_groups_the_best_epoch_on_held_out_groups_is_kept(videos) -> None:
    X, y, groups = videos
    head = Head("wd", variant="paper", epochs=4).fit(X, y, groups=groups)
    validation = [epoch.validation for epoch in head.epochs_]
    assert np.isfinite(validation).all()
    assert head.chosen_epoch_ == 1 + int(np.argmax(validation))
    last = Head("wd", variant="paper", epochs=4).fit(X, y)
    assert last.chosen_epoch_ == 4
    assert np.isnan([epoch.validation for epoch in last.epochs_]).all()


def test_held_out_groups_are_whole_and_a_fifth_of_the_videos() -> None:
    from heads.training.held_out import _held_out_groups

    groups = np.array(["a"] * 7 + ["b"] * 2 + ["c"] * 6 + ["d"] * 5)
    seen = set()
    for seed in range(20):
        held_out = _held_out_groups(groups, seed=seed)
        names = set(groups[held_out])
        assert not names & set(groups[~held_out])
        assert 4 <= held_out.sum() <= 10
        seen |= names
    assert seen == {"a", "b", "c", "d"}


@pytest.mark.parametrize(
    ("X", "y", "options", "message"),
    [
        ([], [], {}, "X holds no video"),
        (np.zeros((4, 6)), np.arange(4), {}, r"video 0 of X is float64 \(6,\): expected numbers"),
        (
            [np.zeros((4, 6)), np.zeros((4, 5))],
            [1, 2],
            {},
            "video 1 of X has 5 features per step, video 0 has 6",
        ),
        ([np.zeros((0, 6))], [1], {}, r"video 0 of X is float64 \(0, 6\)"),
        ([np.full((4, 6), np.nan)], [1], {}, "video 0 of X holds values that are not finite"),
        (
            [np.zeros((4, 6))] * 3,
            [1, 2],
            {},
            "y holds 2 scores, 2 of them finite: expected one finite",
        ),
        ([np.zeros((4, 6))] * 3, [1, 2, np.nan], {}, "y holds 3 scores, 2 of them finite"),
        ([np.zeros((4, 6))] * 3, ["a", "b", "c"], {}, "y must be numbers"),
        ([np.zeros((4, 6))] * 3, None, {}, "requires y to be passed"),
        ([np.zeros((4, 6))] * 3, [1, 2, 3], {"groups": [1, 2]}, r"groups have the shape \(2,\)"),
        (
            [np.zeros((4, 6))] * 9,
            np.arange(9),
            {"groups": [1] * 9},
            "1 group of 9 videos leaves 0 to train",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_explained(X, y, options, message: str) -> None:
    with pytest.raises(ArrayError, match=message) as caught:
        Head("wd", variant="paper", epochs=1).fit(X, y, **options)
    assert isinstance(caught.value, ValueError)


def test_choices_that_do_not_fit_are_explained(videos) -> None:
    X, y, groups = videos
    with pytest.raises(UnknownName, match="unknown head 'wdd'"):
        Head("wdd").fit(X, y)
    with pytest.raises(UnknownName, match="unknown variant of wd 'p'"):
        Head("wd", variant="p").fit(X, y)
    with pytest.raises(UnknownName, match="unknown selection 'best'"):
        Head("wd", select="best").fit(X, y)
    with pytest.raises(ArrayError, match="tsa reads maps with tubes"):
        Head("tsa").fit(X, y)
    with pytest.raises(ArrayError, match="select='last' holds out nothing"):
        Head("wd", select="last").fit(X, y, groups=groups)
    with pytest.raises(RunError, match="Are all training labels equal"):
        Head("svr-average").fit(X, np.ones(24))
    with pytest.raises(NotFittedError):
        Head("wd").predict(X)
    with pytest.raises(ArrayError, match="have 5 dimensions, the head was fitted on 6"):
        Head("svr-average").fit(X, y).predict([video[:, :5] for video in X])
