"""Maps of the stream `tubes` stay in the store's files; their tubes are made of the stored quads."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from aqa_pipeline.athlete.tube_masks import (
    PictureGeometry,
    paper_frame_masks,
    released_frame_masks,
    union_of_frames,
    with_whole_grid_where_empty,
)
from aqa_pipeline.errors import RunError, StoreError
from aqa_pipeline.records import Dataset, Record, StreamSpec
from aqa_pipeline.store import Store
from heads.data.batches import evaluation_batch, training_batches
from heads.data.feature_set import FeatureSet, load_features
from heads.data.tube_maps import OpenedRecord, open_maps, tube_of
from heads.recipes.papers import tsa_recipe

TubeRecord = Callable[..., Record]
TubeWorld = Callable[..., tuple[Dataset, Store]]


def load(dataset: Dataset, store: Store, **options: str) -> FeatureSet:
    (spec,) = store.specs(dataset.name, "tubes")
    ids = [video.video_id for video in dataset.videos]
    return load_features(store, dataset, {"tubes": spec}, target=dataset.targets[0], video_ids=ids, **options)


def test_maps_stay_in_the_files_of_the_store(
    tmp_path: Path, tube_world: TubeWorld, tube_spec: StreamSpec
) -> None:
    dataset, store = tube_world(tmp_path, num_clips=(2, 3))
    samples = load(dataset, store)
    maps = samples.maps["tubes"]
    assert not samples.streams
    assert samples.dims == {"tubes": 3}
    assert samples.lengths["tubes"].tolist() == [2, 3, 2, 3]
    for video, stored in zip(dataset.videos, maps.maps, strict=True):
        record = store.read("jumps", video.video_id, tube_spec)
        np.testing.assert_array_equal(stored, record.features)
        assert isinstance(stored, np.memmap)
        assert stored.dtype == np.float16
        assert not stored.flags.writeable


def test_the_digest_tells_of_every_change(
    tmp_path: Path, tube_world: TubeWorld, tube_record: TubeRecord
) -> None:
    dataset, store = tube_world(tmp_path)
    before = load(dataset, store).digest
    assert load(dataset, store).digest == before
    record = tube_record("0-1")
    moved = dict(record.extras) | {"quads": record.extras["quads"] + np.float32(1)}
    store.write(replace(record, extras=moved))
    assert load(dataset, store).digest != before


@pytest.mark.parametrize("view", [0, 1])
@pytest.mark.parametrize("variant", ["paper", "released"])
def test_tubes_are_those_of_the_frames_quads(view: int, variant: str, tube_record: TubeRecord) -> None:
    """From the frame and its geometry anew, clip by clip, in either view."""
    record = tube_record("a", num_clips=3)
    opened = OpenedRecord(record.spec, record.features, record.extras)
    maps = open_maps("tubes", [opened], variant=variant)
    quads = record.extras["frame_quads"]
    of_view, geometry = (
        quads[:, view].astype(np.float64),
        PictureGeometry(tuple(record.extras["frame_size"][0].tolist())),
    )
    if variant == "paper":
        masks = paper_frame_masks(geometry.in_picture(of_view, flipped=bool(view)))
    else:
        masks = released_frame_masks(of_view, geometry, bool(view))
    expected = with_whole_grid_where_empty(union_of_frames(masks))
    np.testing.assert_array_equal(maps.tubes[0][:, view], expected.masks)
    assert maps.num_empty == expected.num_empty == 1
    assert maps.tubes[0][0, view, 1].all(), "a step without athlete is its whole grid"
    assert not maps.tubes[0][0, view, 0].all()


def test_a_flipped_view_has_the_mirrored_tube(tube_record: TubeRecord, tube_spec: StreamSpec) -> None:
    record = tube_record("a")
    tubes = open_maps("tubes", [OpenedRecord(tube_spec, record.features, record.extras)]).tubes[0]
    np.testing.assert_array_equal(tubes[:, 0], tubes[:, 1, :, :, ::-1])
    assert (tubes[:, 0] != tubes[:, 1]).any()


def test_maps_and_tubes_are_cut_from_the_same_view_and_clips(
    tmp_path: Path, tube_world: TubeWorld, tube_spec: StreamSpec
) -> None:
    """The first grid position of the maps tells the view; many batches draw both views and all starts."""
    dataset, store = tube_world(tmp_path, num_clips=(3,))
    samples = load(dataset, store)
    recipe = replace(tsa_recipe("jumps", "official", "paper", {"tubes": [3]}), num_steps={"tubes": 2})
    generator, seen = torch.Generator().manual_seed(0), set()
    for _ in range(10):
        for batch in training_batches(samples, np.arange(4), recipe=recipe, generator=generator):
            maps, tubes = batch.features["tubes"], batch.features[tube_of("tubes")]
            assert maps.dtype == torch.float32
            assert maps.shape == (4, 2, 3, 4, 14, 14)
            for row, video in enumerate(batch.videos.tolist()):
                view = int(maps[row, 0, 0, 0, 0, 0] > 50)
                stored = store.read("jumps", dataset.videos[video].video_id, tube_spec).features[:, view]
                (start,) = [at for at in (0, 1) if (stored[at] == maps[row, 0].numpy()).all()]
                np.testing.assert_array_equal(maps[row], stored[start : start + 2])
                np.testing.assert_array_equal(
                    tubes[row], samples.maps["tubes"].tubes[video][start : start + 2, view]
                )
                seen.add((view, start))
    assert seen == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_testing_sees_the_reference_view_of_all_clips(tmp_path: Path, tube_world: TubeWorld) -> None:
    dataset, store = tube_world(tmp_path, num_clips=(2, 3))
    recipe = tsa_recipe("jumps", "official", "paper", {"tubes": [2, 3]})
    batch = evaluation_batch(load(dataset, store), np.array([1, 0]), recipe=recipe)
    assert batch.masks["tubes"].tolist() == [[True] * 3, [True, True, False]]
    assert not batch.features["tubes"][:, :, 0, 0, 0, 0].any()
    assert not batch.features["tubes"][1, 2].any()
    assert not batch.features[tube_of("tubes")][1, 2].any()


def test_records_that_are_no_tubes_are_told_of(tube_record: TubeRecord, tube_spec: StreamSpec) -> None:
    record = tube_record("a")
    flat = OpenedRecord(tube_spec, record.features[:, :, 0, 0, 0], record.extras)
    with pytest.raises(RunError, match=r"'tubes' features have the shapes .*expected one for all videos"):
        open_maps("tubes", [flat])
    with pytest.raises(RunError, match=r"have no 'quads' beside their maps, only \['scores'\]"):
        open_maps("tubes", [OpenedRecord(tube_spec, record.features, {"scores": np.zeros((2, 16))})])
    short = {"quads": record.extras["quads"][:, :, :8]}
    with pytest.raises(RunError, match=r"make tubes of \(2, 2, 2, 14, 14\)"):
        open_maps("tubes", [OpenedRecord(tube_spec, record.features, short)])


def test_a_cut_off_file_is_told_of(tmp_path: Path, tube_world: TubeWorld, tube_spec: StreamSpec) -> None:
    _, store = tube_world(tmp_path)
    path = store.path("jumps", "0-1", tube_spec)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(StoreError, match="is not a sound record"):
        store.map("jumps", "0-1", tube_spec)
