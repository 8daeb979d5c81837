"""Simulated tubes: the record that `aqa extract` makes, a signal in the tube and a distractor around it."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from scipy.stats import norm, spearmanr

import cli
from aqa_pipeline.athlete.tube_masks import (
    PictureGeometry,
    TubeMasks,
    paper_frame_masks,
    union_of_frames,
    with_whole_grid_where_empty,
)
from aqa_pipeline.backbones.preprocess import get_preprocess
from aqa_pipeline.backbones.registry import get_backbone
from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.errors import DatasetError, UnknownName
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Dataset, Video
from aqa_pipeline.simulation import (
    Drawn,
    Simulation,
    directions,
    draw_labels,
    find_stream,
    name_of_stream,
    simulate,
    thinned,
)
from aqa_pipeline.simulation.shares import in_proportion
from aqa_pipeline.simulation.tubes import wandering_box
from aqa_pipeline.store import Store
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


# Labels of datasets that are not at hand.


@pytest.fixture(scope="module")
def jumps(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    root = tmp_path_factory.mktemp("labels") / "fr-fs"
    draw_labels("fr-fs", root, seed=3)
    return load_dataset("fr-fs", root)


def test_drawn_jumps_have_the_sizes_of_fr_fs(jumps: Dataset) -> None:
    clean = [video.labels["clean"] for video in jumps.videos]
    assert (len(clean), sum(clean)) == (417, 276)
    official = jumps.split("official")
    assert (len(official.train), len(official.test)) == (209, 208)
    assert sum(jumps.video(video_id).labels["clean"] for video_id in official.test) == 138
    assert not jumps.problems
    assert "drawn at random" in (jumps.root / "DRAWN.txt").read_text()


def test_drawn_scores_have_the_sizes_of_aqa7(tmp_path: Path) -> None:
    draw_labels("aqa7", tmp_path / "aqa7")
    found = load_dataset("aqa7", tmp_path / "aqa7")
    sizes = {name: len(split.train) + len(split.test) for name, split in found.splits.items()}
    assert sizes["diving"] == 370
    assert sum(sizes.values()) == len(found.videos) == 1106
    assert sum(len(split.test) for split in found.splits.values()) == 303
    assert not found.problems


def test_drawn_labels_do_not_go_beside_others(tmp_path: Path) -> None:
    draw_labels("aqa7", tmp_path / "a", seed=1)
    written = {path: path.read_bytes() for path in (tmp_path / "a").rglob("*") if path.is_file()}
    draw_labels("aqa7", tmp_path / "a", seed=1)
    assert all(path.read_bytes() == content for path, content in written.items())
    for root, name, seed in (
        (tmp_path / "a", "aqa7", 2),
        (tmp_path / "a", "fr-fs", 1),
        (tmp_path, "aqa7", 1),
    ):
        with pytest.raises(DatasetError, match=rf"does not hold the labels of {name} with"):
            draw_labels(name, root, seed=seed)
    with pytest.raises(UnknownName, match="mtl-aqa"):
        draw_labels("mtl-aqa", tmp_path / "b")


def test_shares_are_in_proportion() -> None:
    assert in_proportion(10, [1, 1, 1]) == [4, 3, 3]
    assert in_proportion(303, [370, 176, 175, 206, 88, 91]) == [101, 48, 48, 57, 24, 25]


def test_fewer_videos_of_both_sides(jumps: Dataset) -> None:
    chosen = {video.video_id for video in thinned(jumps, 20)}
    official = jumps.split("official")
    assert (len(chosen & set(official.train)), len(chosen & set(official.test))) == (10, 10)
    assert thinned(jumps, None) == thinned(jumps, 1000) == jumps.videos
    with pytest.raises(DatasetError, match="3 of 417 videos of fr-fs leave 1 in one set of a split"):
        thinned(jumps, 3)


def test_a_limit_changes_no_record(jumps: Dataset, tmp_path: Path) -> None:
    """Ranks are those of all labels, whoever is simulated."""
    store = Store(tmp_path / "s")
    report = simulate(jumps, store, Simulation(), streams=["tubes:reference"], limit=4)
    (spec,) = report.specs
    assert report.num_written == 4
    video_id = store.video_ids("fr-fs", spec)[0]
    more = Store(tmp_path / "more")
    simulate(jumps, more, Simulation(), streams=["tubes:reference"], limit=6)
    record = store.read("fr-fs", video_id, spec)
    (same,) = [v for v in more.video_ids("fr-fs", spec) if v == video_id]
    np.testing.assert_array_equal(record.features, more.read("fr-fs", same, spec).features)
    assert record.extras["quads"].shape == (7, 1, 16, 4, 2)
    assert not [problem for _, problem in store.verify() if problem]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def test_the_command_draws_labels_and_tubes(tmp_path: Path) -> None:
    root, store = tmp_path / "fr-fs", tmp_path / "s"
    command = ("simulate", "--like", "fr-fs", "--root", root, "--store", store, "--draw-labels", "--limit", 4)
    result = run(*command)
    assert result.exit_code == 0, result.output
    assert "Wrote random labels to" in result.output
    assert "tubes of i3d-tsa-net: about 46 MB" in result.output
    assert "SIMULATED fr-fs: 4 videos, 4 records written" in result.output
    assert "0 records written" in run(*command).output
    assert "needs --root" in run("simulate", "--like", "fr-fs", "--draw-labels").output
    refused = run("simulate", "--like", "mtl-aqa", "--root", root, "--draw-labels").output
    assert "--like fr-fs or aqa7" in refused
