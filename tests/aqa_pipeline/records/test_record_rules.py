"""What a video, a split, a dataset and a record must be, and what is said where they are not."""

import math
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqa_pipeline.errors import DatasetError, StoreError, UnknownName
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Dataset, Event, Pictures, Record, Source, Split, StreamSpec, Target, Video


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"video_id": ""}, "a video without an id: v.mp4"),
        ({"start_frame": -1}, r"video 'v': frames \[-1, None\) are not an interval"),
        ({"start_frame": 5, "stop_frame": 5}, r"video 'v': frames \[5, 5\) are not an interval"),
        ({"start_frame": 9, "stop_frame": 5}, r"video 'v': frames \[9, 5\) are not an interval"),
    ],
    ids=["no id", "negative", "empty", "backwards"],
)
def test_a_video_that_is_none_is_refused(facts, message):
    with pytest.raises(DatasetError, match=message):
        Video(**{"video_id": "v", "path": Path("v.mp4"), **facts})


def test_a_videos_labels_cannot_be_changed_by_who_gave_or_got_them():
    labels = {"score": 1.0}
    video = Video("v", Path("v.mp4"), labels)
    labels["score"] = 2.0
    assert video.labels == {"score": 1.0}
    with pytest.raises(TypeError):
        video.labels["score"] = 3.0


def test_a_split_that_tests_what_it_trained_on_is_refused():
    with pytest.raises(DatasetError, match=r"split 's' trains and tests on the same videos: \['b'\]"):
        Split("s", ("a", "b"), ("b", "c"))


def test_a_split_without_some_videos_keeps_the_order_of_the_others():
    split = Split("s", ("c", "a", "b"), ("e", "d")).without({"a", "e", "stranger"})
    assert (split.train, split.test) == (("c", "b"), ("d",))


def dataset(*, groups: dict[str, str | None] | None = None, **facts: object) -> Dataset:
    groups = groups or dict.fromkeys("abcd")
    names = list(groups)
    splits = {
        name: Split(name, tuple(names[1:]), (names[0],)) for name in ("given", "grouped-0", "grouped-1")
    }
    made = {
        "name": "mine",
        "root": Path("data/mine"),
        "videos": tuple(Video(name, Path(name), group=group) for name, group in groups.items()),
        "splits": splits,
        "targets": (Target("score"), Target("difficulty")),
        "default_splits": ("given",),
    }
    return Dataset(**{**made, **facts})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ((), ["given"]),
        (("grouped",), ["grouped-0", "grouped-1"]),
        (("grouped-1", "given"), ["grouped-1", "given"]),
    ],
    ids=["default", "kind", "names"],
)
def test_splits_are_found_by_name_and_by_kind(names, found):
    assert [split.name for split in dataset().splits_named(names)] == found


def test_without_a_default_all_splits_are_meant():
    assert len(dataset(default_splits=()).splits_named(())) == 3


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda data: data.split("givn"), "unknown split of mine 'givn'. Did you mean 'given'"),
        (lambda data: data.splits_named(["random"]), "unknown split of mine 'random'"),
        (lambda data: data.video("e"), "unknown video of mine 'e'.*Known: a, b, c, d"),
        (lambda data: data.target("skore"), "unknown target of mine 'skore'. Did you mean 'score'"),
    ],
    ids=["split", "kind", "video", "target"],
)
def test_an_unknown_name_lists_the_known_ones(ask, message):
    with pytest.raises(UnknownName, match=message):
        ask(dataset())


def test_the_first_target_is_the_usual_one_and_without_any_there_is_nothing_to_learn():
    assert dataset().target().name == "score"
    assert dataset().target("difficulty").name == "difficulty"
    with pytest.raises(DatasetError, match="mine in data/mine has no score to learn: add a column score"):
        dataset(targets=()).target()


def test_test_videos_whose_group_was_trained_on_are_counted():
    grouped = dataset(groups={"a": "x", "b": "x", "c": "y", "d": None, "e": None})
    assert grouped.num_sharing_group(Split("s", ("a", "d"), ("b", "c", "e"))) == 1, "no group shares nothing"
    assert grouped.num_sharing_group(Split("s", ("c",), ("a", "b"))) == 0


def test_a_dataset_prints_its_size_and_not_its_videos():
    assert repr(dataset()) == (
        "Dataset(mine: 4 videos; 3 splits (given, grouped-0, grouped-1); targets score, difficulty)"
    )
    many = {f"random-{at}": Split(f"random-{at}", ("a",), ("b",)) for at in range(7)}
    assert repr(dataset(splits=many, targets=())).endswith(
        "7 splits (random-0, random-1, random-2, random-3, random-4, ...); targets none)"
    )


PICTURES = StreamSpec("pixels", {"dtype": "uint8", "width": 171, "height": 128})


def record(**facts: object) -> Record:
    made = {
        "dataset": "toy",
        "video_id": "a",
        "spec": StreamSpec("segments", {}),
        "features": np.ones((3, 2), np.float32),
        "pts_seconds": np.array([[0.0, 1.0], [1.0, 2.0], [2.0, 3.0]]),
        "source": Source("0" * 64),
    }
    return Record(**{**made, **facts})  # type: ignore[arg-type]


def times(*rows: tuple[float, float]) -> np.ndarray:
    return np.array(rows)


NO_RECORDS = {
    "a vector": ({"features": np.ones(3)}, r"features must be floats, \(time, dim\)"),
    "whole numbers": ({"features": np.ones((3, 2), int)}, r"features must be floats, \(time, dim\)"),
    "bytes that the spec does not name": (
        {"features": np.ones((3, 2), np.uint8)},
        r"features must be floats, \(time, dim\)",
    ),
    "floats for pictures": ({"spec": PICTURES}, r"features must be uint8, \(time, dim\)"),
    "other whole numbers": ({"spec": PICTURES, "features": np.ones((3, 2), np.uint16)}, "must be uint8"),
    "fewer times than steps": ({"pts_seconds": times((0, 1), (1, 2))}, r"pts_seconds must be 3 intervals"),
    "one time per step": (
        {"pts_seconds": np.arange(3.0)},
        r"pts_seconds must be 3 intervals \[start, stop\)",
    ),
    "an empty step": ({"pts_seconds": times((0, 1), (1, 1), (2, 3))}, "pts_seconds must be 3 intervals"),
    "a step without end": ({"pts_seconds": times((0, 1), (1, math.nan), (2, 3))}, "must be 3 intervals"),
    "steps in disorder": ({"pts_seconds": times((1, 2), (0, 1), (2, 3))}, "time steps are not in order"),
    "a short extra": ({"extras": {"boxes": np.ones((2, 4))}}, "every extra must have 3 rows"),
    "NaN": ({"features": np.full((3, 2), np.nan)}, "the network returned values that are not finite"),
    "infinity": ({"features": np.full((3, 2), np.inf, np.float16)}, "values that are not finite"),
}


@pytest.mark.parametrize(("facts", "message"), NO_RECORDS.values(), ids=NO_RECORDS)
def test_what_is_no_record_is_refused_with_its_name(facts, message):
    with pytest.raises(StoreError, match=message) as error:
        record(**facts)
    assert f"Record(toy/{facts.get('spec', StreamSpec('segments', {})).stream}-" in str(error.value)
    assert "/a, " in str(error.value)


def test_a_spec_of_bytes_holds_pictures():
    pictures = record(spec=PICTURES, features=np.zeros((3, 4, 5, 3), np.uint8))
    assert pictures.spec.stores_pictures
    assert pictures.spec.in_words == "extracted pixels (171x128)"
    assert not record().spec.stores_pictures


def test_steps_may_overlap_and_repeat_their_start():
    record(pts_seconds=times((0, 4), (0, 5), (1, 2)))


def test_a_record_lasts_as_long_as_the_performance_or_else_as_its_steps():
    assert record().duration_seconds == 3.0
    assert record(pictures=Pictures(Footage(64, 48, 100, 25, 75, 25.0))).duration_seconds == 2.0
    empty = record(features=np.ones((0, 2), np.float32), pts_seconds=np.ones((0, 2)))
    assert empty.duration_seconds == 0.0


def test_records_travel_between_processes():
    made = record(counts={"n": 1}, events=(Event(3, "lost"),), extras={"boxes": np.ones((3, 4))})
    back = pickle.loads(pickle.dumps(made))
    assert (back.spec, back.counts, back.events) == (made.spec, made.counts, made.events)
    np.testing.assert_array_equal(back.extras["boxes"], made.extras["boxes"])


def test_a_copy_of_a_file_is_the_same_source_and_another_window_is_not():
    source = Source("0" * 64, 5, 7, 0, 10, None, None)
    assert source.is_as(Source("0" * 64, 5, 999, 0, 10, None, None))
    assert not source.is_as(Source("0" * 64, 5, 7, 0, 11, None, None))
    assert not source.is_as(Source("1" * 64, 5, 7, 0, 10, None, None))


VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5))
FACTS = st.dictionaries(st.text(min_size=1, max_size=5).filter("stream".__ne__), VALUES, max_size=4)


@given(st.text(max_size=5), FACTS)
def test_a_spec_is_its_text_whatever_the_order_of_its_facts(stream, facts):
    spec = StreamSpec(stream, facts)
    again = StreamSpec(stream, dict(reversed(facts.items())))
    assert (spec.to_json(), spec.hash) == (again.to_json(), again.hash)
    assert StreamSpec.from_json(spec.to_json()) == spec
    assert spec.differences(spec) == []
    assert spec.serves_for(again)


@given(FACTS, FACTS)
def test_specs_differ_if_and_only_if_their_differences_are_named(mine, theirs):
    one, other = StreamSpec("s", mine), StreamSpec("s", theirs)
    assert (one.to_json() == other.to_json()) <= (one.differences(other) == [])
    assert len(one.differences(other)) == len(other.differences(one))


@pytest.mark.parametrize(
    ("facts", "serves"),
    [({"start": "central"}, True), ({"init_box": "1,2,3,4"}, True), ({"backbone": "c3d"}, False)],
    ids=["who is followed", "a first box", "another network"],
)
def test_another_athlete_is_served_and_another_network_is_not(facts, serves):
    base = {"backbone": "i3d", "start": "largest"}
    one, other = StreamSpec("tubes", base), StreamSpec("tubes", {**base, **facts})
    assert one.serves_for(other) is serves
    assert not one.serves_for(StreamSpec("crops", base))


def test_an_unknown_name_keeps_its_message_in_another_process():
    error = pickle.loads(pickle.dumps(UnknownName("head", "wdd", ["wd", "tsa"], advice=" Advice.")))
    assert isinstance(error, UnknownName)
    assert str(error) == "unknown head 'wdd'. Did you mean 'wd'? Known: tsa, wd. Advice."


@pytest.mark.parametrize("name", ["", "zzzzzz", "ü" * 50])
def test_a_name_like_none_is_answered_without_a_guess(name):
    assert "Did you mean" not in str(UnknownName("head", name, ["action-net"]))
