"""Names of videos in a user's own folder: what is found, what is guessed at, and what is never guessed."""

import unicodedata
from pathlib import Path

import pytest
from PIL import Image

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.records import Dataset


def load(root: Path, *names: str, files: tuple[str, ...] = (), table: str = "") -> Dataset:
    """Write a table of these videos and these empty files; return the dataset."""
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    lines = [f'"{name}",{at}' for at, name in enumerate(names)]
    (root / "scores.csv").write_text(table or "\n".join(["video,score", *lines]))
    return load_dataset("folder", root)


def paths(dataset: Dataset) -> dict[str, str]:
    return {video.video_id: video.path.relative_to(dataset.root).as_posix() for video in dataset.videos}


FOUND = {
    "with its ending": ("a.mp4", "a.mp4", "a"),
    "without its ending": ("a", "a.mp4", "a"),
    "in the folder videos": ("a", "videos/a.mkv", "a"),
    "in a folder of its own": ("day 1/a", "day 1/a.mov", "day 1/a"),
    "in a folder in videos": ("day 1/a.mov", "videos/day 1/a.mov", "day 1/a"),
    "with a backslash of Windows": ("day 1\\a", "day 1/a.mov", "day 1/a"),
    "with dots in it": ("v1.2.final", "v1.2.final.mp4", "v1.2.final"),
    "in capitals on disk": ("clip", "CLIP.MP4", "clip"),
    "in capitals in the table": ("CLIP", "clip.mp4", "CLIP"),
    "decomposed on disk": ("Größe", unicodedata.normalize("NFD", "Größe") + ".mp4", "Größe"),
    "in a folder in capitals": ("a", "Videos/a.mp4", "a"),
}


@pytest.mark.parametrize(("name", "file", "video_id"), FOUND.values(), ids=FOUND)
def test_a_video_is_found_and_keeps_the_tables_name(tmp_path, name, file, video_id):
    dataset = load(tmp_path, name, files=(file,))
    assert paths(dataset) == {video_id: file}
    assert dataset.problems == ()
    respelled = any("another spelling" in note for note in dataset.notes)
    assert respelled == (file.casefold() != file or "CLIP" in name or not file.isascii() or "Videos" in file)


def test_the_exact_spelling_is_taken_before_another(tmp_path):
    dataset = load(tmp_path, "a", "A", files=("a.mp4", "A.mp4"))
    assert paths(dataset) == {"a": "a.mp4", "A": "A.mp4"}


def test_a_video_beside_the_table_is_taken_before_one_in_videos(tmp_path):
    assert paths(load(tmp_path, "a", files=("a.mp4", "videos/a.mp4"))) == {"a": "a.mp4"}


def test_a_preview_gif_is_not_taken_beside_its_video_but_alone_it_is(tmp_path):
    assert paths(load(tmp_path, "a", "b", files=("a.gif", "a.mp4", "b.gif"))) == {"a": "a.mp4", "b": "b.gif"}


def test_hidden_files_of_unfinished_downloads_are_not_taken(tmp_path):
    dataset = load(tmp_path, "a", files=(".a.mp4", "a.mp4.part", "a.txt"))
    assert not dataset.videos[0].path.exists()


def test_an_absent_video_is_expected_in_videos_if_there_is_such_a_folder(tmp_path):
    assert paths(load(tmp_path, "a.mp4")) == {"a": "a.mp4"}
    (tmp_path / "videos").mkdir()
    assert paths(load(tmp_path, "a.mp4")) == {"a": "videos/a.mp4"}


UNCLEAR = {
    "two endings": ("a", ("a.mp4", "a.mov"), "video 'a' fits a.mov, a.mp4: add the ending"),
    "two cases": ("a.mp4", ("A.mp4", "a.MP4"), "video 'a.mp4' fits A.mp4, a.MP4: spell it like one of them"),
    "two cases and no ending": ("clip", ("Clip.mp4", "CLIP.mp4"), "spell it like one of them"),
}


@pytest.mark.parametrize(("name", "files", "problem"), UNCLEAR.values(), ids=UNCLEAR)
def test_a_name_that_fits_several_files_is_a_problem_with_the_way_out(tmp_path, name, files, problem):
    dataset = load(tmp_path, name, "plain", files=(*files, "plain.mp4"))
    assert [video.video_id for video in dataset.videos] == ["plain"]
    (told,) = dataset.problems
    assert told.startswith("scores.csv line 2: ")
    assert problem in told


def test_two_rows_for_one_file_in_two_spellings_keep_the_exact_one(tmp_path):
    dataset = load(tmp_path, "clip", "CLIP", files=("clip.mp4",))
    assert paths(dataset) == {"clip": "clip.mp4"}
    (told,) = dataset.problems
    assert "video 'CLIP': another row names the same file clip.mp4 in another spelling" in told


HINTS = {
    "a leading zero that a spreadsheet dropped": (
        "7",
        ("007.mp4",),
        "video '7' does not exist, but 007.mp4 does: spreadsheets drop leading zeros",
    ),
    "two files that it could be": ("7", ("007.mp4", "videos/07.mp4"), "but 007.mp4, 07.mp4 does"),
    "a date that a spreadsheet made": (
        "2-Jan",
        (),
        "video '2-Jan' does not exist: spreadsheets turn names such as 01-02 into dates",
    ),
}


@pytest.mark.parametrize(("name", "files", "hint"), HINTS.values(), ids=HINTS)
def test_what_a_spreadsheet_did_to_a_name_is_guessed_at_in_a_note_only(tmp_path, name, files, hint):
    dataset = load(tmp_path, name, files=files)
    assert any(hint in note for note in dataset.notes), dataset.notes
    assert not dataset.videos[0].path.exists()
    assert dataset.problems == ()


@pytest.mark.parametrize("name", ["clip7", "७", "0x7"])
def test_names_that_are_no_numbers_get_no_hint(tmp_path, name):
    dataset = load(tmp_path, name, files=("007.mp4",))
    assert not any("spreadsheets" in note for note in dataset.notes)


def write_pictures(folder: Path) -> None:
    folder.mkdir(parents=True)
    Image.new("RGB", (8, 6)).save(folder / "1.png")


RATES = {
    "no column": (
        "video,score\na,1\n",
        "a folder of pictures needs its frame rate: a number in the column fps",
    ),
    "an empty field": ("video,score,fps\na,1,\n", "a folder of pictures needs its frame rate"),
    "a word": ("video,score,fps\na,1,fast\n", "fps 'fast' is not a finite number"),
    "zero": ("video,score,fps\na,1,0\n", "fps '0' is not above 0"),
    "below zero": ("video,score,fps\na,1,-25\n", "fps '-25' is not above 0"),
}


@pytest.mark.parametrize(("table", "problem"), RATES.values(), ids=RATES)
def test_a_folder_of_pictures_without_a_rate_is_a_problem_of_its_line(tmp_path, table, problem):
    write_pictures(tmp_path / "a")
    dataset = load(tmp_path, table=table)
    assert dataset.videos == ()
    assert any(told.startswith(f"scores.csv line 2: {problem}") for told in dataset.problems)


@pytest.mark.parametrize(
    ("field", "fps"), [("25", 25.0), ('"29,97"', 29.97), ("23.976", 23.976), (" 5 ", 5.0)]
)
def test_a_rate_is_read_as_people_type_it(tmp_path, field, fps):
    write_pictures(tmp_path / "a")
    assert load(tmp_path, table=f"video,score,fps\na,1,{field}\n").video("a").fps == fps


WINDOWS = {
    "backwards": ("9,5", "start_frame 9 is not before stop_frame 5"),
    "empty": ("5,5", "start_frame 5 is not before stop_frame 5"),
    "negative": ("-1,5", "start_frame '-1' is not a whole number >= 0"),
    "broken": ("1.5,5", "start_frame '1.5' is not a whole number >= 0"),
    "a word": ("first,5", "start_frame 'first' is not a finite number"),
    "without end": (",inf", "stop_frame 'inf' is not a finite number"),
}


@pytest.mark.parametrize(("fields", "problem"), WINDOWS.values(), ids=WINDOWS)
def test_frames_that_are_no_window_are_a_problem_of_their_line(tmp_path, fields, problem):
    table = f"video,score,start_frame,stop_frame\na,1,{fields}\nb,2,,\n"
    dataset = load(tmp_path, table=table, files=("a.mp4", "b.mp4"))
    assert [video.video_id for video in dataset.videos] == ["b"]
    assert dataset.problems[0] == f"scores.csv line 2: {problem}"


def test_performances_of_one_file_have_ids_and_windows_of_their_own(tmp_path):
    table = "video,id,score,start_frame,stop_frame\nday.mp4,one,1,0,100\nday.mp4,two,2,100.0,\n"
    dataset = load(tmp_path, table=table, files=("day.mp4",))
    one, two = dataset.videos
    assert (one.video_id, one.start_frame, one.stop_frame) == ("one", 0, 100)
    assert (two.video_id, two.start_frame, two.stop_frame) == ("two", 100, None)
    assert one.path == two.path
