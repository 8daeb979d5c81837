"""A user's own folder: what may stand in the CSV, and what each mistake costs (its row, or a clear error)."""

import tempfile
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.errors import AqaError, DatasetError
from aqa_pipeline.records import Dataset


def folder_of(
    root: Path, text: str | bytes, *, name: str = "scores.csv", videos: tuple[str, ...] = ()
) -> Dataset:
    content = text.encode() if isinstance(text, str) else text
    (root / name).write_bytes(content)
    for video in videos:
        (root / video).parent.mkdir(parents=True, exist_ok=True)
        (root / video).touch()
    return load_dataset("folder", root)


def ids(dataset: Dataset) -> list[str]:
    return [video.video_id for video in dataset.videos]


def test_videos_with_and_without_ending_in_root_and_videos(tmp_path: Path) -> None:
    dataset = folder_of(
        tmp_path,
        "video,score\na,1\nb.avi,2\nvideos/c,3\nsub/d,4\nabsent,5\n",
        videos=("a.mp4", "videos/b.avi", "videos/c.webm", "videos/sub/d.MOV"),
    )
    assert dataset.problems == ()
    assert ids(dataset) == ["a", "b", "videos/c", "sub/d", "absent"]
    found = [str(video.path.relative_to(tmp_path)) for video in dataset.videos]
    assert found == ["a.mp4", "videos/b.avi", "videos/c.webm", "videos/sub/d.MOV", "videos/absent"]
    assert [video.labels["score"] for video in dataset.videos] == [1, 2, 3, 4, 5]


def test_videos_without_any_score_are_there_and_nothing_is_learned(tmp_path: Path) -> None:
    dataset = folder_of(tmp_path, "video,points\na,1\nb,2\n", videos=("a.mp4", "b.mp4"))
    assert dataset.problems == ()
    assert ids(dataset) == ["a", "b"]
    assert dataset.splits == {}
    (note,) = dataset.notes
    assert note.startswith("scores.csv has no column score, but video, points: its videos can be extracted")
    with pytest.raises(DatasetError, match="has no score to learn: add a column score"):
        dataset.target()


def test_athlete_date_and_element_are_read_and_athletes_are_groups(tmp_path: Path) -> None:
    dataset = folder_of(
        tmp_path,
        "video,score,athlete,date,element,group\na,1,Ann,2026-05-08,axel,club\nb,2,Bo,,,\nc,3,,5/8/2026,,\n",
        videos=("a.mp4", "b.mp4", "c.mp4"),
    )
    a, b, c = dataset.videos
    assert (a.athlete, a.performed_on, a.element, a.group) == ("Ann", date(2026, 5, 8), "axel", "club")
    assert (b.athlete, b.performed_on, b.element, b.group) == ("Bo", None, None, "Bo")
    assert (c.athlete, c.performed_on, c.labels["score"]) == (None, None, 3)
    (problem,) = dataset.problems
    assert problem.startswith("scores.csv line 4: date '5/8/2026' is not a date such as 2026-05-08")


def test_all_columns(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures/1.jpg").touch()
    dataset = folder_of(
        tmp_path,
        "score:execution,id,video,score,split,group,start_frame,stop_frame,fps,boxes,note\n"
        '8,first,"a, long.mp4",1.5,train,x,10,20.0,,b/first.csv,hello\n'
        '7,second,"a, long.mp4",2.5,TEST,y,20,,,,\n'
        "6,,pictures,3,,,,,12.5,,\n",
        videos=("a, long.mp4", "boxes/second.csv"),
    )
    first, second, third = dataset.videos
    assert dataset.problems == ()
    assert ids(dataset) == ["first", "second", "pictures"]
    assert [target.name for target in dataset.targets] == ["score", "execution"]
    assert dict(first.labels) == {"score": 1.5, "execution": 8.0}
    assert (first.path, second.path) == (tmp_path / "a, long.mp4",) * 2
    assert (first.start_frame, first.stop_frame, second.start_frame, second.stop_frame) == (10, 20, 20, None)
    assert (first.group, second.group, third.group) == ("x", "y", None)
    assert (first.boxes, second.boxes, third.boxes) == (
        tmp_path / "b/first.csv",
        tmp_path / "boxes/second.csv",
        None,
    )
    assert (first.fps, third.fps) == (None, 12.5)
    assert (dataset.split("given").train, dataset.split("given").test) == (("first",), ("second",))
    assert dataset.default_splits == ("given",)
    assert "grouped-0" in dataset.splits


def test_a_named_target_alone_will_do(tmp_path: Path) -> None:
    dataset = folder_of(tmp_path, "video,score:tes\na,1\n")
    assert dataset.target().name == "tes"


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffvideo,score\na,1.5\nb,2\n",
        "video;score\na;1,5\nb;2\n",
        "video\tscore\r\na\t1.5\r\nb\t2\r\n",
        "Score|Video\n1.5|a\n2|b\n",
        ' video , "score" \n\n"a", 1.5\n,\n b ,2',
    ],
    ids=[
        "byte order mark",
        "semicolon and decimal comma",
        "tab and CRLF",
        "bar and order",
        "quotes and blanks",
    ],
)
def test_dialects(tmp_path: Path, text: str) -> None:
    dataset = folder_of(tmp_path, text)
    assert dataset.problems == ()
    assert [(video.video_id, video.labels["score"]) for video in dataset.videos] == [("a", 1.5), ("b", 2.0)]


@pytest.mark.parametrize("name", ["scores.csv", "labels.csv", "anything.CSV"])
def test_names_of_the_csv(tmp_path: Path, name: str) -> None:
    assert ids(folder_of(tmp_path, "video,score\na,1\n", name=name)) == ["a"]


def test_scores_csv_is_taken_before_others(tmp_path: Path) -> None:
    (tmp_path / "zebra.csv").write_text("not,this\n")
    assert ids(folder_of(tmp_path, "video,score\na,1\n")) == ["a"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("x,nan", "score 'nan' is not a finite number"),
        ("x,-inf", "score '-inf' is not a finite number"),
        ("x,good", "score 'good' is not a finite number"),
        ("x,1e999", "score '1e999' is not a finite number"),
        (",1", "video is empty"),
        ("../../x,1", "video '../../x' leads out of the dataset's folder"),
        ("videos/../../x,1", "leads out of the dataset's folder"),
        ("..\\x,1", "leads out of the dataset's folder"),
        ("/etc/passwd,1", "leads out of the dataset's folder"),
        ("C:\\x.mp4,1", "leads out of the dataset's folder"),
        ("x\x00y,1", "unprintable"),
        ("x" * 300 + ",1", "longer than 200 bytes"),
        ("x,1,,,,,z", "7 fields under 6 columns"),
        ("x,1,20,10", "start_frame 20 is not before stop_frame 10"),
        ("x,1,20,20", "start_frame 20 is not before stop_frame 20"),
        ("x,1,-1,10", "start_frame '-1' is not a whole number >= 0"),
        ("x,1,0.5,10", "start_frame '0.5' is not a whole number >= 0"),
        ("x,1,,,val", "split 'val' is neither train nor test"),
        ("x,1,,,,../boxes.csv", "boxes '../boxes.csv' leads out"),
        ("twice,1", "fits twice.avi, twice.mp4: add the ending"),
        ("pictures,1", "needs its frame rate: a number in the column fps"),
    ],
)
def test_a_bad_row_costs_only_itself(tmp_path: Path, row: str, reason: str) -> None:
    text = f"video,score,start_frame,stop_frame,split,boxes\na,1\n{row}\nb,2\n"
    dataset = folder_of(tmp_path, text, videos=("twice.avi", "twice.mp4", "pictures/1.png"))
    assert ids(dataset) == ["a", "b"]
    assert len(dataset.problems) == 1
    assert dataset.problems[0].startswith("scores.csv line 3: ")
    assert reason in dataset.problems[0]


def test_contradicting_rows_are_all_refused(tmp_path: Path) -> None:
    dataset = folder_of(tmp_path, "video,score\na,1\nb,2\na,3\na,1\n")
    assert ids(dataset) == ["b"]
    places = "scores.csv line 2, scores.csv line 4, scores.csv line 5"
    assert dataset.problems == (f"{places}: id 'a' has different values each time; all refused",)


def test_identical_rows_count_once_and_are_reported(tmp_path: Path) -> None:
    dataset = folder_of(tmp_path, "video,score\na,1\nb,1\na,1.0\n")
    assert ids(dataset) == ["a", "b"]
    assert dataset.problems == (
        "scores.csv line 2, scores.csv line 4: id 'a' is repeated with the same values; used once",
    )


def test_performances_of_one_file_need_ids(tmp_path: Path) -> None:
    dataset = folder_of(
        tmp_path, "id,video,score,start_frame,stop_frame\np,a,1,0,9\nq,a,2,9,20\n../r,a,2,9,20\n"
    )
    assert ids(dataset) == ["p", "q"]
    assert "id '../r' leads out" in dataset.problems[0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (b",,\n,,\n", "is empty"),
        (b"video,score\n", "has a header and no rows"),
        (b"clip,score\na,1\n", "has no column video. Its columns: clip, score"),
        (b"hello\nworld\n", "has no column video. Its columns: hello"),
        (b"video,score,Score\na,1,2\n", "columns score more than once"),
        (b"video,score:\na,1\n", "score columns need different names"),
        (b"video,score\n\xff\xfe,1\n", "is not UTF-8 text .byte 12"),
        (b"video,score\n" + b"a" * 200_000 + b",1\n", "line 2 cannot be read as CSV"),
    ],
)
def test_errors_of_the_whole_file(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        folder_of(tmp_path, content)


def test_no_csv(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"(?s)no CSV in .*video, score"):
        load_dataset("folder", tmp_path)


def test_several_csvs(tmp_path: Path) -> None:
    (tmp_path / "x.csv").touch()
    with pytest.raises(
        DatasetError, match=r"several CSVs in .*: x.csv, y.csv\. Name the one to use scores.csv"
    ):
        folder_of(tmp_path, "video,score\na,1\n", name="y.csv")


def test_links_inside_the_folder_may_lead_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk/a.mp4").touch()
    root = tmp_path / "root"
    root.mkdir()
    (root / "videos").symlink_to(tmp_path / "disk")
    assert folder_of(root, "video,score\na,1\n").videos[0].path == root / "videos/a.mp4"


CELLS = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(
    ["../x", "/", ".", "", "nan", "1", "train", "0", "\x00", '"', "a/b", "C:", "é" * 90]
)


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(
    header=st.permutations(
        ["video", "score", "split", "start_frame", "stop_frame", "fps", "boxes", "group", "id"]
    ),
    delimiter=st.sampled_from(",;\t|"),
    rows=st.lists(st.lists(CELLS, max_size=10), max_size=5),
)
@example(header=["video", "score"], delimiter=",", rows=[["a" * 255, "1"], ["\ud7ff", "2"]])
def test_no_table_breaks_out_of_the_domain_errors(
    header: list[str], delimiter: str, rows: list[list[str]]
) -> None:
    text = "\n".join(delimiter.join(cells) for cells in [header, *rows])
    with tempfile.TemporaryDirectory() as root:
        try:
            dataset = folder_of(Path(root), text)
        except AqaError:
            return
        assert all(v.path.resolve().is_relative_to(Path(root).resolve()) for v in dataset.videos)


@settings(deadline=None, max_examples=80)
@given(
    content=st.binary(max_size=200)
    | st.text(max_size=100).map(lambda t: f"video,score\n{t}".encode(errors="replace"))
)
def test_no_bytes_break_out_of_the_domain_errors(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as root:
        try:
            videos = folder_of(Path(root), content).videos
        except AqaError:
            return
        assert all(np.isfinite(score) for video in videos for score in video.labels.values())
