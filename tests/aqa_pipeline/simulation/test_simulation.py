"""Simulated features: exact shapes, a signal of known strength in known places, none without effect."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from scipy.stats import norm, spearmanr

import cli
from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.errors import DatasetError, StoreError, UnknownName
from aqa_pipeline.records import Dataset, Record, Source, StreamSpec, Video
from aqa_pipeline.simulation import (
    STREAMS,
    Drawn,
    Signal,
    Simulation,
    directions,
    quality_of_videos,
    simulate,
    usual_streams,
)
from aqa_pipeline.store import Store

NAME = "rhythmic-gymnastics"
STEPS = usual_streams(NAME)


def relabeled(dataset: Dataset, order: np.ndarray) -> Dataset:
    """Return the same videos with exchanged labels."""
    labels = [video.labels for video in dataset.videos]
    videos = (replace(video, labels=labels[at]) for video, at in zip(dataset.videos, order, strict=True))
    return replace(dataset, videos=tuple(videos))


def drawn_of(dataset: Dataset, simulation: Simulation, stream: str) -> dict[str, Drawn]:
    qualities = quality_of_videos(dataset)
    return {
        video.video_id: STREAMS[stream].draw(
            simulation, dataset.name, video, quality=qualities[video.video_id]
        )
        for video in dataset.videos
    }


@pytest.mark.parametrize(
    ("name", "folder", "segments", "crops", "frames"),
    [
        (NAME, "rhythmic_gymnastics", (27, 30), 80, (87, 99)),
        ("mit-skating", "mit_skating", (52, 55), 160, (168, 179)),
    ],
)
def test_shapes_are_those_of_the_real_thing(shared, name, folder, segments, crops, frames):
    dataset = load_dataset(name, shared / "annotations" / folder)
    dataset = replace(dataset, videos=dataset.videos[:60])
    lengths = {s: [len(d.features) for d in drawn_of(dataset, Simulation(), s).values()] for s in STEPS}
    assert segments[0] <= min(lengths["segments"]) <= max(lengths["segments"]) <= segments[1]
    assert lengths["c3d"] == lengths["segments"]
    assert np.mean(lengths["crops"]) == pytest.approx(crops, abs=2)
    assert frames[0] <= min(lengths["frames"]) <= max(lengths["frames"]) <= frames[1]


@pytest.mark.parametrize(
    ("stream", "dim"), [("segments", 1024), ("crops", 2048), ("frames", 2048), ("c3d", 4096)]
)
def test_features_look_like_pooled_relu_outputs(few, stream, dim):
    for drawn in drawn_of(few, Simulation(), stream).values():
        assert drawn.features.dtype == np.float16
        assert drawn.features.shape == (len(drawn.pts_seconds), dim)
        assert drawn.features.min() >= 0
        # Half-normal: the mean is sigma sqrt(2 / pi), sigma 0.5; marked features are a few.
        assert np.median(drawn.features.mean(axis=0, dtype=np.float32)) == pytest.approx(0.40, abs=0.04)


def test_times_follow_the_sampling(few):
    video = few.videos[0]
    segments = STREAMS["segments"].draw(Simulation(), NAME, video, quality=0.0).pts_seconds
    np.testing.assert_allclose(segments[:, 0], 3.2 * np.arange(len(segments)))
    np.testing.assert_allclose(np.diff(segments), 3.2)
    assert len(segments) == int(video.duration_seconds * 5 / 16)
    crops = STREAMS["crops"].draw(Simulation(), NAME, video, quality=0.0)
    assert len(crops.pts_seconds) + crops.missed == int(video.duration_seconds)
    assert (np.diff(crops.pts_seconds[:, 0]) >= 1).all()


def test_quality_is_the_normal_score_of_the_rank_and_ties_share_theirs(few):
    totals = [10.0, 7.0, 7.0, 3.0, 20.0]
    videos = [replace(v, labels={**v.labels, "total": t}) for v, t in zip(few.videos, totals, strict=True)]
    again = quality_of_videos(replace(few, videos=tuple(videos)))
    expected = norm.ppf((np.array([4, 2.5, 2.5, 1, 5]) - 0.5) / 5)
    np.testing.assert_allclose([again[v.video_id] for v in videos], expected)


def test_each_apparatus_is_ranked_by_itself(shared):
    dataset = load_dataset(NAME, shared / "annotations" / "rhythmic_gymnastics")
    qualities = quality_of_videos(dataset)
    assert len(qualities) == 1000
    for name in dataset.default_splits:
        split = dataset.split(name)
        values = np.array([qualities[video_id] for video_id in (*split.train, *split.test)])
        assert abs(values.mean()) < 0.01
        assert values.std() == pytest.approx(1, abs=0.03)


def test_videos_of_overlapping_splits_are_ranked_once(shared):
    dataset = load_dataset("mit-skating", shared / "annotations" / "mit_skating")
    qualities = quality_of_videos(dataset)
    labels = [video.labels["total"] for video in dataset.videos]
    assert spearmanr([qualities[v.video_id] for v in dataset.videos], labels)[0] == pytest.approx(1)


@pytest.mark.parametrize("signal", ["sparse", "even"])
@pytest.mark.parametrize("stream", STEPS)
def test_without_effect_labels_change_nothing(few, stream, signal):
    simulation = Simulation(effect=0.0, signal=signal)
    other = relabeled(few, np.array([3, 0, 4, 1, 2]))
    before, after = drawn_of(few, simulation, stream), drawn_of(other, simulation, stream)
    assert quality_of_videos(few) != quality_of_videos(other)
    for video_id, drawn in before.items():
        np.testing.assert_array_equal(drawn.features, after[video_id].features)
        np.testing.assert_array_equal(drawn.pts_seconds, after[video_id].pts_seconds)


def test_with_effect_labels_change_the_key_steps_alone(few):
    """A tenth of the steps, and of the features those that show quality."""
    other = relabeled(few, np.array([3, 0, 4, 1, 2]))
    before, after = drawn_of(few, Simulation(), "crops"), drawn_of(other, Simulation(), "crops")
    (seen,) = directions(Simulation(), STREAMS["crops"])
    for video_id, drawn in before.items():
        steps, columns = np.nonzero(drawn.features != after[video_id].features)
        assert set(steps) == set(np.flatnonzero(drawn.is_key))
        assert set(columns) <= {*seen.better, *seen.worse}
        assert drawn.is_key.sum() == round(len(drawn.features) / 10)


def test_marked_features_are_different_ones_and_the_same_for_every_video_of_a_seed():
    stream = STREAMS["segments"]
    (one,), (other,) = (directions(s, stream) for s in (Simulation(), Simulation(effect=0.3, signal="even")))
    assert len({*one.better, *one.worse, *one.marker}) == 3 * 32
    np.testing.assert_array_equal(one.better, other.better)
    assert set(one.better) != set(directions(Simulation(seed=1), stream)[0].better)


def ridge_scores(dataset: Dataset, drawn: dict[str, Drawn]) -> float:
    """Spearman on the test videos of a ridge regression on averages over time: average pooling and a line."""
    split = dataset.split("ball")
    means = {v: d.features.mean(axis=0, dtype=np.float64) for v, d in drawn.items()}
    train, test = (np.stack([means[v] for v in side]) for side in (split.train, split.test))
    labels = [
        np.array([dataset.video(v).labels["total"] for v in side]) for side in (split.train, split.test)
    ]
    centerd = train - train.mean(axis=0)
    kernel = centerd @ centerd.T
    kernel += 0.1 * np.trace(kernel) / len(kernel) * np.eye(len(kernel))
    weights = centerd.T @ np.linalg.solve(kernel, labels[0] - labels[0].mean())
    return float(spearmanr(test @ weights, labels[1])[0])


def oracle_scores(dataset: Dataset, drawn: dict[str, Drawn], simulation: Simulation, *, keys: bool) -> float:
    """Spearman over all videos of who knows the directions and, with `keys`, the key steps."""
    (seen,) = directions(simulation, STREAMS["segments"])
    shown = []
    for video in dataset.videos:
        one = drawn[video.video_id]
        z = one.features[:, seen.better].mean(axis=1) - one.features[:, seen.worse].mean(axis=1)
        shown.append(z[one.is_key if keys else slice(None)].mean())
    return float(spearmanr(shown, [video.labels["total"] for video in dataset.videos])[0])


def test_a_sparse_signal_is_for_who_finds_the_key_steps(balls):
    simulation = Simulation()
    drawn = drawn_of(balls, simulation, "segments")
    assert 0.75 < oracle_scores(balls, drawn, simulation, keys=True) < 0.86
    assert 0.25 < oracle_scores(balls, drawn, simulation, keys=False) < 0.5
    assert 0.15 < ridge_scores(balls, drawn) < 0.5


def test_an_even_signal_is_for_who_averages(balls):
    simulation = Simulation(signal="even")
    drawn = drawn_of(balls, simulation, "segments")
    assert not any(one.is_key.any() for one in drawn.values())
    assert 0.75 < oracle_scores(balls, drawn, simulation, keys=False) < 0.86
    assert 0.7 < ridge_scores(balls, drawn) < 0.86


@pytest.mark.parametrize("signal", ["sparse", "even"])
def test_without_effect_nobody_finds_anything(balls, signal: Signal):
    simulation = Simulation(effect=0.0, signal=signal)
    drawn = drawn_of(balls, simulation, "segments")
    assert abs(ridge_scores(balls, drawn)) < 0.2  # three standard errors of 250 videos
    assert abs(oracle_scores(balls, drawn, simulation, keys=signal == "sparse")) < 0.15


def test_a_store_says_that_it_is_simulated_and_how(few, tmp_path):
    store, simulation = Store(tmp_path / "s"), Simulation(effect=0.5, signal="even", seed=3)
    report = simulate(few, store, simulation, streams=["segments", "c3d"])
    assert (report.num_written, report.num_resumed) == (10, 0)
    one, other = report.specs
    assert one.simulated
    assert one.stream == other.stream == "segments"
    expected = {"simulated": True, "effect": 0.5, "signal": "even", "seed": 3, "backbone": "i3d"}
    assert expected.items() <= dict(one.facts).items()
    assert (other.facts["backbone"], other.facts["dtype"], other.facts["rate_fps"]) == ("c3d", "float16", 5.0)
    record = store.read(NAME, "Ball_001", one)
    assert record.features.shape[1] == 1024
    assert store.read(NAME, "Ball_001", other).features.shape[1] == 4096
    assert not [problem for _, problem in store.verify() if problem]


def test_a_stopped_simulation_goes_on_and_ends_the_same(few, tmp_path):
    whole, stopped = Store(tmp_path / "a"), Store(tmp_path / "b")
    simulate(few, whole, Simulation(), streams=["crops"])
    spec = simulate(few, stopped, Simulation(), streams=["crops"]).specs[0]
    for video in few.videos[:3]:
        stopped.path(NAME, video.video_id, spec).unlink()
    kept = stopped.path(NAME, few.videos[-1].video_id, spec)
    before, steps = kept.stat().st_mtime_ns, []
    report = simulate(few, stopped, Simulation(), streams=["crops"], progress=steps.append)
    assert (report.num_written, report.num_resumed) == (3, 2)
    assert steps == [1, 2, 3, 4, 5]
    assert kept.stat().st_mtime_ns == before
    for video in few.videos:
        paths = [store.path(NAME, video.video_id, spec) for store in (whole, stopped)]
        assert paths[0].read_bytes() == paths[1].read_bytes()


def test_features_of_other_labels_are_drawn_anew(few, tmp_path):
    store, fresh = Store(tmp_path / "s"), Store(tmp_path / "fresh")
    (spec,) = simulate(few, store, Simulation(), streams=["crops"]).specs
    swapped = [replace(video, labels=few.videos[1 - at].labels) for at, video in enumerate(few.videos[:2])]
    other = replace(few, videos=(*swapped, *few.videos[2:]))
    assert simulate(other, store, Simulation(), streams=["crops"]).num_written == 2
    simulate(other, fresh, Simulation(), streams=["crops"])
    for video in few.videos:
        paths = [each.path(NAME, video.video_id, spec) for each in (store, fresh)]
        assert paths[0].read_bytes() == paths[1].read_bytes()


def test_simulated_features_do_not_go_beside_real_ones(few, tmp_path):
    store = Store(tmp_path / "s")
    spec = StreamSpec("segments", {"backbone": "i3d"})
    store.write(Record(NAME, "Ball_001", spec, np.zeros((1, 4)), np.array([[0.0, 1.0]]), Source("")))
    with pytest.raises(
        StoreError, match=r"holds real segments of rhythmic-gymnastics.*Choose another --store"
    ):
        simulate(few, store, Simulation())


def test_what_cannot_be_simulated_is_reported(few, tmp_path):
    with pytest.raises(UnknownName, match=r"unknown simulated stream 'segment'. Did you mean 'segments'"):
        simulate(few, Store(tmp_path / "s"), Simulation(), streams=["segment"])
    with pytest.raises(UnknownName, match="unknown signal 'sprase'"):
        Simulation(signal="sprase")
    for effect in (-1.0, float("nan"), float("inf")):
        with pytest.raises(DatasetError, match="expected a finite number >= 0"):
            Simulation(effect=effect)
    with pytest.raises(DatasetError, match="'x' give no duration"):
        STREAMS["crops"].draw(Simulation(), NAME, Video("x", Path("x.mp4")), quality=0.0)
    unlabeled = (replace(few.videos[0], labels={}), *few.videos[1:])
    with pytest.raises(DatasetError, match="1 video has no total score, such as"):
        quality_of_videos(replace(few, videos=unlabeled))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def test_the_command_and_the_listing_warn(few, tmp_path):
    store = tmp_path / "s"
    command = ["simulate", "--like", NAME, "--root", few.root, "--store", store, "--streams", "segments"]
    result = run(*command, "--effect", 0.5, "--signal", "even")
    assert result.exit_code == 0, result.output
    assert "SIMULATED rhythmic-gymnastics: 5 videos, 5 records written" in result.output
    assert "drawn at random, not extracted from videos" in result.output
    again = run(*command, "--effect", 0.5, "--signal", "even")
    assert "0 records written" in again.output
    assert "5 existed already" in again.output
    listing = run("store", "ls", store)
    assert "SIMULATED even, effect 0.5" in listing.output
    assert "drawn at random, not extracted from videos" in listing.output
    assert run("simulate", "--like", "folder").exit_code == 2
