"""What a score is of is said in words, in numbers and with the option that changes it."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Pictures, Record, Source, StreamSpec
from heads.recipes.papers import action_net_recipe
from heads.runs.training_statistics import gather_training_statistics
from heads.scoring.input_warnings import input_warnings
from heads.scoring.visible_parts import (
    head_window_sentences,
    out_of_view_warnings,
    stream_part_sentences,
    visible_parts_json,
)

SIX_SECONDS = Footage(640, 360, 120, 0, 120, 20.0)
SPEC = StreamSpec("segments", {"rate_fps": 5.0})


def segments(number: int, *, footage: Footage | None = SIX_SECONDS) -> Record:
    start = 3.2 * np.arange(number)
    return Record(
        "d",
        "v",
        SPEC,
        np.zeros((number, 3), np.float32),
        np.stack([start, start + 3.2], axis=1),
        Source("digest"),
        extras={"frame_index": 4 * np.arange(16 * number).reshape(number, 16)},
        pictures=Pictures(footage, (140.0, 0.0, 500.0, 360.0)),
    )


def crops(*lefts: float) -> Record:
    number = len(lefts)
    return Record(
        "d",
        "v",
        StreamSpec("crops", {"rate_fps": 1.0}),
        np.zeros((number, 3), np.float32),
        np.stack([np.arange(number), np.arange(number) + 1.0], axis=1),
        Source("digest"),
        extras={
            "frame_index": 20 * np.arange(number)[:, None] + 10,
            "boxes": np.array([[left, 0, left + 40, 90, 0.9] for left in lefts]),
        },
        pictures=Pictures(SIX_SECONDS),
    )


def test_a_part_is_said_with_the_option_that_takes_all() -> None:
    assert list(stream_part_sentences({"segments": segments(1), "crops": crops(200, 200)})) == [
        "The segments cover 0.0-3.2 s of 6.0 s only; to cover the whole video, extract with --rest padded "
        "and fit again."
    ]
    assert list(stream_part_sentences({"segments": segments(2)})) == []


def test_an_athlete_out_of_sight_is_a_warning_with_its_option() -> None:
    records = {"segments": segments(2), "crops": crops(0, 200, 300, 600, 600)}
    assert list(out_of_view_warnings(records)) == [
        "The athlete is outside the network's picture in 3 of 5 frames of segments; to show whole frames to "
        "the network, extract with --framing whole and fit again."
    ]
    whole = replace(records["segments"], pictures=Pictures(SIX_SECONDS, (0, 0, 640, 360)))
    assert list(out_of_view_warnings(records | {"segments": whole})) == []


def test_the_same_is_there_as_numbers() -> None:
    seen = visible_parts_json({"segments": segments(1), "crops": crops(0, 200, 300)})
    assert seen["looks_at"]["segments"] == {
        "start": 0.0,
        "stop": 3.2,
        "duration": 6.0,
        "num_frames": 120,
        "option": "--rest padded",
    }
    assert seen["athlete_outside_picture"]["segments"]["num_outside"] == 1
    assert visible_parts_json({"segments": segments(2)}) == {"looks_at": {}, "athlete_outside_picture": {}}


@pytest.mark.parametrize(
    ("windows", "number", "told"), [("released", 5, 1), ("released", 3, 0), ("paper", 5, 0)]
)
def test_a_head_that_looks_at_the_middle_says_so(make_config, windows, number, told) -> None:
    """Testing sees steps 1 to 3 of 0 to 4, where windows have three."""
    recipe = replace(
        action_net_recipe("mit-skating", "s", "paper", {}), num_steps={"segments": 3}, windows=windows
    )
    cell = SimpleNamespace(recipe=recipe)
    ensemble = SimpleNamespace(cells=[cell], config=make_config(head=("action-net", "released")))
    minute = replace(SIX_SECONDS, num_frames=320, stop_frame=320)
    sentences = list(head_window_sentences({"segments": segments(number, footage=minute)}, ensemble))
    assert len(sentences) == told
    for sentence in sentences:
        assert (
            "released reads 3 of 5 steps of segments only, 3.2-12.8 s of 16.0 s; the variant paper"
            in sentence
        )


@pytest.mark.parametrize("footage", [SIX_SECONDS, None])
def test_training_videos_last_as_long_as_their_footage(world, footage) -> None:
    """One segment of 3.2 s is all that a file of 6.0 s has, and no reason to call it shorter than others."""
    from heads.data.feature_set import load_features

    ids = tuple(video.video_id for video in world.dataset.videos[:5])
    samples = load_features(
        world.store, world.dataset, world.specs, target=world.dataset.target(), video_ids=ids
    )
    headers = {stream: [segments(1, footage=footage)] * len(ids) for stream in world.specs}
    facts = gather_training_statistics(samples, np.arange(len(ids)), headers)
    if footage is None:
        ends = [max(p[i][-1, 1] for p in samples.pts_seconds.values() if len(p[i])) for i in range(len(ids))]
        assert facts.seconds == (min(ends), max(ends))
        return
    assert facts.seconds == (6.0, 6.0)
    video = replace(segments(1), features=np.zeros((1, world.dims["segments"]), np.float32))
    assert not any("than all" in warning for warning in input_warnings({"segments": video}, [facts]))
