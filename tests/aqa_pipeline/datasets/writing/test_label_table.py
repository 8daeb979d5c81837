"""A table of scores keeps every byte but those of the row that is changed."""

import codecs
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.datasets.writing.label_table import TableChanged, read_label_table, write_label_table
from aqa_pipeline.errors import DatasetError

TABLE = (
    'Video;score; "coach""s note";Group\r\n\r\na.mp4;7,5;"two\r\nlines";Ada\r\nb.mp4\r\n  c.mp4 ; "8,25";;Bo'
)


def write(root: Path, text: str, *, mark: bytes = b"", encoding: str = "utf-8") -> Path:
    path = root / "scores.csv"
    path.write_bytes(mark + text.encode(encoding))
    return path


def test_a_row_is_replaced_and_all_else_stays(tmp_path: Path) -> None:
    path = write(tmp_path, TABLE)
    table = read_label_table(tmp_path)
    assert table.columns == ("video", "score", 'coach"s note', "group")
    assert [(row.video_id, row.fields["score"]) for row in table.rows] == [
        ("a", "7,5"),
        ("b", ""),
        ("c", "8,25"),
    ]
    write_label_table(table.with_row({"video": "b.mp4", "score": "9"}, line=table.rows[1].line))
    assert path.read_bytes().decode() == TABLE.replace("b.mp4\r\n", "b.mp4;9;;\r\n")


def test_fields_of_other_columns_stay_in_a_replaced_row(tmp_path: Path) -> None:
    path = write(tmp_path, TABLE)
    table = read_label_table(tmp_path)
    write_label_table(table.with_row({"score": "1"}, line=table.rows[0].line))
    assert path.read_bytes().decode() == TABLE.replace("a.mp4;7,5", "a.mp4;1")


def test_a_new_row_and_a_new_column_come_last(tmp_path: Path) -> None:
    path = write(tmp_path, TABLE)
    table = read_label_table(tmp_path)
    table = table.with_row({"video": "d.mp4", "score:landing": "3", "date": ""})
    write_label_table(table)
    header, _, rows = TABLE.partition("\r\n")
    assert (
        path.read_bytes().decode() == f"{header.replace('; ', ';')};score:landing\r\n{rows}\r\nd.mp4;;;;3\r\n"
    )
    assert read_label_table(tmp_path).values("score:landing") == ["3"]


def test_a_row_is_removed(tmp_path: Path) -> None:
    path = write(tmp_path, TABLE)
    table = read_label_table(tmp_path)
    write_label_table(table.without_row(table.rows[1].line))
    assert path.read_bytes().decode() == TABLE.replace("b.mp4\r\n", "")


def test_a_folder_without_a_table_gets_one(tmp_path: Path) -> None:
    table = read_label_table(tmp_path)
    assert (table.columns, table.rows, table.digest) == ((), (), "")
    write_label_table(table.with_row({"video": "é.mp4", "score": "1.5", "athlete": "Ada, the first"}))
    assert (tmp_path / "scores.csv").read_text() == 'video,score,athlete\né.mp4,1.5,"Ada, the first"\n'


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ],
)
def test_the_encoding_and_the_line_of_the_separator_stay(tmp_path: Path, mark: bytes, encoding: str) -> None:
    path = write(tmp_path, "sep=|\nvideo|score\né.mp4|1\n", mark=mark, encoding=encoding)
    table = read_label_table(tmp_path)
    write_label_table(table.with_row({"video": "ö.mp4", "score": "2"}))
    assert path.read_bytes() == mark + "sep=|\nvideo|score\né.mp4|1\nö.mp4|2\n".encode(encoding)


def test_a_table_that_somebody_changed_is_not_overwritten(tmp_path: Path) -> None:
    path = write(tmp_path, TABLE)
    table = read_label_table(tmp_path)
    path.write_text("video,score\nmine.mp4,9\n")
    with pytest.raises(TableChanged, match=r"scores\.csv has been changed by somebody else"):
        write_label_table(table.with_row({"video": "a.mp4", "score": "1"}))
    assert path.read_text() == "video,score\nmine.mp4,9\n"
    path.unlink()
    with pytest.raises(TableChanged):
        write_label_table(table.with_row({"video": "a.mp4", "score": "1"}))
    assert [each.name for each in tmp_path.iterdir()] == []


def test_a_table_that_appeared_is_not_overwritten(tmp_path: Path) -> None:
    table = read_label_table(tmp_path)
    path = write(tmp_path, TABLE)
    with pytest.raises(TableChanged):
        write_label_table(table.with_row({"video": "a.mp4", "score": "1"}))
    assert path.read_bytes().decode() == TABLE


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,score\na,1\n", "has no column video"),
        ("video,score,SCORE\na,1,2\n", "has the columns score more than once"),
        ('video,score\n"a,1\n' + "x" * 200_000, "cannot be read as CSV"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path, text)
    with pytest.raises(DatasetError, match=message):
        read_label_table(tmp_path)


def test_another_encoding_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "video,score\né.mp4,1\n", encoding="latin-1")
    with pytest.raises(DatasetError, match="not UTF-8"):
        read_label_table(tmp_path)


def test_a_new_column_takes_over_no_field_that_stands_beside_the_table(tmp_path: Path) -> None:
    write(tmp_path, "video,score\na.mp4,1,remark\n")
    table = read_label_table(tmp_path)
    with pytest.raises(DatasetError, match="line 2 has more fields than there are columns"):
        table.with_row({"video": "b.mp4", "athlete": "Ada"})
    assert table.with_row({"video": "b.mp4"}).content() == b"video,score\na.mp4,1,remark\nb.mp4,\n"


FIELDS = st.text(
    st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp"]) | st.sampled_from('",;\n\t'), max_size=8
).map(str.strip)


@given(st.lists(FIELDS, min_size=1, max_size=3), st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]))
def test_any_text_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, fields: list[str], delimiter: str, end: str
) -> None:
    root = tmp_path_factory.mktemp("table")
    path = write(root, f"video{delimiter}score{end}a.mp4{delimiter}1{end}")
    entered = {f"note {at}": text for at, text in enumerate(fields)}
    table = read_label_table(root).with_row({"video": "b.mp4"} | entered)
    write_label_table(table)
    again = read_label_table(root)
    assert {name: again.rows[1].fields.get(name, "") for name in entered} == entered
    assert (f"{end}a.mp4{delimiter}1{end}").encode() in path.read_bytes()


def test_what_is_written_is_read_by_the_folder(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"")
    table = read_label_table(tmp_path)
    fields = {"video": "a.mp4", "id": "a-1", "score": "8.25", "start_frame": "3", "stop_frame": "9"}
    write_label_table(table.with_row(fields))
    (video,) = load_dataset("folder", tmp_path).videos
    assert (video.video_id, video.labels["score"], video.start_frame, video.stop_frame) == ("a-1", 8.25, 3, 9)
