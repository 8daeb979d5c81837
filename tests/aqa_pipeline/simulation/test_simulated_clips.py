"""Simulated clips: shapes and facts of the stream that extracts them, and a signal per clip and dimension."""

import pickle
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from scipy.stats import norm, spearmanr

import cli
from aqa_pipeline.backbones.preprocess import get_preprocess
from aqa_pipeline.backbones.registry import get_backbone
from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.errors import DatasetError, UnknownName
from aqa_pipeline.records import Dataset, Video
from aqa_pipeline.simulation import (
    STREAMS,
    Drawn,
    Simulation,
    directions,
    find_stream,
    name_of_stream,
    simulate,
    usual_streams,
)
from aqa_pipeline.store import Store
from aqa_pipeline.video import Timeline
from extract.runtimes.load_backbone import LoadedBackbone
from extract.streams import ClipSampling
from extract.streams.clips import Clips

CLIPS = tuple(name for name in STREAMS if name.startswith("clips:"))
USUAL = "clips:r2plus1d_34_ig65m_32"
NUM_DIVES = 10
NUM_DRAWN = 400
OF_SIMULATION = {"simulated", "simulation_version", "effect", "signal", "seed"}
OF_NETWORK = {"weights", "preprocess", "precision"}


def write_labels(root: Path) -> Path:
    """Ten dives of one broadcast, in the release's pickles."""
    scores = np.random.default_rng(0).uniform(20, 100, NUM_DIVES).round(2)
    keys = [(1, dive) for dive in range(1, NUM_DIVES + 1)]
    labels = {
        key: {"start_frame": 200 * n, "end_frame": 200 * n + 110, "final_score": score, "difficulty": 3.0}
        for n, (key, score) in enumerate(zip(keys, scores.tolist(), strict=True), start=1)
    }
    root.mkdir()
    for name, content in (
        ("final_annotations_dict.pkl", labels),
        ("train_split_0.pkl", keys[:7]),
        ("test_split_0.pkl", keys[7:]),
    ):
        (root / name).write_bytes(pickle.dumps(content, protocol=3))
    return root


@pytest.fixture
def dives(tmp_path: Path) -> Dataset:
    return load_dataset("mtl-aqa", write_labels(tmp_path / "mtl-aqa"))


def extracted(backbone: str) -> Clips:
    """Return the stream that `aqa extract` makes by default, without its network."""
    entry = get_backbone(backbone)
    preprocess = get_preprocess(entry.preprocess["paper"])
    loaded = LoadedBackbone(entry, preprocess, "sha256:0", "cpu", "fp32", torch.nn.Identity)
    return Clips(ClipSampling(), loaded, clips_per_call=12, dtype="float16")


def dive(number: int = 0, *, seconds: float = 120 / 25) -> Video:
    return Video(f"{number:03d}", Path("none.mp4"), duration_seconds=seconds)


def draw(stream: str = USUAL, *, quality: float = 0.0, **choices: object) -> Drawn:
    simulation = Simulation(**choices)  # type: ignore[arg-type]
    return find_stream(stream).draw(simulation, "mtl-aqa", dive(), quality=quality)


@pytest.mark.parametrize("name", CLIPS)
def test_facts_shapes_and_times_are_those_of_extracted_clips(name: str) -> None:
    real, stream = extracted(STREAMS[name].backbone), STREAMS[name]
    spec = stream.spec(Simulation())
    assert set(real.spec.facts) == set(spec.facts) - OF_SIMULATION | OF_NETWORK
    same = set(real.spec.facts) - OF_NETWORK
    assert {fact: spec.facts[fact] for fact in same} == {fact: real.spec.facts[fact] for fact in same}
    drawn = draw(name)
    planned = real.intake.plan(Timeline(np.arange(120), Fraction(1, 25), 120))
    assert drawn.features.shape == (len(planned.pts_seconds), len(real.spec.views), real.feature_size)
    assert drawn.features.dtype == np.float16
    assert drawn.features.nbytes == stream.num_bytes(dive())
    np.testing.assert_allclose(drawn.pts_seconds, planned.pts_seconds, atol=1e-9)


def test_the_store_takes_the_usual_clips_of_real_labels(dives: Dataset, tmp_path: Path) -> None:
    store = Store(tmp_path / "s")
    report = simulate(dives, store, Simulation(effect=0.5))
    (spec,) = report.specs
    assert report.num_written == NUM_DIVES
    assert spec.facts["backbone"] == "r2plus1d_34_ig65m_32"
    record = store.read("mtl-aqa", "01_03", spec)
    assert record.features.shape == (3, 12, 512)
    assert record.pts_seconds[-1, 1] == dives.video("01_03").duration_seconds
    assert not [problem for _, problem in store.verify() if problem]


def test_views_are_small_perturbations_of_the_reference() -> None:
    drawn = draw(effect=0.0)
    unmarked = np.ones(512, bool)
    for seen in directions(Simulation(), STREAMS[USUAL]):
        unmarked[np.concatenate([seen.better, seen.worse, seen.marker])] = False
    clip = drawn.features[0][:, unmarked].astype(np.float64)
    for view in clip[1:]:
        assert 0.8 < np.corrcoef(clip[0], view)[0, 1] < 0.99
        assert view.mean() == pytest.approx(0.5 * np.sqrt(2 / np.pi), abs=0.05)
    assert len({view.tobytes() for view in clip}) == 12


def test_each_aspect_has_features_of_its_own() -> None:
    for name in CLIPS:
        aspects = directions(Simulation(), STREAMS[name])
        marked = np.concatenate([rows for a in aspects for rows in (a.better, a.worse, a.marker)])
        assert len(aspects) == 2
        assert len(set(marked)) == len(marked) == 6 * STREAMS[name].dim // 32


@pytest.mark.parametrize("name", [USUAL, "clips:r2plus1d_34_hara", "clips:r2plus1d_34_ig65m_8"])
def test_each_aspect_shows_in_one_third_and_never_both_in_the_same(name: str) -> None:
    stream = STREAMS[name]
    seen = set()
    for number in range(40):
        drawn = stream.draw(Simulation(), "mtl-aqa", dive(number), quality=0.0)
        thirds = drawn.is_key.reshape(3, -1, 2)
        assert (thirds == thirds[:, :1]).all()
        assert thirds[:, 0].sum(axis=0).tolist() == [1, 1]
        seen.add(tuple(thirds[:, 0].argmax(axis=0)))
    assert seen == {(a, b) for a in range(3) for b in range(3) if a != b}
    assert not draw(name, signal="even").is_key.any()


@pytest.mark.parametrize("signal", ["sparse", "even"])
def test_without_effect_quality_changes_nothing(signal: str) -> None:
    before, after = (draw(quality=q, effect=0.0, signal=signal) for q in (-2.0, 2.0))
    np.testing.assert_array_equal(before.features, after.features)


def test_quality_changes_each_aspect_in_its_own_clips_alone() -> None:
    before, after = draw(quality=-2.0), draw(quality=2.0)
    changed = (before.features != after.features).any(axis=1)  # (clip, dim)
    for aspect, seen in enumerate(directions(Simulation(), STREAMS[USUAL])):
        shows = changed[:, np.concatenate([seen.better, seen.worse])]
        np.testing.assert_array_equal(shows.any(axis=1), before.is_key[:, aspect])
        assert not changed[:, seen.marker].any()
        changed[:, np.concatenate([seen.better, seen.worse])] = False
    assert not changed.any()


@pytest.fixture(scope="module")
def qualities() -> np.ndarray:
    return np.asarray(norm.ppf((np.arange(NUM_DRAWN) + 0.5) / NUM_DRAWN))


def shown_and_marked(name: str, qualities: np.ndarray, signal: str) -> tuple[np.ndarray, ...]:
    """Return what each reference view shows, its markers and its key clips, each (video, clip, aspect)."""
    stream, simulation = STREAMS[name], Simulation(signal=signal)  # type: ignore[arg-type]
    rows = []
    for number, quality in enumerate(qualities):
        drawn = stream.draw(simulation, "mtl-aqa", dive(number), quality=quality)
        reference = drawn.features[:, 0].astype(np.float64)
        aspects = directions(simulation, stream)
        better, worse, marker = (
            np.stack([reference[:, getattr(a, kind)].mean(axis=1) for a in aspects], axis=1)
            for kind in ("better", "worse", "marker")
        )
        rows.append((better - worse, marker, drawn.is_key))
    shown, markers, is_key = (np.stack(column) for column in zip(*rows, strict=True))
    return shown, markers, is_key


@pytest.mark.parametrize("name", [USUAL, "clips:r2plus1d_34_ig65m_8"])
def test_a_sparse_signal_is_for_who_weighs_clips_in_each_dimension(name, qualities) -> None:
    shown, markers, is_key = shown_and_marked(name, qualities, "sparse")

    def correlation(weights: np.ndarray) -> float:
        return float(spearmanr((weights * shown).sum(axis=(1, 2)), qualities)[0])

    assert correlation(is_key) > 0.9
    assert 0.42 < correlation(np.ones_like(is_key)) < 0.65
    # The same weight in both aspects: the clips of the one, of the other, of both.
    for of_clip in (is_key[:, :, 0], is_key[:, :, 1], is_key.any(axis=2)):
        assert correlation(of_clip[:, :, None]) < 0.75
    # Clips compared with each other tell where an aspect shows; judged one by one, most are missed.
    highest = markers > 0.5 * (markers.min(axis=1, keepdims=True) + markers.max(axis=1, keepdims=True))
    assert (highest == is_key).mean() > 0.99
    assert correlation(highest) > 0.9
    best = max(((markers > threshold) == is_key).mean() for threshold in np.linspace(0, 7, 100))
    assert best < 0.85


def test_an_even_signal_is_for_who_averages(qualities) -> None:
    shown, _, _ = shown_and_marked(USUAL, qualities, "even")
    assert 0.78 < spearmanr(shown.mean(axis=(1, 2)), qualities)[0] < 0.9


def test_names_of_clips() -> None:
    assert usual_streams("mtl-aqa") == ("clips",)
    assert find_stream("clips") is STREAMS[USUAL]
    assert name_of_stream("clips", "r3d_50_hara") == "clips:r3d_50_hara"
    assert name_of_stream("clips", "c3d") == "clips:c3d"
    assert name_of_stream("segments", "c3d") == "c3d"
    assert name_of_stream("segments", "toy") == "segments"
    with pytest.raises(UnknownName, match=r"unknown simulated stream 'clips:r3d_50'.*'clips:r3d_50_hara'"):
        find_stream("clips:r3d_50")


@pytest.mark.parametrize("seconds", [None, 3.8])
def test_a_video_shorter_than_its_clips_is_refused(seconds: float | None) -> None:
    video = Video("x", Path("x.mp4"), duration_seconds=seconds)
    with pytest.raises(
        DatasetError, match=rf"'x' has a duration of {seconds} seconds.*last 96 frames need at least 3.84"
    ):
        STREAMS[USUAL].draw(Simulation(), "mtl-aqa", video, quality=0.0)


def test_specs_of_different_choices_are_different() -> None:
    stream = STREAMS[USUAL]
    hashes = {
        stream.spec(s).hash
        for s in (Simulation(), Simulation(effect=2.0), Simulation(signal="even"), Simulation(seed=1))
    }
    assert len(hashes) == 4


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def test_the_command_says_the_size_first(dives: Dataset, tmp_path: Path) -> None:
    store = tmp_path / "s"
    command = ("simulate", "--like", "mtl-aqa", "--root", dives.root, "--store", store)
    result = run(*command, "--streams", "clips,clips:r2plus1d_34_ig65m_8")
    assert result.exit_code == 0, result.output
    said = result.output.index("clips of r2plus1d_34_ig65m_8: about 1 MB")
    assert said < result.output.index("SIMULATED mtl-aqa: 10 videos, 20 records written")
    assert "0 records written" in run(*command).output
    assert run(*command, "--streams", "clips:r2d2").exit_code == 1
