"""From the store to padded tensors, and every way in which that can fail."""

from pathlib import Path

import numpy as np
import pytest
import torch

from aqa_pipeline.errors import RunError
from aqa_pipeline.records import Dataset, StreamSpec, Target, Video
from aqa_pipeline.store import Store
from heads.data.feature_set import FeatureSet, check_complete, find_missing, load_features
from heads.data.stored_specs import SpecChoice, choose_specs
from heads.registry import HEADS

# The video in the middle has no crops: no athlete was found in it.
IDS = ["routine-02", "routine-03", "routine-05"]
STREAMS = HEADS["action-net"].streams


def load(world, ids: list[str] = IDS, target: str = "score") -> FeatureSet:
    return load_features(world.store, world.dataset, world.specs, target=Target(target), video_ids=ids)


def test_features_are_padded_and_labelled(world) -> None:
    samples = load(world)
    assert samples.video_ids == tuple(IDS)
    assert samples.dims == world.dims
    for stream, spec in world.specs.items():
        for index, video_id in enumerate(IDS):
            record = world.store.read("synthetic", video_id, spec)
            steps = len(record.features)
            assert samples.lengths[stream][index] == steps
            np.testing.assert_array_equal(samples.streams[stream][index, :steps], record.features)
            assert not samples.streams[stream][index, steps:].any()
            np.testing.assert_array_equal(samples.pts_seconds[stream][index], record.pts_seconds)
        assert samples.streams[stream].dtype == torch.float32
        assert samples.streams[stream].shape[1] == samples.lengths[stream].max()
    assert samples.labels.tolist() == [world.dataset.video(v).labels["score"] for v in IDS]


def test_videos_without_an_athlete_are_told(world) -> None:
    assert load(world).without_steps == {"segments": [], "crops": [world.empty_crops]}


def test_the_digest_depends_on_every_value(world) -> None:
    before = load(world).digest
    assert load(world).digest == before
    assert load(world, IDS[::-1]).digest != before
    assert load(world, target="bonus").digest != before
    record = world.store.read("synthetic", IDS[0], world.specs["crops"])
    features = record.features.copy()
    features[0, 0] += 1e-3
    world.store.write(world.record(IDS[0], world.specs["crops"], features))
    assert load(world).digest != before


def test_the_only_stored_spec_is_chosen(world) -> None:
    assert choose_specs(world.store, world.dataset, STREAMS) == world.specs


def test_several_stored_specs_need_a_choice(world) -> None:
    other = StreamSpec("segments", {"backbone": "toy-3d", "fps": 6.0})
    world.store.write(world.record(IDS[0], other, np.ones((2, 4))))
    with pytest.raises(
        RunError, match=r"(?s)made in 2 ways.*fps=5.0.*Choose one by its hash, such as --spec"
    ) as error:
        choose_specs(world.store, world.dataset, STREAMS)
    assert other.hash in str(error.value)
    assert "fps=6.0" in str(error.value)
    assert "backbone" not in str(error.value), "only what differs is shown"
    chosen = choose_specs(
        world.store, world.dataset, STREAMS, choice=SpecChoice({"segments": other.hash[:6]})
    )
    assert chosen == world.specs | {"segments": other}
    with pytest.raises(RunError, match="and 'ffff' chooses none of them"):
        choose_specs(world.store, world.dataset, STREAMS, choice=SpecChoice({"segments": "ffff"}))


def test_a_choice_for_a_stream_that_the_head_does_not_read_is_refused(world) -> None:
    with pytest.raises(RunError, match=r"specs are chosen for \['tubes'\], but the head reads"):
        choose_specs(world.store, world.dataset, STREAMS, choice=SpecChoice({"tubes": "abc"}))


def test_a_stream_that_was_never_extracted_names_the_command(world) -> None:
    command = "aqa extract --dataset synthetic --root .* --store .* --streams frames"
    with pytest.raises(
        RunError,
        match=f"has no 'frames' of synthetic. Make them with `{command}`, or read what is there with "
        "`--streams crops`",
    ):
        choose_specs(world.store, world.dataset, ["frames"])


@pytest.mark.parametrize(
    ("facts", "command"),
    [
        ({"imported": "npy", "backbone": "i3d"}, "aqa store import .* --stream crops --features FOLDER"),
        ({"simulated": True, "backbone": "i3d"}, "aqa simulate --like synthetic .* --streams crops"),
        ({"backbone": "i3d"}, "aqa extract --dataset synthetic .* --streams crops"),
    ],
)
def test_a_store_of_segments_alone_names_them(world, tmp_path: Path, facts, command: str) -> None:
    store = Store(tmp_path / "other")
    store.write(world.record(IDS[0], StreamSpec("segments", facts), np.ones((2, 4))))
    message = f"has no 'crops' of synthetic. Make them with `{command}`, or read .* `--streams segments`"
    with pytest.raises(RunError, match=message):
        choose_specs(store, world.dataset, ["segments", "crops"])


def test_maps_are_not_proposed_to_a_head_of_features(world, tmp_path: Path) -> None:
    store = Store(tmp_path / "other")
    store.write(world.record(IDS[0], StreamSpec("tubes", {"backbone": "i3d"}), np.ones((2, 4))))
    with pytest.raises(RunError, match=r"no 'segments' and no 'crops' of synthetic. Make .*crops`\.$"):
        choose_specs(store, world.dataset, ["segments", "crops"])


def test_a_network_chooses_among_stored_features(world) -> None:
    other = StreamSpec("segments", {"backbone": "c3d", "fps": 5.0})
    world.store.write(world.record(IDS[0], other, np.ones((2, 4))))

    def chosen(**backbones: str) -> dict[str, StreamSpec]:
        choice = SpecChoice(backbones={name.strip("_"): backbone for name, backbone in backbones.items()})
        return choose_specs(world.store, world.dataset, STREAMS, choice=choice)

    with pytest.raises(
        RunError, match=r"Choose one by its network, such as --backbone segments=(c3d|toy-3d)"
    ):
        chosen()
    assert chosen(segments="c3d") == world.specs | {"segments": other}
    assert chosen(_="c3d") == world.specs | {"segments": other}, (
        "crops of c3d are none: the only ones are read"
    )
    assert chosen(_="toy-3d") == world.specs
    with pytest.raises(RunError, match="--backbone i3d chooses none of them"):
        chosen(segments="i3d")
    with pytest.raises(RunError, match="of the backbone 'i3d' are stored, but of c3d, toy-2d, toy"):
        chosen(_="i3d")


def test_missing_records_are_told_in_one_message(world) -> None:
    for video_id, stream in ((IDS[0], "segments"), (IDS[0], "crops"), (IDS[2], "crops")):
        world.store.path("synthetic", video_id, world.specs[stream]).unlink()
    missing = find_missing(world.store, world.dataset, world.specs, video_ids=IDS)
    assert missing == {IDS[0]: ["segments", "crops"], IDS[2]: ["crops"]}
    with pytest.raises(
        RunError, match=r"(?s)2 of 3 videos lack features.*routine-02: no segments, crops\n"
    ) as error:
        check_complete(missing, store=world.store, dataset=world.dataset, num_videos=3)
    assert "routine-05: no crops" in str(error.value)
    assert "--streams crops,segments`" in str(error.value)
    assert "--allow-missing" in str(error.value)


def test_many_missing_records_are_abridged(world) -> None:
    missing = {f"video-{n}": ["crops"] for n in range(25)}
    with pytest.raises(RunError, match=r"25 of 30 videos lack(?s:.*)\.\.\. and 5 more"):
        check_complete(missing, store=world.store, dataset=world.dataset, num_videos=30)


def test_videos_without_the_target_are_told(world) -> None:
    videos = [*world.dataset.videos[:2], Video(IDS[2], world.dataset.root, {"score": float("nan")})]
    dataset = Dataset("synthetic", world.dataset.root, tuple(videos), {}, world.dataset.targets)
    with pytest.raises(
        RunError, match=r"1 of 1 video of synthetic has no 'score' score, such as \['routine-05'\]"
    ):
        load_features(world.store, dataset, world.specs, target=Target("score"), video_ids=[IDS[2]])


def test_unequal_feature_sizes_are_refused(world) -> None:
    world.store.write(world.record(IDS[0], world.specs["crops"], np.ones((2, 4))))
    with pytest.raises(RunError, match=r"'crops' features have several sizes, \['4', '40'\]"):
        load(world)


def test_a_stream_without_any_step_at_all_is_refused(world) -> None:
    with pytest.raises(RunError, match="no video has a step in stream 'crops'"):
        load(world, [world.empty_crops])
