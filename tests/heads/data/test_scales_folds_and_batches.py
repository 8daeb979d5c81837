"""Properties of score scales, folds, shuffles and batches that every training rests on."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from aqa_pipeline.errors import RunError
from aqa_pipeline.records import Target
from heads.data.batches import evaluation_batch, training_batches
from heads.data.feature_set import FeatureSet
from heads.data.folds import derived_seed, make_fold, shuffled_labels
from heads.data.score_scale import ScoreScale, scale_of
from heads.recipes import Optimization, Recipe

numbers = st.floats(-1e4, 1e4)
NO_RANGE = "Are all training labels equal"


@given(numbers, st.floats(1e-3, 1e4), st.lists(numbers, min_size=1))
def test_a_scale_is_undone_by_its_reverse(low: float, size: float, raw: list[float]) -> None:
    scale = ScoreScale(low, low + size)
    np.testing.assert_allclose(scale.restore(scale.normalise(raw)), raw, rtol=1e-9, atol=1e-7)
    assert scale.normalise([low, low + size]).tolist() == [0.0, pytest.approx(1.0)]


@given(st.lists(numbers, min_size=2).filter(lambda raw: max(raw) - min(raw) > 1e-3))
def test_training_labels_lie_inside_the_scale_with_room(raw: list[float]) -> None:
    labels = np.array(raw)
    normalized = scale_of(Target("score"), labels).normalise(labels)
    assert normalized.min() == pytest.approx(1 / 12, abs=1e-6)
    assert normalized.max() == pytest.approx(11 / 12, abs=1e-6)
    by_deviation = scale_of(Target("score"), labels, unit="deviation").normalise(labels)
    assert by_deviation.std() == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize(
    ("target", "labels", "expected"),
    [
        (Target("s", 0, 100), [40, 60], (0, 100)),
        (Target("s", 0), [40, 60], (0, 62)),
        (Target("s", None, 100), [40, 60], (38, 100)),
        (Target("s"), [40, 60], (38, 62)),
    ],
)
def test_bounds_of_the_target_come_before_those_of_the_labels(target, labels, expected) -> None:
    scale = scale_of(target, np.array(labels, dtype=float))
    assert (scale.low, scale.high) == pytest.approx(expected)


def test_25_points_are_the_unit_whatever_the_bounds() -> None:
    scale = scale_of(Target("tes", 0, 45), np.array([20.0, 44.0]), unit="25-points")
    assert scale.normalise([0, 25, 45]).tolist() == pytest.approx([0, 1, 1.8])


@pytest.mark.parametrize("target", [Target("s"), Target("s", 5, 5), Target("s", 9, 3), Target("s", 6)])
@pytest.mark.parametrize("unit", ["range", "deviation"])
def test_a_scale_without_a_range_is_refused(target: Target, unit: str) -> None:
    with pytest.raises(RunError, match=NO_RANGE):
        scale_of(target, np.full(4, 5.0), unit=unit)


@given(st.integers(15, 60), st.integers(0, 1000))
def test_a_fold_for_validation_loses_no_video_and_uses_none_twice(num_train: int, seed: int) -> None:
    train, test = np.arange(100, 100 + num_train), np.arange(7)
    fold = make_fold(train, test, select="val", seed=seed)
    assert sorted([*fold.train, *fold.validation]) == train.tolist()
    assert len(fold.validation) == round(0.2 * num_train)
    assert fold.test.tolist() == test.tolist()
    again = make_fold(train, test, select="val", seed=seed)
    assert again.validation.tolist() == fold.validation.tolist()


@pytest.mark.parametrize("select", ["last", "best-on-test"])
def test_without_validation_the_split_stays_as_it_is(select: str) -> None:
    fold = make_fold(np.arange(4), np.arange(4, 6), select=select, seed=0)
    assert (fold.train.tolist(), fold.validation.tolist(), fold.test.tolist()) == ([0, 1, 2, 3], [], [4, 5])


def test_seeds_hold_out_different_videos() -> None:
    held_out = {
        tuple(make_fold(np.arange(50), np.arange(0), select="val", seed=seed).validation) for seed in range(9)
    }
    assert len(held_out) == 9


@pytest.mark.parametrize("num_train", [2, 8, 12])
def test_a_validation_set_too_small_to_rank_is_refused(num_train: int) -> None:
    with pytest.raises(RunError, match=rf"20 % of {num_train} training videos.*expected at least 3 to rank"):
        make_fold(np.arange(num_train), np.arange(3), select="val", seed=0)


@given(st.integers(0, 1000))
def test_shuffled_labels_are_the_training_labels_in_another_order(seed: int) -> None:
    labels, train = np.arange(20.0), np.arange(3, 17)
    shuffled = shuffled_labels(labels, train, seed=seed)
    assert sorted(shuffled[train]) == labels[train].tolist()
    untouched = np.setdiff1d(np.arange(20), train)
    assert shuffled[untouched].tolist() == labels[untouched].tolist()
    assert labels.tolist() == list(range(20)), "the labels themselves stay"


def test_seeds_of_different_purposes_and_runs_differ() -> None:
    seeds = {derived_seed(seed, purpose) for seed in range(50) for purpose in ("labels", "batches", "svr")}
    assert len(seeds) == 150
    assert derived_seed(7, "labels") == derived_seed(7, "labels")


def samples_of(lengths: list[int], *, dim: int = 3, views: int = 0) -> FeatureSet:
    """Return videos whose features name their video and step: value 100 v + t in every dimension."""
    shape = (len(lengths), max(lengths), *([views] if views else []), dim)
    values = torch.zeros(shape)
    for video, length in enumerate(lengths):
        for step in range(length):
            values[video, step] = 100 * video + step
    if views:
        values += torch.arange(views)[:, None] / 10
    seconds = tuple(np.stack([np.arange(n), np.arange(n) + 1.0], axis=1) for n in lengths)
    return FeatureSet(
        tuple(map(str, range(len(lengths)))),
        {"clips": values},
        {"clips": torch.tensor(lengths)},
        {"clips": seconds},
        np.arange(len(lengths), dtype=float),
    )


def recipe(num_steps: int, *, batch_size: int = 3, windows: str = "paper") -> Recipe:
    return Recipe(
        epochs=1,
        batch_size=batch_size,
        num_steps={"clips": num_steps},
        optimization=Optimization("sgd", lr=0.1, head_lr=0.1),
        windows=windows,
    )


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.integers(1, 9), st.integers(0, 99))
def test_an_epoch_shows_every_video_once_with_steps_of_its_own_in_order(
    lengths: list[int], num_steps: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    seen: list[int] = []
    batches = list(
        training_batches(
            samples_of(lengths), np.arange(len(lengths)), recipe=recipe(num_steps), generator=generator
        )
    )
    assert [len(batch.videos) for batch in batches[:-1]] == [3] * (len(batches) - 1)
    for batch in batches:
        for row, video in enumerate(batch.videos.tolist()):
            seen.append(video)
            mask = batch.masks["clips"][row]
            values = batch.features["clips"][row, mask, 0].tolist()
            assert len(values) == min(num_steps, lengths[video])
            assert not batch.features["clips"][row, ~mask].any()
            start = values[0] - 100 * video
            assert values == [100 * video + start + step for step in range(len(values))]
            assert 0 <= start <= max(0, lengths[video] - num_steps)
    assert sorted(seen) == list(range(len(lengths)))


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(1, 9))
def test_testing_sees_every_step_or_the_middle_of_the_released_code(
    lengths: list[int], num_steps: int
) -> None:
    videos = np.arange(len(lengths))
    whole = evaluation_batch(samples_of(lengths), videos, recipe=recipe(num_steps))
    assert whole.masks["clips"].sum(dim=1).tolist() == lengths
    middle = evaluation_batch(samples_of(lengths), videos, recipe=recipe(num_steps, windows="released"))
    assert middle.features["clips"].shape[1] == num_steps
    for video, length in enumerate(lengths):
        start = max(0, length - num_steps) // 2
        values = middle.features["clips"][video, middle.masks["clips"][video], 0].tolist()
        assert values == [100 * video + step for step in range(start, min(length, start + num_steps))]


def test_training_draws_every_view_and_testing_sees_the_reference() -> None:
    samples, videos = samples_of([5] * 40, views=4), np.arange(40)
    generator = torch.Generator().manual_seed(0)
    drawn = set()
    for batch in training_batches(samples, videos, recipe=recipe(5, batch_size=40), generator=generator):
        tenths = (batch.features["clips"][:, :, 0] * 10).round().long() % 10
        assert (tenths == tenths[:, :1]).all(), "a video is seen in one view, not in a mixture"
        drawn |= set(tenths[:, 0].tolist())
    assert drawn == {0, 1, 2, 3}
    seen = evaluation_batch(samples, videos, recipe=recipe(5)).features["clips"]
    assert ((seen * 10).round().long() % 10 == 0).all()


def test_score_scales() -> None:
    labels = np.array([20.0, 30.0, 40.0])
    assert scale_of(Target("total", 0.0, 25.0), labels) == ScoreScale(0.0, 25.0)
    scale = scale_of(Target("score"), labels)
    assert (scale.low, scale.high) == (18.0, 42.0)
    assert scale_of(Target("score", low=0.0), labels) == ScoreScale(0.0, 42.0)
    assert scale.normalise([18, 30, 42]).tolist() == [0, 0.5, 1]
    assert scale.restore(scale.normalise(labels)).tolist() == labels.tolist()
    with pytest.raises(RunError, match=r"from 5.0 to 5.0 has no range.*Are all training labels equal"):
        scale_of(Target("score"), np.array([5.0, 5.0]))


def test_validation_videos_come_from_training_alone() -> None:
    fold = make_fold(np.arange(20), np.arange(20, 30), select="val", seed=3)
    assert len(fold.validation) == 4
    assert sorted([*fold.train, *fold.validation]) == list(range(20))
    assert fold.test.tolist() == list(range(20, 30))
    again = make_fold(np.arange(20), np.arange(20, 30), select="val", seed=3)
    other = make_fold(np.arange(20), np.arange(20, 30), select="val", seed=4)
    assert fold.validation.tolist() == again.validation.tolist() != other.validation.tolist()


def test_too_few_videos_to_validate_are_refused() -> None:
    with pytest.raises(
        RunError, match="holds out 20 % of 10 training videos, which is 2: expected at least 3"
    ):
        make_fold(np.arange(10), np.arange(10, 12), select="val", seed=0)


def test_shuffling_moves_training_labels_only() -> None:
    labels = np.arange(20.0)
    shuffled = shuffled_labels(labels, np.arange(15), seed=0)
    assert sorted(shuffled[:15]) == list(range(15))
    assert shuffled[:15].tolist() != list(range(15))
    assert shuffled[15:].tolist() == labels[15:].tolist()
    assert shuffled.tolist() == shuffled_labels(labels, np.arange(15), seed=0).tolist()
    assert shuffled.tolist() != shuffled_labels(labels, np.arange(15), seed=1).tolist()
