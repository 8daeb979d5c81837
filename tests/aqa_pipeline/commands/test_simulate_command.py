"""`aqa simulate`: each option changes what it says, and nothing else."""

from pathlib import Path

import numpy as np
import pytest

from aqa_pipeline.store import Store

WORDS = ("simulate", "--like", "mit-skating", "--root", "labels", "--streams", "segments")


@pytest.fixture
def labels(here) -> Path:
    """Write labels in the layout of MIT-Skating: twelve short performances."""
    (here / "labels").mkdir()
    lines = [f"{at}_Worlds-abcdefghij{at % 3} {60 + at}.5 {30 + at}.0 30.5 0 240" for at in range(1, 13)]
    (here / "labels" / "annotations.txt").write_text("\n".join(lines) + "\n")
    return here / "labels"


def features_of(store: str) -> dict[str, np.ndarray]:
    opened = Store(Path(store))
    return {video_id: opened.read(dataset, video_id, spec).features for dataset, video_id, spec in opened}


def facts_of(store: str) -> dict[str, object]:
    (row,) = Store(Path(store)).contents()
    return dict(row.spec.facts)


def test_features_go_to_the_usual_folder_and_are_called_simulated(aqa, labels):
    result = aqa(*WORDS)
    assert (
        "SIMULATED mit-skating: 12 videos, 12 records written to simulated, 0 existed already."
        in result.stdout
    )
    assert "SIMULATED: these features were drawn at random, not extracted from videos." in result.stderr
    assert "segments of i3d: about" in result.stderr
    (row,) = Store(Path("simulated")).contents()
    assert f"--spec segments={row.spec.hash}" in result.stdout
    assert row.spec.simulated
    assert row.num_records == 12


def test_a_second_call_writes_nothing(aqa, labels):
    aqa(*WORDS)
    assert "0 records written to simulated, 12 existed already." in aqa(*WORDS).output


CHOICES = {
    "another seed": (["--seed", "1"], "seed", 1),
    "a stronger effect": (["--effect", "2"], "effect", 2.0),
    "no effect": (["--effect", "0"], "effect", 0.0),
    "an even signal": (["--signal", "even"], "signal", "even"),
}


@pytest.mark.parametrize(("options", "name", "value"), CHOICES.values(), ids=CHOICES)
def test_a_choice_is_a_fact_of_the_spec_and_changes_the_numbers(aqa, labels, options, name, value):
    aqa(*WORDS, "--store", "usual")
    aqa(*WORDS, *options, "--store", "chosen")
    assert facts_of("chosen") == {**facts_of("usual"), name: value}
    usual, chosen = features_of("usual"), features_of("chosen")
    assert any(not np.array_equal(usual[video_id], chosen[video_id]) for video_id in usual)


def test_a_limit_takes_a_part_and_changes_no_video(aqa, labels):
    aqa(*WORDS, "--store", "all")
    assert (
        "SIMULATED mit-skating: 6 videos, 6 records" in aqa(*WORDS, "--limit", "6", "--store", "few").output
    )
    every, few = features_of("all"), features_of("few")
    assert len(few) == 6
    for video_id, array in few.items():
        np.testing.assert_array_equal(array, every[video_id])


def test_the_usual_streams_are_those_of_the_papers(aqa, labels):
    output = aqa(*WORDS[:5]).output
    assert "48 records written" in output
    made = {(row.spec.stream, row.spec.facts["backbone"]) for row in Store(Path("simulated")).contents()}
    assert made == {("segments", "i3d"), ("segments", "c3d"), ("crops", "resnet50"), ("frames", "resnet50")}


def test_several_streams_are_named_with_commas(aqa, labels):
    aqa(*WORDS[:5], "--streams", " crops, frames,")
    assert {row.spec.stream for row in Store(Path("simulated")).contents()} == {"crops", "frames"}


REFUSED = {
    "an unknown stream": (["--streams", "segmnts"], 1, "unknown simulated stream 'segmnts'. Did you mean"),
    "too low a limit": (["--limit", "3"], 1, "in one set of a split: expected at least 2 training and test"),
    "a limit of nobody": (["--limit", "0"], 2, "0 is not in the range x>=1"),
    "a negative effect": (["--effect", "-1"], 2, "-1.0 is not in the range x>=0"),
    "an endless effect": (["--effect", "inf"], 1, "effect inf: expected a finite number >= 0"),
    "no number": (["--effect", "nan"], 1, "effect nan: expected a finite number >= 0"),
    "a negative seed": (["--seed", "-1"], 2, "-1 is not in the range x>=0"),
    "another signal": (["--signal", "odd"], 2, "'odd' is not one of 'sparse', 'even'"),
    "an unknown dataset": (["--like", "folder"], 2, "'folder' is not one of"),
    "a folder without labels": (["--root", "nothing"], 1, "nothing is not a folder"),
    "labels that cannot be drawn": (["--draw-labels"], 2, "--draw-labels needs --root, a new folder"),
    "a file as store": (["--store", "file"], 2, "is a file"),
}


@pytest.mark.parametrize(("options", "code", "message"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_choice_is_reported_before_anything_is_written(aqa, labels, options, code, message):
    Path("file").touch()
    assert message in aqa(*WORDS, *options, code=code).output
    assert not Path("simulated").exists()


def test_a_label_without_duration_stops_with_its_video(aqa, here, make_record):
    (here / "gym").mkdir()
    for side, numbers in (("train", range(1, 9)), ("test", range(9, 13))):
        lines = [f"Ball_{n:03d}\t5.0 {n}.5\t{n + 5}.5 0.0\t0.0" for n in numbers]
        (here / "gym" / f"{side}.txt").write_text("\n".join(["header", *lines]))
    words = ("simulate", "--like", "rhythmic-gymnastics", "--root", "gym", "--streams", "segments")
    output = aqa(*words, code=1).output
    assert "duration" in output


def test_simulated_features_do_not_go_beside_real_ones(aqa, labels, make_record):
    real = make_record("1_Worlds", dataset="mit-skating")
    Store(Path("features")).write(real)
    output = aqa(*WORDS, "--store", "features", code=1).output
    assert "features holds real segments of mit-skating" in output
    assert "Choose another --store" in output
    assert [video_id for _, video_id, _ in Store(Path("features"))] == ["1_Worlds"]


def test_drawn_labels_are_written_once_and_another_seed_wants_another_folder(aqa, here):
    words = (
        "simulate",
        "--like",
        "fr-fs",
        "--draw-labels",
        "--root",
        "drawn",
        "--streams",
        "c3d",
        "--limit",
        8,
    )
    result = aqa(*words)
    assert "Wrote random labels to drawn. They are not from judges." in result.stderr
    assert "8 records written to simulated, 0 existed already." in result.stdout
    assert "--draw-labels --seed 0" in (here / "drawn" / "DRAWN.txt").read_text()
    assert "0 records written to simulated, 8 existed already." in aqa(*words).stdout
    output = aqa(*words, "--seed", "5", code=1).output
    assert (
        "drawn is not empty, and does not hold the labels of fr-fs with seed 5: give a new folder" in output
    )
