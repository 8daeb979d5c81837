"""Names on disk under another case or Unicode form, in every dataset; each folder is listed once."""

import os
import pickle
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from unicodedata import normalize

import numpy as np
import pytest
import scipy.io
from click.testing import CliRunner

from aqa_pipeline.commands.datasets import datasets
from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.datasets.reading.file_names import FolderNames, NameIndex, respelled_note
from aqa_pipeline.errors import DatasetError
from aqa_pipeline.spelling import folded

COMPOSED = normalize("NFC", "Größe café")
DECOMPOSED = normalize("NFD", COMPOSED)
SKATER = "1_2014_Some_Champs_5-6-kpms-zLobo0"


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def mit_skating(root: Path) -> None:
    (root / "Annotations.TXT").write_text(f"{SKATER} 73 35 38 100 200\n")
    touch(root / f"Videos/{SKATER.upper()}.AVI")


def mit_broadcast(root: Path) -> None:
    (root / "annotations.txt").write_text(f"{SKATER} 73 35 38 100 200\n")
    touch(root / f"videos/{SKATER.removeprefix('1_').lower()}.mkv")


def rhythmic_gymnastics(root: Path) -> None:
    (root / "train.txt").write_text("header\nBall_001 1 2 3 0 90\n")
    (root / "test.txt").write_text("header\nBall_002 1 2 3 0 90\n")
    touch(root / "videos/ball_001.MP4")


def fis_v(root: Path) -> None:
    (root / "train_dataset.txt").write_text("1 28 29 1\n")
    (root / "test_dataset.txt").write_text("2 28 29 1\n")
    touch(root / "Videos/1.mp4")


def mtl_aqa(root: Path) -> None:
    entry = {"start_frame": 0, "end_frame": 30, "final_score": 80.0, "difficulty": 3.0}
    for name, content in (
        ("final_annotations_dict.pkl", {(1, 1): entry, (2, 1): entry}),
        ("train_split_0.pkl", [(1, 1)]),
        ("test_split_0.pkl", [(2, 1)]),
    ):
        (root / name).write_bytes(pickle.dumps(content))
    touch(root / "VIDEO1.MP4")


def aqa7(root: Path) -> None:
    for number, side in enumerate(("train", "test"), start=1):
        table = {f"consolidated_{side}_list": np.array([[1.0, number, 50.0]])}
        scipy.io.savemat(root / f"split_4_{side}_list.mat", table)
    touch(root / "Diving-Out/001/img_00001.jpg")


def fr_fs(root: Path) -> None:
    (root / "train.CSV").write_text("key;label\n308-A;1\n")
    (root / "test.CSV").write_text("key;label\n309-A;1\n")
    touch(root / "images/308-a/1.jpg")


def own_folder(root: Path) -> None:
    (root / "scores.csv").write_text("video,score\n04.mp4,1\n")
    touch(root / "videos/04.MP4")


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("mit-skating", mit_skating),
        ("mit-skating", mit_broadcast),
        ("rhythmic-gymnastics", rhythmic_gymnastics),
        ("fis-v", fis_v),
        ("mtl-aqa", mtl_aqa),
        ("aqa7", aqa7),
        ("fr-fs", fr_fs),
        ("folder", own_folder),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_every_dataset_finds_another_case_and_says_so(
    tmp_path: Path, name: str, make: Callable[[Path], None]
) -> None:
    make(tmp_path)
    dataset = load_dataset(name, tmp_path)
    video = dataset.videos[0]
    assert video.path.exists()
    assert [note for note in dataset.notes if "found under another spelling" in note]
    touch(tmp_path / f"BOXES/{video.video_id.upper()}.CSV")
    assert load_dataset(name, tmp_path).videos[0].boxes == tmp_path / f"BOXES/{video.video_id.upper()}.CSV"


@pytest.mark.parametrize(("written", "on_disk"), [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)])
@pytest.mark.parametrize("ending", ["", ".mp4"])
def test_unicode_forms_are_the_same_name(tmp_path: Path, written: str, on_disk: str, ending: str) -> None:
    (tmp_path / "scores.csv").write_text(f"video,score\n{written}{ending},1\n", encoding="utf-8")
    touch(tmp_path / f"videos/{on_disk}.mp4", tmp_path / f"boxes/{on_disk}.csv")
    dataset = load_dataset("folder", tmp_path)
    (video,) = dataset.videos
    assert (video.path.is_file(), video.boxes is not None) == (True, True)
    assert dataset.problems == ()
    assert dataset.notes == (
        f"2 files were found under another spelling: {written}{ending} (in another Unicode form), "
        f"boxes/{written}.csv (in another Unicode form)",
    )


@pytest.mark.parametrize("written", ["04", "04.mp4"])
def test_another_spelling_of_the_folder_is_reported_once(tmp_path: Path, written: str) -> None:
    (tmp_path / "scores.csv").write_text(f"video,score\n{written},1\n05.mp4,2\n")
    touch(tmp_path / "Videos/04.mp4", tmp_path / "Videos/05.mp4")
    dataset = load_dataset("folder", tmp_path)
    assert all(video.path.is_file() for video in dataset.videos)
    assert dataset.notes == ("1 file was found under another spelling: videos -> Videos",)


def test_the_same_spelling_comes_first(tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text("video,score\n04.mp4,1\n04.MP4,2\n")
    touch(tmp_path / "04.MP4", tmp_path / "videos/04.mp4")
    dataset = load_dataset("folder", tmp_path)
    assert "id '04' has different values" in dataset.problems[0]
    (tmp_path / "scores.csv").write_text("id,video,score\na,04.mp4,1\nb,04.MP4,2\n")
    dataset = load_dataset("folder", tmp_path)
    assert [v.path for v in dataset.videos] == [tmp_path / "videos/04.mp4", tmp_path / "04.MP4"]
    assert (dataset.problems, dataset.notes) == ((), ())


def test_a_name_that_fits_several_is_refused_with_their_names(tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text("video,score\n04.mp4,1\n05,2\nx,3\n")
    touch(tmp_path / "04.MP4", tmp_path / "04.Mp4", tmp_path / "05.mp4")
    dataset = load_dataset("folder", tmp_path)
    assert [video.video_id for video in dataset.videos] == ["05", "x"]
    assert dataset.problems == (
        "scores.csv line 2: video '04.mp4' fits 04.MP4, 04.Mp4: spell it like one of them",
    )


def test_an_official_dataset_takes_none_of_several_and_names_them(tmp_path: Path) -> None:
    fis_v(tmp_path)
    shutil.rmtree(tmp_path / "Videos")
    touch(tmp_path / "VIDEOS/1.mp4", tmp_path / "vIdEoS/1.mp4")
    dataset = load_dataset("fis-v", tmp_path)
    assert not dataset.videos[0].path.exists()
    assert dataset.problems == (
        "'videos' fits VIDEOS, vIdEoS, which differ in case or Unicode form: rename all but one",
    )
    shutil.rmtree(tmp_path / "vIdEoS")
    (tmp_path / "train_dataset.txt").rename(tmp_path / "TRAIN_dataset.txt")
    (tmp_path / "Train_dataset.txt").touch()
    with pytest.raises(DatasetError, match=r"'train_dataset.txt' fits TRAIN_dataset.txt, Train_dataset.txt"):
        load_dataset("fis-v", tmp_path)


def test_a_video_is_not_given_to_two_rows(tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text("video,score\nfall,1\nFall,2\n")
    touch(tmp_path / "fall.mp4")
    dataset = load_dataset("folder", tmp_path)
    assert [video.video_id for video in dataset.videos] == ["fall"]
    assert "video 'Fall': another row names the same file fall.mp4" in dataset.problems[0]


def test_parts_of_one_file_may_be_spelled_as_one_likes(tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text(
        "id,video,score,start_frame,stop_frame\na,Day.mp4,1,0,9\nb,day.MP4,2,9,20\n"
    )
    touch(tmp_path / "day.mp4")
    dataset = load_dataset("folder", tmp_path)
    assert [video.video_id for video in dataset.videos] == ["a", "b"]
    assert dataset.problems == ()


def test_the_check_says_so_and_is_content(tmp_path: Path, encoded: Callable[[Path], Path]) -> None:
    (tmp_path / "scores.csv").write_text("video,score\n04.mp4,1\n")
    encoded(tmp_path / "04.MP4")
    result = CliRunner().invoke(datasets, ["check", "folder", "--root", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "1 file was found under another spelling: 04.mp4 -> 04.MP4" in result.output


@pytest.fixture
def encoded() -> Callable[[Path], Path]:
    from aqa_pipeline.datasets.synthetic.render import write_video

    def write(path: Path) -> Path:
        write_video(path.with_suffix(".mp4"), (np.zeros((48, 64, 3), np.uint8) for _ in range(5)), fps=5)
        return path.with_suffix(".mp4").rename(path)

    return write


@pytest.fixture
def listings(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """How often each folder was listed, by any of Python's ways."""
    counts: Counter[str] = Counter()
    for function in (os.listdir, os.scandir):

        def counted(path: object = ".", function: Callable = function) -> object:
            counts[str(path)] += 1
            return function(path)

        monkeypatch.setattr(os, function.__name__, counted)
    return counts


@pytest.mark.parametrize("ending", ["", ".mp4", ".MP4"])
def test_a_folder_of_4000_videos_is_listed_once(tmp_path: Path, listings: Counter[str], ending: str) -> None:
    (tmp_path / "videos").mkdir()
    (tmp_path / "boxes").mkdir()
    for number in range(4000):
        (tmp_path / f"videos/v{number}.mp4").touch()
    (tmp_path / "scores.csv").write_text(
        "video,score\n" + "".join(f"v{number}{ending},{number}\n" for number in range(4000))
    )
    listings.clear()
    dataset = load_dataset("folder", tmp_path)
    assert [video.path.name for video in dataset.videos] == [f"v{number}.mp4" for number in range(4000)]
    assert max(listings.values()) <= 2  # the root once more for its CSV
    assert sum(listings.values()) <= 4


def test_what_spellings_share() -> None:
    assert folded("STRASSE") == folded("Straße")
    assert folded(COMPOSED.upper()) == folded(DECOMPOSED)
    assert folded("a1") != folded("a2")
    assert sorted(NameIndex(["A", "a", "b"]).fitting("a")) == ["A", "a"]


def test_names_in_folders_of_another_spelling(tmp_path: Path) -> None:
    touch(tmp_path / "Day One/CLIP.mp4")
    names = FolderNames(tmp_path)
    assert names.find("day one/clip.mp4") == tmp_path / "Day One/CLIP.mp4"
    assert names.find("day two/clip.mp4") is None
    assert names.find(".") == tmp_path
    assert names.spellings.respelled == {"day one/clip.mp4": "Day One/CLIP.mp4"}


def test_a_long_list_is_cut() -> None:
    text = respelled_note({f"v{number}": f"V{number}" for number in range(12)}, what="video")
    assert text.startswith("12 videos were found under another spelling: v0 -> V0, ")
    assert text.endswith("v9 -> V9 and 2 more")
