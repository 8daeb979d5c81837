"""Single fields: numbers, frames and paths; whatever is none is quoted as it stands in the file."""

import math
from datetime import date
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqa_pipeline.datasets.reading.field_values import (
    calendar_date,
    finite_number,
    frame_number,
    inner_path,
)
from aqa_pipeline.datasets.reading.marks import Column, is_date, is_missing
from aqa_pipeline.datasets.reading.row_labels import read_labels
from aqa_pipeline.datasets.reading.score_table import read_score_table
from aqa_pipeline.errors import DatasetError


@given(st.floats(-1e12, 1e12))
def test_every_number_is_read_back_from_its_text(number):
    assert finite_number(repr(number), name="score") == number
    assert finite_number(f"  {number!r}\t", name="score") == number


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "score '' is not a finite number"),
        ("nan", "score 'nan' is not a finite number"),
        ("-inf", "score '-inf' is not a finite number"),
        ("1e999", "score '1e999' is not a finite number"),
        ("1_000", "score '1_000' is not a finite number"),
        ("0x10", "score '0x10' is not a finite number"),
        ("1e13", "score '1e13' is larger than any score or frame"),
        ("x" * 50, f"score '{'x' * 40}' is not a finite number"),
    ],
    ids=["empty", "nan", "inf", "overflow", "underscore", "hexadecimal", "huge", "long"],
)
def test_what_is_no_number_is_quoted(text, message):
    with pytest.raises(DatasetError, match=message):
        finite_number(text, name="score")


@pytest.mark.parametrize(("text", "frame"), [("12", 12), ("12.0", 12), ("0", 0), ("-0", 0), ("1e3", 1000)])
def test_frames_are_read_as_spreadsheets_write_them(text, frame):
    assert frame_number(text, name="start_frame") == frame


@pytest.mark.parametrize(
    "text", ["2026-05-08", "2026-5-8", "08.05.2026", "8.5.2026", " 2026-05-08 00:00:00 ", "2026-05-08T12:30"]
)
def test_dates_are_read_where_day_and_month_cannot_be_mistaken(text):
    assert calendar_date(text, name="date") == date(2026, 5, 8)


@pytest.mark.parametrize("text", ["05/08/2026", "8.5.26", "2026-02-30", "45784", "May 8", "2026-05-08; x"])
def test_what_is_no_date_is_reported(text):
    with pytest.raises(DatasetError, match=f"date '{text}' is not a date such as 2026-05-08"):
        calendar_date(text, name="date")


@pytest.mark.parametrize("text", ["-1", "1.5", "0.0001"])
def test_what_is_no_frame_is_reported(text):
    with pytest.raises(DatasetError, match=f"start_frame '{text}' is not a whole number >= 0"):
        frame_number(text, name="start_frame")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "video is empty"),
        (" . ", "video is empty"),
        ("../a.mp4", "leads out of the dataset's folder; expected a path inside it"),
        ("a/../../b.mp4", "leads out of the dataset's folder"),
        ("..\\b.mp4", "leads out of the dataset's folder"),
        ("/etc/passwd", "leads out of the dataset's folder"),
        ("C:\\videos\\a.mp4", "leads out of the dataset's folder"),
        ("c:a.mp4", "leads out of the dataset's folder"),
        ("\\\\server\\share\\a.mp4", "leads out of the dataset's folder"),
        ("a\0b", r"video 'a\\x00b' holds unprintable characters"),
        ("a\x1b[31mb", "holds unprintable characters"),
        ("a\u202eb", "holds unprintable characters"),
        ("ü" * 40, "is longer than 200 bytes, percent-encoded"),
    ],
)
def test_a_path_that_is_none_of_the_folder_is_refused(text, message):
    with pytest.raises(DatasetError, match=message):
        inner_path(text, name="video")


@given(st.text(max_size=30))
def test_a_path_that_passes_stays_in_its_folder(text):
    try:
        path = inner_path(text, name="video")
    except DatasetError:
        return
    assert ".." not in PurePosixPath(path).parts
    assert not PurePosixPath(path).is_absolute()
    assert Path("/folder", path).resolve().is_relative_to("/folder")
    assert inner_path(path, name="video") == path


def read(*fields: str) -> list[float]:
    column = Column(fields)
    return [column.number(field, name="score") for field in fields]


WRITTEN = {
    "points": (["9.5", "10", "-0.25"], [9.5, 10, -0.25]),
    "commas": (["9,5", "10", "-0,25"], [9.5, 10, -0.25]),
    "German thousands": (["1.234,5", "12,5"], [1234.5, 12.5]),
    "English thousands": (["1,234.5", "12.5"], [1234.5, 12.5]),
    "blanks between thousands": (["1 234,5", "1\u00a0234", "12\u202f345,25"], [1234.5, 1234, 12345.25]),
    "Swiss thousands": (["1'234.5", "12'345"], [1234.5, 12345]),
    "three decimals after commas": (["85,123", "7,5"], [85.123, 7.5]),
    "three decimals after points": (["85.123", "7.5"], [85.123, 7.5]),
    "signs and exponents": (["+9.5", "1e2"], [9.5, 100]),
}


@pytest.mark.parametrize(("fields", "numbers"), WRITTEN.values(), ids=WRITTEN)
def test_marks_are_read_as_people_type_them(fields, numbers):
    assert read(*fields) == numbers


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (("85,123",), r"score '85,123' could be 85.123 or 85123. Write 85.1230 or 85123 instead"),
        (("1.234", "7,5"), r"score '1.234' could be 1.234 or 1234"),
        (("7.5.2025",), "'7.5.2025' is a date that a spreadsheet made of a mark. Format the column as text"),
        (("2025-05-07",), "is a date that a spreadsheet made of a mark"),
        (("07. Mai",), "is a date that a spreadsheet made of a mark"),
        (("45784", "7.5"), r"is a date .* \(2025-05-07, perhaps 7.5 or 5.7\)"),
        (("9,5,1",), "score '9,5,1' is not a finite number"),
        (("1 23",), "score '1 23' is not a finite number"),
        (("9.5 points",), "score '9.5 points' is not a finite number"),
    ],
)
def test_a_mark_that_could_be_two_things_is_quoted(fields, message):
    with pytest.raises(DatasetError, match=message):
        read(*fields)


def test_day_numbers_among_numbers_as_large_are_marks():
    assert read("45784", "45790") == [45784, 45790]


@given(st.floats(-9999, 9999).map(lambda number: round(number, 2)))
def test_a_number_is_the_same_with_a_comma(number):
    text = f"{number:.2f}"
    assert read(text.replace(".", ","), "0,25")[0] == float(text) == read(text, "0.25")[0]


@pytest.mark.parametrize("text", ["", " ", "-", "–", "DNF", "dns", "N/A", " none "])  # noqa: RUF001
def test_what_says_that_there_is_no_mark_costs_only_the_label(text):
    assert is_missing(text)
    labels = read_labels({"total": text, "pcs": "3.5"})
    assert (labels.values, labels.unread) == ({"pcs": 3.5}, ())


def test_an_unreadable_mark_is_reported_and_only_a_row_without_any_other_is_refused():
    labels = read_labels({"total": "lots", "pcs": "3.5"})
    assert labels.values == {"pcs": 3.5}
    assert labels.unread == ("total 'lots' is not a finite number",)
    with pytest.raises(DatasetError, match="total 'lots' is not a finite number; pcs 'inf' is not a finite"):
        read_labels({"total": "lots", "pcs": "inf"})


@pytest.mark.parametrize("text", ["7.5", "2025", "1-2-3-4", "mayonnaise", "may", "5 maybes later"])
def test_what_is_no_date_is_none(text):
    assert not is_date(text)


HEADERS = {
    "comma": "video,score\na,1\n",
    "semicolon": "video;score\na;1\n",
    "tab": "video\tscore\na\t1\n",
    "bar": "video|score\na|1\n",
    "told by Excel": "sep=;\nvideo;score\na;1\n",
    "told by Excel in Windows": "\ufeffsep=;\r\nvideo;score\r\na;1\r\n",
    "old Macintosh": "video,score\ra,1\r",
    "quotes and capitals": '"Video","SCORE"\n"a","1"\n',
    "blank lines": "\n\nvideo,score\n,\n\na,1\n",
    "a comma in a name": 'score,video\n1,"a"\n',
}


@pytest.mark.parametrize("text", HEADERS.values(), ids=HEADERS)
def test_a_table_is_the_same_however_it_was_saved(tmp_path, text):
    (tmp_path / "t.csv").write_bytes(text.encode())
    header, lines = read_score_table(tmp_path / "t.csv")
    assert sorted(header) == ["score", "video"]
    assert [dict(line.fields) for line in lines] == [{"video": "a", "score": "1"}]
    assert [line.problem for line in lines] == [""]


def test_a_line_that_is_too_long_is_reported_with_its_number(tmp_path):
    (tmp_path / "t.csv").write_text("video,score\na,1,5\nb,2,,\nc,9,5 \n")
    _, lines = read_score_table(tmp_path / "t.csv")
    problem = "3 fields under 2 columns; quote fields that hold the separator"
    assert [(line.number, line.problem) for line in lines] == [(2, problem), (3, ""), (4, problem)]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "shift-jis"])
def test_text_of_another_encoding_is_reported_with_the_way_out(tmp_path, encoding):
    name = "日本" if encoding == "shift-jis" else "ü"
    (tmp_path / "t.csv").write_bytes(f"video,score\n{name},1\n".encode(encoding))
    with pytest.raises(DatasetError, match=r"t\.csv is not UTF-8 text \(byte 12: .*Save it as UTF-8"):
        read_score_table(tmp_path / "t.csv")


def test_a_field_without_end_is_reported_by_its_line(tmp_path):
    (tmp_path / "t.csv").write_text("video,score\na," + "1" * 200_000 + "\n")
    with pytest.raises(DatasetError, match="line 2 cannot be read as CSV: field larger than field limit"):
        read_score_table(tmp_path / "t.csv")


def test_zero_is_a_mark():
    assert read_labels({"total": "0"}).values == {"total": 0.0}
    assert math.copysign(1, read_labels({"total": "-0.0"}).values["total"]) == -1
