"""FR-FS: sheets of Excel or CSV, clips by key, clean landing or fall."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.datasets.checking.check import check_dataset
from aqa_pipeline.datasets.checking.check_text import format_report
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import Dataset

Row = Sequence[object]
TRAIN: list[Row] = [("308-1", 0.0), ("241-3", 1.0), ("308-2", 1)]
TEST: list[Row] = [("17-1", 0), ("18-1", 1)]


def write_xls(path: Path, rows: list[Row], *, sheet: str = "Sheet1", header: Row = ("name", "label")) -> None:
    xlwt = pytest.importorskip("xlwt", reason="only the tests write .xls")
    pytest.importorskip("xlrd")
    book = xlwt.Workbook()
    table = book.add_sheet(sheet)
    for at, row in enumerate([header, *rows]):
        for column, value in enumerate(row):
            table.write(at, column, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(str(path))


def write_csv(path: Path, rows: list[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("name,label\n" + "".join(f"{key},{label}\n" for key, label in rows))


WRITERS = {"xls": write_xls, "csv": write_csv}


@pytest.fixture(params=WRITERS)
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    write = WRITERS[request.param]
    write(tmp_path / f"FRFS/Train.{request.param}", TRAIN)
    write(tmp_path / f"FRFS/Test.{request.param}", TEST)
    return tmp_path


def load(root: Path) -> Dataset:
    return load_dataset("fr-fs", root)


def test_labels_splits_and_groups(root: Path) -> None:
    dataset = load(root)
    assert dataset.problems == ()
    assert (dataset.target().name, dataset.target().low, dataset.target().high) == ("clean", 0.0, 1.0)
    assert {video.video_id: video.labels["clean"] for video in dataset.videos} == {
        "308-1": 0.0,
        "241-3": 1.0,
        "308-2": 1.0,
        "17-1": 0.0,
        "18-1": 1.0,
    }
    assert dataset.default_splits == ("official",)
    assert dataset.split("official").train == ("308-1", "241-3", "308-2")
    assert dataset.split("official").test == ("17-1", "18-1")
    assert [video.group for video in dataset.videos] == ["308", "241", "308", "17", "18"]
    assert {"308-1", "308-2"} & set(dataset.split("grouped-0").train) in ({"308-1", "308-2"}, set())


@pytest.mark.parametrize(("label", "clean"), [(0.5, 0.0), (0.500001, 1.0), (1, 1.0), (0, 0.0)])
def test_above_a_half_is_clean(tmp_path: Path, label: float, clean: float) -> None:
    write_csv(tmp_path / "Train.csv", [("1-1", label)])
    write_csv(tmp_path / "Test.csv", TEST)
    assert load(tmp_path).video("1-1").labels == {"clean": clean}


def test_clips_are_folders_of_pictures(root: Path, fill_folder: Callable, shown_frames: Callable) -> None:
    fill_folder(root / "FRFS/Images/308-1", range(103), name="{}.jpg")
    dataset = load(root)
    video = dataset.video("308-1")
    assert (video.fps, video.duration_seconds) == (25.0, 4.12)
    assert shown_frames(video) == list(range(103))
    assert dataset.video("18-1").path == root / "FRFS/Images/18-1"
    report = check_dataset(dataset)
    assert (report.files.num_readable, len(report.files.missing)) == (1, 4)
    assert "official: 3/2" in format_report(report)


def test_root_may_be_the_inner_folder(root: Path, fill_folder: Callable) -> None:
    path = fill_folder(root / "FRFS/Images/17-1", range(3))
    dataset = load(root / "FRFS")
    assert dataset.video("17-1").path == path
    assert len(dataset.videos) == 5


def test_keys_that_are_numbers_in_excel(tmp_path: Path) -> None:
    write_xls(tmp_path / "Train.xls", [(12.0, "1"), ("", ""), (13, 0.0, "a note")])
    write_xls(tmp_path / "Test.xls", TEST)
    assert load(tmp_path).split("official").train == ("12", "13")


def test_csv_is_taken_before_xls(tmp_path: Path) -> None:
    for side, rows in (("Train", TRAIN), ("Test", TEST)):
        (tmp_path / f"{side}.xls").write_bytes(b"unreadable")
        write_csv(tmp_path / f"{side}.csv", rows)
    assert len(load(tmp_path).videos) == 5


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("5-1", "clean"), "label 'clean' is not a finite number"),
        (("5-1", 2), "label 2 is not within 0 (a fall) to 1"),
        (("../5-1", 1), "key '../5-1' leads out"),
        (("", 1), "key is empty"),
        (("17-1", 0), "id '17-1' has different values"),
    ],
)
def test_a_bad_row_is_a_problem_and_the_rest_goes_on(tmp_path: Path, row: Row, reason: str) -> None:
    write_csv(tmp_path / "Train.csv", [*TRAIN, row])
    write_csv(tmp_path / "Test.csv", TEST)
    dataset = load(tmp_path)
    assert len(dataset.problems) == 1
    assert "Train.csv row 5" in dataset.problems[0]
    assert reason in dataset.problems[0]


def test_a_row_of_one_cell(tmp_path: Path) -> None:
    write_csv(tmp_path / "Test.csv", TEST)
    (tmp_path / "Train.csv").write_text("name,label\n1-1,1\n2-1\n")
    assert load(tmp_path).problems == ("Train.csv row 3: expected key and label, got one field",)


def test_without_xlrd_there_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Train.xls").touch()
    (tmp_path / "Test.xls").touch()
    monkeypatch.setitem(sys.modules, "xlrd", None)
    with pytest.raises(
        DatasetError,
        match=r"xlrd .*not installed: run pip install .*\[xls\]'?, or save the sheet as Train.csv",
    ):
        load(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"text, not Excel", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x01" * 2000]
)
def test_damaged_xls(tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("xlrd")
    write_csv(tmp_path / "Test.csv", TEST)
    (tmp_path / "Train.xls").write_bytes(content)
    with pytest.raises(DatasetError, match=r"Train.xls cannot be read as an .xls file"):
        load(tmp_path)
    assert capsys.readouterr().out == ""


def test_another_sheet_and_no_rows(tmp_path: Path) -> None:
    write_xls(tmp_path / "Train.xls", TRAIN, sheet="Tabelle1")
    write_xls(tmp_path / "Test.xls", [])
    with pytest.raises(DatasetError, match=r"Train\.xls has no sheet Sheet1; it has Tabelle1"):
        load(tmp_path)
    write_xls(tmp_path / "Train.xls", [])
    with pytest.raises(DatasetError, match="have no usable row"):
        load(tmp_path)


def test_all_missing_parts_are_in_one_message(tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError,
        match=r"(?s)no Train.csv \(or Train.xls\) and no Test.csv \(or Test.xls\) in .*Shunli-Wang/TSA-Net",
    ):
        load(tmp_path)
