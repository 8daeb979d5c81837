"""Which table cells can run, and what the others lack."""

import pickle
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

import cli
from aqa_pipeline.errors import RunError
from heads.tables.planning.extraction_passes import extraction_passes
from heads.tables.planning.plan import Blocked, TablePlan, plan_table
from heads.tables.quick import quick_part
from heads.tables.registry import TABLES, find_table
from heads.tables.running import run_tasks
from heads.tables.table import Method, Row
from heads.tables.tabulating import tabulate


def blocked(plan: TablePlan) -> dict[tuple[str, str], str]:
    return {(cell.row, cell.column): cell.reason for cell in plan.blocked}


def places(plan: TablePlan) -> set[tuple[str, str]]:
    return {task.place for task in plan.tasks}


HERE = {("svr", "first"), ("svr", "two"), ("net", "first"), ("net", "two")}


def test_what_is_there_runs_and_the_rest_says_what_it_needs(scene) -> None:
    plan = plan_table(scene.table, scene.settings)
    assert places(plan) == HERE
    reasons = blocked(plan)
    assert set(reasons) == {("svr", "far"), ("net", "far")}
    assert "nowhere is not a folder" in reasons["svr", "far"]
    assert "chmxu/MS_LSTM" in reasons["svr", "far"]
    assert "--root mit-skating=DIR" in reasons["svr", "far"]
    assert plan.needs == ()


def test_tasks_travel_to_other_processes(scene) -> None:
    for task in plan_table(scene.table, scene.settings).tasks:
        assert pickle.loads(pickle.dumps(task)) == task


def test_tasks_say_how_many_epochs_they_train(scene) -> None:
    tasks = {task.place: task for task in plan_table(scene.table, scene.settings).tasks}
    assert tasks["net", "two"].num_epochs == 2 * 2 * 2  # splits, seeds, epochs
    assert tasks["net", "two"].recipe_epochs == (200,)
    assert tasks["svr", "first"].num_epochs == 2
    assert tasks["svr", "first"].epochs is None
    as_the_paper = plan_table(scene.table, scene.with_settings(epochs=None).settings).tasks
    assert {task.num_epochs for task in as_the_paper if task.place[0] == "net"} == {400, 800}


def test_missing_features_name_the_command_that_makes_them(scene) -> None:
    plan = plan_table(scene.table, scene.with_settings(store=scene.settings.out / "empty").settings)
    assert places(plan) == set()
    reason = blocked(plan)["net", "first"]
    assert "60 of 60 videos lack segments (toy-3d)" in reason
    assert "60 of 60 videos lack crops (toy-2d)" in reason
    assert "--streams segments --backbone segments=toy-3d`." in reason
    assert "60 of these videos are not in" in reason
    assert [(need.stream, need.num_present) for need in plan.needs] == [("segments", 0), ("crops", 0)]
    assert list(extraction_passes(plan)) == []  # there is no video to extract from


def test_some_missing_videos_are_counted_and_may_be_left_out(scene) -> None:
    spec = scene.spec("crops")
    for video_id in ("v03", "v04"):
        scene.store.path("videos", video_id, spec).unlink()
    plan = plan_table(scene.table, scene.settings)
    assert places(plan) == {("svr", "first"), ("svr", "two")}
    assert "2 of 60 videos lack crops (toy-2d)" in blocked(plan)["net", "first"]
    assert "--allow-missing" in blocked(plan)["net", "first"]
    without = plan_table(scene.table, scene.with_settings(allow_missing=True).settings)
    assert places(without) == HERE


def test_extraction_goes_over_the_videos_once_per_backbone_of_a_stream(scene) -> None:
    root: Path = scene.settings.roots["folder"]
    for number in range(40):
        (root / f"v{number:02d}.mp4").touch()
    plan = plan_table(scene.table, scene.with_settings(store=scene.settings.out / "empty").settings)
    (one_pass,) = extraction_passes(plan)
    words = " ".join(one_pass.words(plan.settings))
    assert words.startswith(f"extract --dataset folder --root {root} --store ")
    assert "--streams segments,crops --backbone segments=toy-3d --backbone crops=toy-2d" in words
    assert len(one_pass.videos) == 60
    assert [one.needs[0].stream for one in one_pass.one_by_one()] == ["segments", "crops"]


def test_simulated_features_are_refused_unless_asked_for(scene, write_more) -> None:
    empty = scene.with_settings(store=scene.settings.out / "simulated")
    for stream in ("segments", "crops"):
        write_more(empty, empty.spec(stream, simulated=True))
    with pytest.raises(RunError, match=r"holds SIMULATED features.*Add --simulated"):
        plan_table(empty.table, empty.settings)
    plan = plan_table(empty.table, empty.with_settings(simulated=True).settings)
    assert places(plan) == HERE


def test_real_features_are_no_simulated_ones(scene) -> None:
    plan = plan_table(scene.table, scene.with_settings(simulated=True).settings)
    assert places(plan) == set()
    assert "aqa simulate --like folder" in blocked(plan)["svr", "first"]


def test_a_choice_of_features_is_asked_for_by_hash(scene, write_more) -> None:
    other = scene.spec("segments", precision="bf16")
    write_more(scene, other)
    plan = plan_table(scene.table, scene.settings)
    assert places(plan) == set()
    reason = blocked(plan)["svr", "first"]
    assert "made in 2 ways" in reason
    assert f"--spec segments={other.hash}" in reason
    chosen = plan_table(scene.table, scene.with_settings(specs=(f"segments={other.hash[:6]}",)).settings)
    assert places(chosen) == HERE
    assert dict(chosen.tasks[0].specs)["segments"] == other.hash


def test_the_usual_backbone_comes_before_its_stand_in(scene, write_more) -> None:
    write_more(scene, scene.spec("segments", backbone="toy-3d-port"))
    write_more(scene, scene.spec("segments", backbone="another"))
    plan = plan_table(scene.table, scene.settings)
    assert {dict(task.specs)["segments"] for task in plan.tasks} == {scene.spec("segments").hash}


def test_a_split_that_the_labels_do_not_give_blocks_its_column(scene) -> None:
    (scene.settings.roots["folder"] / "scores.csv").write_text("video,score\na,1\n")
    plan = plan_table(scene.table, scene.settings)
    assert Blocked in {type(cell) for cell in plan.blocked}
    assert "unknown split of videos 'random-0'" in blocked(plan)["svr", "first"]


def test_a_quick_look_takes_the_first_split_of_each_column() -> None:
    table = find_table("action-net-table1")
    assert max(len(column.splits) for column in table.columns) == 5
    quick = quick_part(table)
    assert [column.splits for column in quick.columns] == [column.splits[:1] for column in table.columns]


def test_a_network_is_chosen_among_those_that_a_row_may_read(scene, write_more) -> None:
    port = scene.spec("segments", backbone="toy-3d-port")
    write_more(scene, port)

    def specs_of(**changes: object) -> set[str]:
        plan = plan_table(scene.table, scene.with_settings(**changes).settings)
        return {dict(task.specs)["segments"] for task in plan.tasks}

    assert specs_of() == {scene.spec("segments").hash}, "the usual one"
    assert specs_of(backbones={"segments": "toy-3d-port"}) == {port.hash}
    assert specs_of(backbones={"": "toy-3d-port"}) == {port.hash}, "crops are of no such network"


def test_a_chosen_network_without_features_is_what_is_needed(scene) -> None:
    plan = plan_table(scene.table, scene.with_settings(backbones={"": "toy-3d-port"}).settings)
    assert "toy-3d-port" in blocked(plan)["svr", "first"]


@pytest.mark.parametrize("chosen", ["nonesuch", "crops=i3d"])
def test_a_network_that_no_row_reads_is_refused(tmp_path: Path, chosen: str) -> None:
    options = ["--backbone", chosen, "--out", str(tmp_path / "r"), "--store", str(tmp_path / "s")]
    result = CliRunner().invoke(cli.main, ["reproduce", "action-net-table1", "--device", "cpu", *options])
    assert result.exit_code == 2
    assert "no row of action-net-table1 reads it. Its rows read " in result.output
    assert "segments=i3d" in result.output


@pytest.mark.parametrize("stream", ["segments", "poses"])
def test_a_row_where_stored_is_run_where_its_features_are_and_cited_elsewhere(scene, stream) -> None:
    printed = {"first": 0.4, "far": 0.2}
    row = Row("dct", "", "DCT", printed, Method("pose-dct", {stream: ("toy-3d",)}), where_stored=True)
    plan = plan_table(replace(scene.table, rows=(row,)), scene.settings)
    is_stored = stream == "segments"
    assert places(plan) == ({("dct", "first"), ("dct", "two")} if is_stored else set())
    assert (plan.blocked, plan.needs) == ((), ())
    (planned,) = plan.table.rows
    assert planned.cited == ({"far"} if is_stored else {"first", "two", "far", "both"})
    run_tasks(plan.tasks, jobs=1)
    statuses = {place[1]: cell.status for place, cell in tabulate(plan, {}).cells.items()}
    assert statuses["far"] == "cited"
    assert statuses["first"] == ("run" if is_stored else "cited")
    assert statuses["two"] == statuses["both"] == ("run" if is_stored else "blank")


def test_pose_dct_is_in_a_table_of_each_paper() -> None:
    rows = {name: row for name, table in TABLES.items() for row in table.rows if row.name == "pose-dct"}
    assert set(rows) == {"action-net-table1", "wd-table3", "tsa-table1", "tsa-table4"}
    for row in rows.values():
        assert (row.method.head, set(row.method.streams), row.where_stored) == ("pose-dct", {"poses"}, True)
