"""The label files of every dataset, as other systems and editors save them: the same dataset comes out."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.records import Dataset

TITLE = "2014_Some_Champs_5-6-kpms-zLobo0"
GYMNASTICS_HEADER = "Video_Name\tDifficulty_Score\tExecution_Score\tTotal_Score\tPenalty\tVideo_length"
FILES: Mapping[str, Mapping[str, str]] = {
    "mit-skating": {
        "annotations.txt": f"1_{TITLE} 73.29 35.97 38.32 14186 18419\n2_{TITLE} 78.60 38.1 40.5 24854 29077\n"
    },
    "rhythmic-gymnastics": {
        "train.txt": f"{GYMNASTICS_HEADER}\nBall_001\t10.5\t8.3\t18.8\t0.0\t92\nBall_002 9.5 8 17.5 0 9\n",
        "test.txt": f"{GYMNASTICS_HEADER}\nBall_022\t9.10\t7.60 16.70\t0.00\t91\n",
    },
    "fis-v": {
        "train_dataset.txt": "1 28.71 29.36 1\n3 28.79 27.89 1\n",
        "test_dataset.txt": "2 28.88 27.08 1\n",
    },
    "fr-fs": {
        "FRFS/Train.csv": "name,label\n308-1,0\n241-3,1\n308-2,1\n",
        "FRFS/Test.csv": "name,label\n17-1,0\n18-1,1\n",
    },
    "folder": {"scores.csv": "video,score,group\na,1.5,ä\nö.mp4,2.5,ß\n"},
}
SAVED: Mapping[str, Callable[[str], bytes]] = {
    "Windows line ends": lambda text: text.replace("\n", "\r\n").encode(),
    "line ends of old Macintoshes": lambda text: text.replace("\n", "\r").encode(),
    "a byte order mark": lambda text: text.encode("utf-8-sig"),
    "UTF-16 of Windows": lambda text: text.replace("\n", "\r\n").encode("utf-16-le").join([b"\xff\xfe", b""]),
    "UTF-16, big-endian": lambda text: text.encode("utf-16-be").join([b"\xfe\xff", b""]),
    "no line end at the end": lambda text: text.rstrip("\n").encode(),
    "blank lines at the end": lambda text: (text + "\n \n\t\n").encode(),
}
everywhere = pytest.mark.parametrize("name", FILES)


def write(root: Path, name: str, save: Callable[[str], bytes] = str.encode) -> Path:
    for path, text in FILES[name].items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(save(text))
    return root


def said(dataset: Dataset) -> object:
    """Return all that a dataset says of its videos, without the folder."""
    videos = [
        (video.video_id, video.path.relative_to(dataset.root), dict(video.labels), video.group)
        for video in dataset.videos
    ]
    return videos, dict(dataset.splits), dataset.problems, dataset.notes, dataset.default_splits


@everywhere
@pytest.mark.parametrize("save", SAVED.values(), ids=SAVED)
def test_another_editor_changes_nothing(tmp_path, name, save):
    usual = load_dataset(name, write(tmp_path / "usual", name))
    assert said(load_dataset(name, write(tmp_path / "saved", name, save))) == said(usual)
    assert usual.problems == ()


@everywhere
def test_a_link_to_the_folder_is_the_folder(tmp_path, name):
    write(tmp_path / "real", name)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert said(load_dataset(name, tmp_path / "link")) == said(load_dataset(name, tmp_path / "real"))


@everywhere
def test_label_files_in_capitals_are_found_and_reported(tmp_path, name):
    write(tmp_path, name)
    for path in FILES[name]:
        (tmp_path / path).rename((tmp_path / path).with_name(Path(path).name.upper()))
    dataset = load_dataset(name, tmp_path)
    assert len(dataset.videos) >= 2


BROKEN: Mapping[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty: expected one line per video"),
    "blank": (b" \r\n\t", "is empty: expected one line per video"),
    "Latin-1": ("ä 1 2 3\n".encode("latin-1"), r"is not UTF-8 text \(byte 0"),
    "binary": (bytes(range(128, 256)), "is not UTF-8 text"),
}


@everywhere
@pytest.mark.parametrize(("content", "message"), BROKEN.values(), ids=BROKEN)
def test_a_label_file_that_is_no_text_is_named(tmp_path, name, content, message):
    write(tmp_path, name)
    path = tmp_path / next(iter(FILES[name]))
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=message) as error:
        load_dataset(name, tmp_path)
    assert str(path) in str(error.value)


@everywhere
def test_a_folder_in_the_place_of_a_label_file_is_not_read(tmp_path, name):
    write(tmp_path, name)
    path = tmp_path / next(iter(FILES[name]))
    path.unlink()
    path.mkdir()
    with pytest.raises(DatasetError, match="Expected") as error:
        load_dataset(name, tmp_path)
    assert str(tmp_path) in str(error.value)


@everywhere
def test_an_absent_folder_shows_the_layout(tmp_path, name):
    with pytest.raises(DatasetError, match=f"is not a folder. Expected for {name}:\nROOT/"):
        load_dataset(name, tmp_path / "absent")


@everywhere
def test_a_name_that_no_disk_takes_is_one_message(tmp_path, name):
    with pytest.raises(DatasetError, match=f"cannot be read as {name}: File name too long"):
        load_dataset(name, tmp_path / ("x" * 300))


USELESS = {
    "mit-skating": ("annotations.txt", "a b c\n", "expected name TOTAL TES PCS start_frame end_frame, got 3"),
    "rhythmic-gymnastics": (
        "train.txt",
        "header\nBall_001 1 2\n",
        "expected name difficulty execution total",
    ),
    "fis-v": ("train_dataset.txt", "1 2 3 4 5\n", "expected id TES PCS deduction, got 5 words"),
    "fr-fs": ("FRFS/Train.csv", "name,label\n308-1,7\n", "label 7 is not within 0"),
}


@pytest.mark.parametrize(("name", "file", "text", "reason"), [(n, *each) for n, each in USELESS.items()])
def test_a_file_of_unusable_lines_says_why_of_the_first_and_good_files_beside_it_are_kept(
    tmp_path, name, file, text, reason
):
    write(tmp_path, name)
    (tmp_path / file).write_text(text)
    if len(FILES[name]) > 1:
        (problem,) = load_dataset(name, tmp_path).problems
        assert reason in problem
        for other in FILES[name]:
            (tmp_path / other).write_text(text)
    with pytest.raises(DatasetError, match="usable") as error:
        load_dataset(name, tmp_path)
    assert reason in str(error.value)
