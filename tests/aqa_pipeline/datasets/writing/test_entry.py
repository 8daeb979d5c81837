"""An entry becomes fields that the reader of the folder takes, or is refused with a reason for each field."""

from dataclasses import replace
from pathlib import Path

import pytest

from aqa_pipeline.datasets.writing.entry import Entry, EntryRefused, fields_of, is_untouched, target_column
from aqa_pipeline.datasets.writing.label_table import LabelTable, read_label_table
from aqa_pipeline.errors import DatasetError

FIRST = Entry(
    "a.mp4", marks={"score": "8.25"}, athlete=" Ada ", date="2026-05-08", element="vault", span=(3, 9)
)


def table_of(root: Path, text: str = "") -> LabelTable:
    if text:
        (root / "scores.csv").write_text(text)
    return read_label_table(root)


def test_an_entry_has_all_its_fields(tmp_path: Path) -> None:
    assert fields_of(FIRST, table_of(tmp_path)) == {
        "video": "a.mp4",
        "score": "8.25",
        "id": "a-1",
        "start_frame": "3",
        "stop_frame": "9",
        "athlete": "Ada",
        "date": "2026-05-08",
        "element": "vault",
        "group": "",
    }


def test_a_whole_file_needs_no_id(tmp_path: Path) -> None:
    fields = fields_of(replace(FIRST, span=None), table_of(tmp_path))
    assert (fields["id"], fields["start_frame"], fields["stop_frame"]) == ("", "", "")


def test_ids_are_counted_and_kept(tmp_path: Path) -> None:
    table = table_of(tmp_path, "video,id,start_frame,stop_frame\na.mp4,,,\na.mp4,a-1,0,9\nb.mp4,x,0,9\n")
    assert fields_of(FIRST, table)["id"] == "a-2"
    assert fields_of(FIRST, table, replaced=table.rows[1])["id"] == "a-1"
    assert fields_of(FIRST, table, replaced=table.rows[0])["id"] == "a-2", "a part is not the whole file"
    assert fields_of(replace(FIRST, span=None), table)["id"] == "a-2", "the whole file is labeled already"
    with pytest.raises(EntryRefused, match=r"id 'x' is taken by line 4 of scores\.csv"):
        fields_of(replace(FIRST, video_id="x"), table)
    assert fields_of(replace(FIRST, video="b.mp4", video_id="x"), table, replaced=table.rows[2])["id"] == "x"


def test_a_row_of_the_new_project_is_untouched_until_something_is_entered(tmp_path: Path) -> None:
    table = table_of(tmp_path, "video,score,group\na.mp4,,\nb.mp4,5,\nc.mp4,,Ada\n")
    assert [is_untouched(row) for row in table.rows] == [True, False, False]


@pytest.mark.parametrize(
    ("column", "typed", "written"),
    [
        ("", "8.25", "8.25"),
        ("", " 8,25 ", "8.25"),
        ("", "7.0", "7"),
        ("", "1.2345", "1.2345"),
        ("", "DNF", "DNF"),
        ("", "-", ""),
        ("7,5", "8.25", "8,25"),
        ("7,5", "1,234", "1,2340"),
        ("1234", "1 234,5", "1234.5"),
    ],
)
def test_a_mark_is_written_as_its_column_writes_marks(
    tmp_path: Path, column: str, typed: str, written: str
) -> None:
    table = table_of(tmp_path, f"video;score\nb.mp4;{column}\n")
    assert fields_of(replace(FIRST, marks={"score": typed}), table)["score"] == written


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"marks": {"score": "abc"}}, "score", "'abc' is not a finite number"),
        ({"marks": {"score": "inf"}}, "score", "not a finite number"),
        ({"marks": {"score:landing": "1,234"}}, "score:landing", "could be 1.234 or 1234"),
        ({"marks": {"score": "08-May"}}, "score", "is a date"),
        ({"marks": {"score": "=1+1"}}, "score", "not a finite number"),
        ({"date": "08/05/2026"}, "date", "is not a date such as 2026-05-08"),
        ({"date": "2026-02-30"}, "date", "is not a date"),
        ({"athlete": "=cmd|' /C calc'!A0"}, "athlete", "would run it as a formula"),
        ({"element": "@SUM(A1)"}, "element", "would run it as a formula"),
        ({"group": "+1"}, "group", "would run it as a formula"),
        ({"athlete": "a\nb"}, "athlete", "unprintable"),
        ({"athlete": "x" * 121}, "athlete", "expected at most 120"),
        ({"video_id": "../../etc/passwd"}, "id", "leads out of the dataset's folder"),
        ({"video_id": "/abs"}, "id", "leads out of the dataset's folder"),
        ({"video_id": "C:\\x"}, "id", "leads out of the dataset's folder"),
        ({"video_id": "a\0b"}, "id", "unprintable"),
        ({"video_id": "é" * 80}, "id", "longer than 200 bytes"),
        ({"video": "../a.mp4"}, "video", "leads out of the dataset's folder"),
        ({"video": "=a.mp4"}, "video", "Rename the file"),
    ],
)
def test_what_the_reader_would_refuse_is_refused_beside_its_field(
    tmp_path: Path, change: dict, field: str, reason: str
) -> None:
    with pytest.raises(EntryRefused) as caught:
        fields_of(replace(FIRST, **change), table_of(tmp_path))
    assert list(caught.value.reasons) == [field]
    assert reason in caught.value.reasons[field]


def test_every_wrong_field_is_named(tmp_path: Path) -> None:
    wrong = replace(FIRST, marks={"score": "x", "score:a": "y"}, date="z", athlete="=")
    with pytest.raises(EntryRefused) as caught:
        fields_of(wrong, table_of(tmp_path))
    assert list(caught.value.reasons) == ["score", "score:a", "athlete", "date"]


def test_a_mark_that_would_change_how_another_is_read_is_refused(tmp_path: Path) -> None:
    """A whole number between 36526 and 73050 is a date as soon as the column has small marks."""
    table = table_of(tmp_path, "video,score\nb.mp4,40000\n")
    with pytest.raises(EntryRefused, match="beside it, '40000' could no longer be read"):
        fields_of(FIRST, table)


def test_names_of_targets() -> None:
    assert target_column(" Landing ") == "score:landing"
    for wrong in ("", "=x", "a\nb"):
        with pytest.raises(DatasetError):
            target_column(wrong)
