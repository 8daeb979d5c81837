"""Simulated tubes: the record that `aqa extract` makes, a signal in the tube and a distractor around it."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import torch
from scipy.stats import norm, spearmanr

from aqa_pipeline.athlete.tube_masks import (
    PictureGeometry,
    TubeMasks,
    paper_frame_masks,
    union_of_frames,
    with_whole_grid_where_empty,
)
from aqa_pipeline.backbones.preprocess import get_preprocess
from aqa_pipeline.backbones.registry import get_backbone
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Video
from aqa_pipeline.simulation import (
    Drawn,
    Simulation,
    directions,
    find_stream,
    name_of_stream,
)
from aqa_pipeline.simulation.tubes import wandering_box
from aqa_pipeline.video import Timeline
from extract.clock import Clock
from extract.runtimes.load_backbone import LoadedBackbone
from extract.streams.tube_sampling import TubeSampling
from extract.streams.tubes import Tubes
from extract.trackers import Step

SECONDS = 103 / 25
OF_SIMULATION = {"simulated", "simulation_version", "effect", "signal", "seed"}
NUM_DRAWN = 120  # without a connection |rho| stays below 0.3 in 999 of 1,000 such samples


class Still:
    """A tracker that sees the athlete in the same place for ever."""

    name = "still"
    facts: Mapping[str, str] = MappingProxyType({"tracker": "still"})
    events: tuple[()] = ()

    def for_video(self, video: Video, footage: Footage) -> "Still":
        return self

    def step(self, frame_index: int, frame: np.ndarray) -> Step:
        return Step(np.array([[300, 100], [360, 100], [360, 200], [300, 200]], np.float32), 0.9)


class Maps(LoadedBackbone):
    """I3D's shapes without its work."""

    def maps(self, clips: np.ndarray, *, endpoint: str) -> np.ndarray:
        return np.zeros((len(clips), 528, 4, 14, 14), np.float32)


def extracted(stride: int, views: str) -> Tubes:
    """Return the stream that `aqa extract` makes, without its network and tracker."""
    entry = get_backbone("i3d-tsa-net")
    preprocess = get_preprocess(entry.preprocess["paper"])
    loaded = Maps(entry, preprocess, "sha256:0", "cpu", "fp32", torch.nn.Identity())
    sampling = TubeSampling(stride=stride, views=views)  # type: ignore[arg-type]
    return Tubes(sampling, "Mixed_4e", Still(), loaded, clips_per_call=2, dtype="float16")


def jump(number: int = 0, *, seconds: float | None = SECONDS) -> Video:
    return Video(f"{number}-1", Path("none.mp4"), duration_seconds=seconds)


def draw(
    name: str = "tubes:7:reference", *, number: int = 0, quality: float = 0.0, **choices: object
) -> Drawn:
    simulation = Simulation(**choices)  # type: ignore[arg-type]
    return find_stream(name).draw(simulation, "fr-fs", jump(number), quality=quality)


@pytest.mark.parametrize(
    ("name", "stride", "views"),
    [("tubes:10", 10, "flip"), ("tubes:7", 16, "flip"), ("tubes:7:reference", 16, "reference")],
)
def test_records_are_those_of_extracted_tubes(name: str, stride: int, views: str) -> None:
    """Facts, shapes, kinds of numbers, times and what lies beside the maps."""
    real, stream = extracted(stride, views), find_stream(name)
    spec = stream.spec(Simulation())
    of_network = {"weights", "preprocess", "precision", "tracker"}
    same = set(spec.facts) - OF_SIMULATION
    assert same == set(real.spec.facts) - of_network
    assert {fact: spec.facts[fact] for fact in same} == {fact: real.spec.facts[fact] for fact in same}

    drawn = draw(name)
    planned = real.intake.plan(Timeline(np.arange(103), Fraction(1, 25), 103))
    np.testing.assert_allclose(drawn.pts_seconds, planned.pts_seconds, atol=1e-9)
    frames = [np.zeros((360, 640, 3), np.uint8)] * 16
    encoded = real.encoder(jump(), Footage(640, 360, 103, 0, 103, 25.0), Clock())(
        frames, planned.frame_index[:1]
    )
    assert drawn.features.shape == (len(planned.frame_index), *encoded.features.shape[1:])
    assert drawn.features.dtype == encoded.features.dtype
    assert drawn.features.nbytes == stream.num_bytes(jump())
    assert set(drawn.extras) == set(encoded.extras)
    for extra, rows in encoded.extras.items():
        assert drawn.extras[extra].shape[1:] == rows.shape[1:], extra
        assert drawn.extras[extra].dtype == rows.dtype, extra
    np.testing.assert_array_equal(drawn.extras["frame_index"], planned.frame_index)


def tube_of(quads: np.ndarray, *, flipped: bool = False) -> TubeMasks:
    in_picture = PictureGeometry((640, 360)).in_picture(quads, flipped=flipped)
    return with_whole_grid_where_empty(union_of_frames(paper_frame_masks(in_picture)))


def test_the_tube_is_where_the_quads_are() -> None:
    """As heads make it from the frame's quads, and mirrored in the flipped view."""
    drawn = draw("tubes:7")
    for view, flipped in enumerate((False, True)):
        quads = drawn.extras["frame_quads"][:, view]
        expected = tube_of(quads, flipped=flipped)
        key = drawn.is_key[..., ::-1] if flipped else drawn.is_key
        np.testing.assert_array_equal(key, expected.masks)
        assert expected.num_empty == 0


def test_tubes_wander_and_take_a_small_part() -> None:
    """Of 103 frames 100 make whole steps."""
    rng, geometry = np.random.default_rng(0), PictureGeometry((640, 360))
    shares = []
    for _ in range(50):
        quads = wandering_box(rng, geometry)
        tube = tube_of(quads[:100])
        assert tube.num_empty == 0
        assert (tube.masks[0] != tube.masks[-1]).any()
        shares.append(tube.masks.mean())
    assert min(shares) > 0.05
    assert max(shares) < 0.4
    assert 0.1 < np.mean(shares) < 0.25


def test_the_flipped_view_is_nearly_the_mirrored_one() -> None:
    reference, flipped = np.moveaxis(draw("tubes:7").features[:1].astype(np.float32), 1, 0)
    unmarked = np.ones(528, bool)
    (seen,) = directions(Simulation(), find_stream("tubes:7"))
    unmarked[np.concatenate([seen.better, seen.worse])] = False
    pair = reference[:, unmarked, ..., ::-1].ravel(), flipped[:, unmarked].ravel()
    assert 0.8 < np.corrcoef(*pair)[0, 1] < 0.99
    assert abs(np.corrcoef(reference[:, unmarked].ravel(), pair[1])[0, 1]) < 0.05


def test_quality_changes_the_marked_channels_in_the_tube_alone() -> None:
    before, after = draw(quality=-2.0), draw(quality=2.0)
    changed = np.moveaxis(
        (before.features != after.features)[:, 0], 1, -1
    )  # (clip, step, row, column, channel)
    (seen,) = directions(Simulation(), find_stream("tubes:7:reference"))
    marked = np.zeros(528, bool)
    marked[np.concatenate([seen.better, seen.worse])] = True
    assert changed[before.is_key][:, marked].any(axis=1).mean() > 0.95
    assert not changed[~before.is_key].any()
    assert not changed[..., ~marked].any()


@pytest.mark.parametrize("signal", ["sparse", "even"])
def test_without_effect_quality_changes_nothing(signal: str) -> None:
    before, after = (draw(quality=q, effect=0.0, signal=signal) for q in (-2.0, 2.0))
    np.testing.assert_array_equal(before.features, after.features)


def correlations(signal: str) -> dict[str, float]:
    """Return the correlation with quality for a grid position, the tube, the rest and the whole map."""
    qualities = norm.ppf((np.arange(NUM_DRAWN) + 0.5) / NUM_DRAWN)
    stream, simulation = find_stream("tubes:7:reference"), Simulation(signal=signal)  # type: ignore[arg-type]
    (seen,) = directions(simulation, stream)
    rows = []
    for number, quality in enumerate(qualities):
        drawn = stream.draw(simulation, "fr-fs", jump(number), quality=quality)
        quads = drawn.extras["frame_quads"][:, 0]
        tube = tube_of(quads).masks
        maps = drawn.features[:, 0].astype(np.float32)
        shown = maps[:, seen.better].mean(axis=1) - maps[:, seen.worse].mean(axis=1)
        rows.append((shown[tube].mean(), shown[~tube].mean(), shown.mean(), shown[tube][0]))
    columns = zip(("tube", "rest", "everything", "one cell"), np.transpose(rows), strict=True)
    return {name: float(spearmanr(values, qualities)[0]) for name, values in columns}


def test_a_sparse_signal_is_for_who_knows_of_the_tube() -> None:
    found = correlations("sparse")
    assert found["tube"] > 0.8
    assert abs(found["rest"]) < 0.3
    assert abs(found["everything"]) < 0.5
    assert found["one cell"] < 0.7


def test_an_even_signal_is_for_who_averages() -> None:
    found = correlations("even")
    assert found["everything"] > 0.8
    assert found["everything"] == pytest.approx(found["tube"], abs=0.05)


@pytest.mark.parametrize("seconds", [None, 4.0])
def test_a_video_shorter_than_its_clips_is_refused(seconds: float | None) -> None:
    with pytest.raises(
        DatasetError, match=rf"'0-1' has a duration of {seconds} seconds.*last 103 frames need at least 4\.12"
    ):
        find_stream("tubes").draw(Simulation(), "fr-fs", jump(seconds=seconds), quality=0.0)


def test_the_dataset_decides_on_the_clips() -> None:
    assert find_stream("tubes").name == find_stream("tubes", dataset="aqa7").name == "tubes:10"
    assert find_stream("tubes", dataset="fr-fs").name == "tubes:7"
    assert find_stream("tubes:reference", dataset="fr-fs").name == "tubes:7:reference"
    assert name_of_stream("tubes", "i3d-tsa-net") == "tubes"
    assert draw("tubes:7", number=1).features.shape == (7, 2, 528, 4, 14, 14)
