"""The tables of Weight-Decider against the text of the paper, the backbones and the sampling they name."""

import json
import pickle
import re
from collections import defaultdict
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner

import cli
from aqa_pipeline.backbones.registry import get_backbone
from aqa_pipeline.records import Record, Source, StreamSpec
from aqa_pipeline.store import Store
from extract.streams import ClipSampling
from heads.tables.papers.weight_decider import SAMPLING
from heads.tables.planning.extraction_passes import extraction_passes
from heads.tables.planning.plan import TablePlan, plan_table
from heads.tables.registry import find_table
from heads.tables.settings import FeatureChoice, Settings
from heads.tables.table import Table

NAMES = ("wd-table1a", "wd-table1b", "wd-table3")
NUM_DIVES = 12

# Group of a row -> the paper's name of it, in Table 3.
PRINTED_AS = {
    "C3D (16 frames)": "Ours C3D-WD",
    "ResNet34-(2+1)D (32 frames)": "Ours ResNet34-(2+1)D-WD (32 frame)",
    "ResNet50-3D (16 frames)": "Ours ResNet50-3D-WD (16 frame)",
    "ResNet101-3D (16 frames)": "Ours ResNet101-3D-AVG (16 frame)",
}


def paper_lines(shared: Path, after: str) -> list[list[str]]:
    """Return the fields of lines with a correlation, from the caption up to the next blank line."""
    text = next((shared / "papers").glob("003_*.txt")).read_text()
    lines = text[text.index(after) :].splitlines()[1:]
    first = next(n for n, line in enumerate(lines) if re.search(r"0\.\d{4}", line))
    last = next(n for n in range(first, len(lines)) if not lines[n].strip())
    return [re.sub(r"</?b>", "", line).split("\t") for line in lines[first:last]]


def printed_by_group(table: Table) -> dict[str, list[float]]:
    """Average, WD in the paper's variant, WD in the released one."""
    by_group: dict[str, list[float]] = defaultdict(list)
    for row in table.rows:
        by_group[row.group].append(row.printed["mtl-aqa"])
    return by_group


def test_tables_1a_and_1b_print_what_the_paper_prints(shared: Path) -> None:
    depth, by_depth, by_length = "", {}, {}
    for cells in paper_lines(shared, "Table 1: Performance comparison"):
        depth = cells[0] or depth
        average, wd = map(float, cells[2:4])
        by_depth[f"{depth}, {cells[1]}"] = [average, wd, wd]
        if any(cells[4:]):
            average, wd = map(float, cells[5:7])
            by_length[f"{cells[4]} frames"] = [average, wd, wd]
    assert printed_by_group(find_table("wd-table1a")) == by_depth
    assert printed_by_group(find_table("wd-table1b")) == by_length
    assert (len(by_depth), len(by_length)) == (5, 3)


def test_table_3_prints_what_the_paper_prints(shared: Path) -> None:
    expected = [(cells[0], float(cells[1])) for cells in paper_lines(shared, "Table 3: Comparison")]
    expected = [(re.sub(r" \[\d+\]", "", name), value) for name, value in expected]
    rows = find_table("wd-table3").rows
    ours = [(PRINTED_AS.get(row.group, row.label), row.printed["mtl-aqa"]) for row in rows]
    assert list(dict.fromkeys(ours)) == expected
    assert [row.where_stored or row.method is None for row in rows].count(True) == 9


@pytest.mark.parametrize("name", NAMES)
def test_every_row_names_the_network_that_it_says(name: str) -> None:
    for row in find_table(name).rows:
        if row.where_stored or row.method is None:
            continue
        ((stream, (backbone,)),) = row.method.streams.items()
        frames = re.search(r"(\d+) frames", row.group)
        assert stream == "clips"
        assert get_backbone(backbone).frames_per_clip == (int(frames[1]) if frames else 16)
        depth = re.search(r"ResNet-?(\d+)", row.group)
        if depth:
            kind = "r2plus1d" if "(2+1)D" in row.group else "r3d"
            assert backbone.startswith(f"{kind}_{depth[1]}_")
        assert (row.method.head, row.method.variant) == {
            "average": ("wd-average", "paper"),
            "WD, variant paper": ("wd", "paper"),
            "WD, variant released": ("wd", "released"),
        }[row.label]


def test_16_frames_is_the_same_row_in_tables_1a_and_1b() -> None:
    of_depth = {row.label: row for row in find_table("wd-table1a").rows if row.group == "ResNet-34, (2+1)D"}
    for row in find_table("wd-table1b").rows:
        if row.group == "16 frames":
            assert (row.method, row.printed) == (of_depth[row.label].method, of_depth[row.label].printed)


def test_the_sampling_is_what_is_extracted_by_default() -> None:
    usual = ClipSampling()
    assert {"span": usual.span, "views": ",".join(view.name for view in usual.chosen_views)} == SAMPLING


@pytest.mark.parametrize("name", NAMES)
def test_frozen_features_are_said_in_every_table(name: str) -> None:
    assert (
        find_table(name).footnotes[0].startswith("These are heads on FROZEN features; the paper fine-tuned")
    )
    contradicts = any(".6663" in note and ".6633" in note for note in find_table(name).footnotes)
    assert contradicts == (name != "wd-table1b")


@pytest.fixture
def dives(tmp_path: Path) -> Path:
    """Twelve dives of one broadcast in the release's pickles, eight to learn from."""
    root = tmp_path / "mtl-aqa"
    root.mkdir()
    scores = np.random.default_rng(0).uniform(20, 100, NUM_DIVES).round(2).tolist()
    keys = [(1, dive) for dive in range(1, NUM_DIVES + 1)]
    labels = {
        key: {"start_frame": 200 * n, "end_frame": 200 * n + 110, "final_score": score, "difficulty": 3.0}
        for n, (key, score) in enumerate(zip(keys, scores, strict=True), start=1)
    }
    contents = {"final_annotations_dict": labels, "train_split_0": keys[:8], "test_split_0": keys[8:]}
    for name, content in contents.items():
        (root / f"{name}.pkl").write_bytes(pickle.dumps(content, protocol=3))
    return root


def plan(name: str, dives: Path, *, store: Path, simulated: bool = False) -> TablePlan:
    features = FeatureChoice(simulated=simulated)
    settings = Settings(store=store, out=store / "out", roots={"mtl-aqa": dives}, features=features)
    return plan_table(find_table(name), settings)


def test_missing_clips_name_the_command_that_makes_them(dives: Path, tmp_path: Path) -> None:
    for simulated, words in (
        (False, "--streams clips --backbone clips=r2plus1d_34_ig65m_8`"),
        (True, "aqa simulate --like mtl-aqa --root "),
        (True, "--streams clips:r2plus1d_34_ig65m_8`"),
    ):
        found = plan("wd-table1b", dives, store=tmp_path / "s", simulated=simulated)
        assert not found.tasks
        reasons = {cell.row: cell.reason for cell in found.blocked}
        assert words in reasons["8-frames-average"]
        assert "12 of 12 videos lack clips (r2plus1d_34_ig65m_8)" in reasons["8-frames-wd-released"]


def test_clips_of_each_network_take_a_pass_over_the_videos(dives: Path, tmp_path: Path) -> None:
    (dives / "videos").mkdir()
    (dives / "videos" / "01.mp4").touch()
    found = plan("wd-table1a", dives, store=tmp_path / "s")
    passes = [" ".join(call.words(found.settings)) for call in extraction_passes(found)]
    networks = [re.search(r"--streams clips --backbone clips=(\w+) --videos 01_01,", p)[1] for p in passes]  # type: ignore[index]
    assert networks == ["r3d_34_hara", "r2plus1d_34_hara", "r3d_50_hara", "r2plus1d_50_hara", "r3d_101_hara"]


@pytest.mark.parametrize("changed", [{"span": "whole"}, {"views": "end-0"}])
def test_clips_of_another_sampling_are_not_taken(
    dives: Path, tmp_path: Path, changed: dict[str, str]
) -> None:
    store = tmp_path / "s"
    for facts, fits in ((SAMPLING | changed, False), (SAMPLING, True)):
        spec = StreamSpec("clips", {"backbone": "r2plus1d_34_ig65m_32", **facts})
        pts = np.array([[0.0, 1.28]])
        for dive in range(1, NUM_DIVES + 1):
            features = np.zeros((1, len(spec.views), 4), np.float32)
            Store(store).write(Record("mtl-aqa", f"01_{dive:02d}", spec, features, pts, Source("no file")))
        ready = {
            task.place[0]: dict(task.specs)["clips"] for task in plan("wd-table1b", dives, store=store).tasks
        }
        rows = ("32-frames-average", "32-frames-wd-paper", "32-frames-wd-released")
        assert ready == (dict.fromkeys(rows, spec.hash) if fits else {})


def aqa(*arguments: object) -> click.testing.Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def test_a_table_of_simulated_clips_is_run_and_printed(dives: Path, tmp_path: Path) -> None:
    store, out = tmp_path / "simulated", tmp_path / "out"
    assert aqa("simulate", "--like", "mtl-aqa", "--root", dives, "--store", store).exit_code == 0
    result = aqa(
        *("reproduce", "wd-table3", "--root", f"mtl-aqa={dives}", "--store", store, "--out", out),
        *("--simulated", "--seeds", 0, "--epochs", 1, "--jobs", 1, "--device", "cpu"),
    )
    assert result.exit_code == 3, result.output
    words = " ".join(result.output.split())
    assert "*** SIMULATED ***" in words
    assert "NOT THE PAPER'S TRAINING: 1 epoch instead of 50" in words
    assert "These are heads on FROZEN features; the paper fine-tuned the backbone" in words
    assert re.search(r"ResNet34-\(2\+1\)D \(32 frames\) 0\.9315 -?\d\.\d{4} WD, variant paper", words)
    assert "MUSDL 0.9273" in words
    assert "0.9223 -" in words
    document = json.loads((out / "SIMULATED-table.json").read_text())
    status = {cell["row"]: cell["status"] for cell in document["cells"]}
    assert status["resnet34-2plus1d-wd-paper"] == status["resnet34-2plus1d-wd-released"] == "run"
    assert status["c3d-wd-paper"] == status["resnet101-3d-average"] == "not run"
    assert status["usdl-regression"] == "cited"
    assert (
        "| ResNet101-3D (16 frames), average | 0.6633 / not run |" in (out / "SIMULATED-table.md").read_text()
    )
