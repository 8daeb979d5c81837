"""Which encoders, heads and targets a bench takes, and what it refuses."""

from pathlib import Path

import pytest

from aqa_pipeline.errors import RunError, UnknownName
from aqa_pipeline.records import StreamSpec
from heads.bench.encoders import Encoder, choose_encoders, stored_encoders
from heads.bench.planning import BenchSettings, heads_of, plan_bench
from heads.training.options import FitOptions
from small_club import Club
from small_world import make_record

I3D = Encoder("segments-i3d", StreamSpec("segments", {"backbone": "i3d"}))
LITE = Encoder("segments-lite0", StreamSpec("segments", {"backbone": "lite0"}))
CROPS = Encoder("crops-lite0", StreamSpec("crops", {"backbone": "lite0"}))


@pytest.mark.parametrize("name", ["i3d", "segments=i3d", f"segments={I3D.spec.hash[:6]}", "segments-i3d"])
def test_an_encoder_has_several_names(name: str) -> None:
    assert choose_encoders({"club": [I3D, LITE, CROPS]}, (name,)) == {"club": [I3D]}


def test_without_names_all_encoders_are_taken() -> None:
    assert choose_encoders({"club": [I3D, LITE]}, ()) == {"club": [I3D, LITE]}
    with pytest.raises(RunError, match="no features of club are stored"):
        choose_encoders({"club": []}, ())


def test_a_name_of_several_encoders_is_a_question() -> None:
    with pytest.raises(RunError, match=r"name one of segments-lite0, crops-lite0"):
        choose_encoders({"club": [I3D, LITE, CROPS]}, ("lite0",))


def test_an_encoder_that_one_dataset_lacks_is_a_reason_there() -> None:
    chosen = choose_encoders({"club": [I3D], "rg": [LITE]}, ("i3d",))
    assert chosen == {"club": [I3D], "rg": ["no features of rg by the encoder 'i3d' are stored."]}
    with pytest.raises(RunError, match=r"no stored features of the encoder 'vit'. Stored: segments-i3d"):
        choose_encoders({"club": [I3D]}, ("vit",))


def test_encoders_are_named_by_stream_and_backbone_and_large_streams_are_left_out(tmp_path: Path) -> None:
    from numpy import ones

    from aqa_pipeline.store import Store

    store = Store(tmp_path)
    specs = [
        StreamSpec("poses", {}),
        StreamSpec("segments", {"backbone": "i3d", "fps": 1}),
        StreamSpec("segments", {"backbone": "i3d", "fps": 2}),
        StreamSpec("frames", {"backbone": "unknown"}),
    ]
    for spec in specs:
        store.write(make_record("club", "v", spec, ones((2, 3))))
    names = {encoder.name for encoder in stored_encoders(store, "club")}
    twice = {f"segments-i3d-{spec.hash}" for spec in specs[1:3]}
    assert names == {"poses", "frames", *twice}


def rows(*names: str) -> list[str]:
    return [head.row for head in heads_of(names)]


def test_baselines_come_first_and_the_control_last() -> None:
    assert rows("wd", "stack", "ridge") == ["mean", "ridge", "wd", "stack", "stack-shuffled"]
    assert rows("lstm:paper", "wd") == ["mean", "ridge", "lstm-paper", "wd", "lstm-paper-shuffled"]
    assert rows() == ["mean", "ridge", "ridge-shuffled"]


def test_heads_that_cannot_be_benched_are_refused() -> None:
    with pytest.raises(RunError, match="tsa reads maps"):
        heads_of(["tsa"])
    with pytest.raises(UnknownName, match="unknown variant of wd 'best'"):
        heads_of(["wd:best"])


def plan(club: Club, **changes: object):
    settings = BenchSettings(Path("out"), FitOptions(), heads=("wd",), **changes)
    return plan_bench(settings, [club.dataset], club.store)


def test_every_target_is_a_block_of_its_own(bench_club: Club) -> None:
    found = plan(bench_club, targets={"club": ("score", "execution")}, encoders=("clips",))
    assert [block.name for block in found.blocks] == [
        "club/clips-toy-clips",
        "club-execution/clips-toy-clips",
    ]
    assert {task.options.target for task in found.tasks} == {"score", "execution"}
    with pytest.raises(RunError, match="which is none of the bench's datasets"):
        plan(bench_club, targets={"klub": ("score",)})


def test_a_head_in_closed_form_has_no_epochs_to_shorten(bench_club: Club) -> None:
    options = FitOptions(training={"epochs": 7, "seeds": (0,)}, splits=("given",))
    settings = BenchSettings(Path("out"), options, heads=("wd:paper",), encoders=("clips",))
    tasks = plan_bench(settings, [bench_club.dataset], bench_club.store).tasks
    epochs = {task.place[1]: (task.options.training.epochs, task.num_epochs) for task in tasks}
    assert epochs["ridge"] == (None, 1)
    assert epochs["wd-paper"] == epochs["wd-paper-shuffled"] == (7, 7)
