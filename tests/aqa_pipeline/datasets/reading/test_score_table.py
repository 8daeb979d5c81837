"""Score files as people save them: the right number, or a clear word."""

import os
from pathlib import Path

import pytest

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.datasets.reading.marks import Column, is_missing
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import Dataset

CASES = Path(os.environ.get("AQA_TEST_DATA", "../shared")) / "cases" / "csv"
MARKS = {"01": 8.25, "02": 7.5, "03": 9.0, "04": 6.75}


def read(root: Path, content: bytes) -> Dataset:
    (root / "scores.csv").write_bytes(content)
    return load_dataset("folder", root)


def marks_of(dataset: Dataset, target: str = "score") -> dict[str, float]:
    return {v.video_id: v.labels[target] for v in dataset.videos if target in v.labels}


def table(separator: str, comma: str, *, quote: str = "", first: str = "") -> str:
    lines = [first] if first else []
    lines += [f"video{separator}score"]
    for video, mark in MARKS.items():
        lines.append(f"{video}.mp4{separator}{quote}{mark:g}{quote}".replace(".", "§", 1).replace(".", comma))
    return "\r\n".join(lines).replace("§", ".")


@pytest.mark.parametrize(
    "content",
    [
        table(",", ".").encode(),
        table(";", ",").encode("utf-8-sig"),
        table("\t", ",").encode(),
        table("\t", ",").encode("utf-16"),
        table(",", ",", quote='"').encode(),
        table(";", ",", first="sep=;").encode(),
        table(";", ",", first="SEP=;").encode("utf-8-sig"),
    ],
    ids=["points", "semicolons", "tabs", "utf-16", "quoted", "sep", "sep-bom"],
)
def test_decimal_commas_are_read_in_every_layout(tmp_path: Path, content: bytes) -> None:
    dataset = read(tmp_path, content)
    assert marks_of(dataset) == MARKS
    assert (dataset.problems, dataset.notes) == ((), ())


@pytest.mark.parametrize("name", ["de", "gq", "sep", "tsv", "utf16"])
def test_the_files_of_real_spreadsheets_are_read(tmp_path: Path, name: str) -> None:
    if not CASES.is_dir():
        pytest.skip(f"no {CASES}: set AQA_TEST_DATA")
    assert marks_of(read(tmp_path, (CASES / f"{name}.csv").read_bytes())) == MARKS


def test_one_missing_mark_costs_one_label(tmp_path: Path) -> None:
    """One judge's empty cell once dropped the row for every target."""
    content = (
        "Video,Score,Score:J1,Score:J2\n01.mp4,8.25,8,\n02.mp4,7.5,DNF,7.5\n03.mp4,n/a,6,-\n04.mp4,9,9,9\n"
    )
    dataset = read(tmp_path, content.encode())
    assert [dict(video.labels) for video in dataset.videos] == [
        {"score": 8.25, "j1": 8.0},
        {"score": 7.5, "j2": 7.5},
        {"j1": 6.0},
        {"score": 9.0, "j1": 9.0, "j2": 9.0},
    ]
    assert dataset.problems == ()
    assert dataset.notes[0] == (
        "1 of 4 videos have no score: 03. They can be extracted, but are left out "
        "when a head is trained on this target."
    )
    assert len(dataset.notes) == 3


def test_a_bad_mark_is_reported_and_the_others_stay(tmp_path: Path) -> None:
    dataset = read(tmp_path, b"video,score,score:j1\na,8,eight\nb,9,9\nc,ten,eleven\n")
    assert [dict(video.labels) for video in dataset.videos] == [{"score": 8.0}, {"score": 9.0, "j1": 9.0}]
    assert dataset.problems == (
        "scores.csv line 4: score 'ten' is not a finite number; score:j1 'eleven' is not a finite number",
        "scores.csv line 2: score:j1 'eight' is not a finite number; the video has no such label",
    )


def test_a_video_without_any_mark_can_be_extracted(tmp_path: Path) -> None:
    dataset = read(tmp_path, b"video,score\na,8\nb,\nc,9\n")
    assert [video.video_id for video in dataset.videos] == ["a", "b", "c"]
    assert "b" not in {i for split in dataset.splits.values() for i in (*split.train, *split.test)}


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("8.25", 8.25),
        ("8,25", 8.25),
        ("-0,5", -0.5),
        ("1.234,5", 1234.5),
        ("1,234.5", 1234.5),
        ("1 234,5", 1234.5),
        ("1\u202f234,5", 1234.5),
        ("1'234.5", 1234.5),
        ("12345", 12345.0),
        ("1.234", 1.234),
    ],
)
def test_numbers_that_can_be_only_one(value: str, number: float) -> None:
    assert Column([value]).number(value, name="score") == number


@pytest.mark.parametrize(
    ("value", "others", "message"),
    [
        ("1,234", [], "'1,234' could be 1.234 or 1234. Write 1.2340 or 1234 instead"),
        ("1.234", ["7,25"], "'1.234' could be 1.234 or 1234"),
        ("08-May", [], "'08-May' is a date that a spreadsheet made of a mark"),
        ("1. Feb.", [], "is a date"),
        ("2026-02-01", [], "is a date"),
        ("01.02.2026", [], "is a date"),
        ("45784", ["7.5"], r"'45784' is a date .*\(2025-05-07, perhaps 7.5 or 5.7\)"),
        ("85,5 %", [], "'85,5 %' is not a finite number"),
        ("8,5,2", [], "'8,5,2' is not a finite number"),
        ("nan", [], "'nan' is not a finite number"),
    ],
)
def test_a_value_that_could_be_two_things_is_refused_as_it_stands(
    value: str, others: list[str], message: str
) -> None:
    with pytest.raises(DatasetError, match=message):
        Column([value, *others]).number(value, name="score")


def test_the_column_decides_about_three_decimals() -> None:
    """12,5 can be nothing but a decimal comma, so that 7,125 is one, too."""
    assert Column(["12,5", "7,125"]).number("7,125", name="score") == 7.125
    assert Column(["45784", "45786"]).number("45784", name="score") == 45784, "no date among large numbers"


@pytest.mark.parametrize("value", ["", " ", "DNF", "n/a", "-", "DSQ"])
def test_what_says_that_there_is_no_mark(value: str) -> None:
    assert is_missing(value)


def test_other_encodings_are_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r'is not UTF-8 text .* call it "CSV UTF-8"'):
        read(tmp_path, "video,score,group\na,1,Müller\n".encode("cp1252"))
