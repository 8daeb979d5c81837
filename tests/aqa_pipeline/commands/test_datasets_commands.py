"""`aqa datasets`: what is there, what is missing, and the command that comes next."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

PLUGIN = """
from pathlib import Path

from aqa_pipeline.datasets.adapter import DatasetAdapter
from aqa_pipeline.records import Dataset, Target, Video


def load(root):
    videos = tuple(Video(path.stem, path, {"height": 1.5}) for path in sorted(Path(root).glob("*.mp4")))
    return Dataset("jumps", root, videos, {}, (Target("height"),))


JUMPS = DatasetAdapter("jumps", "Jumps of our club", load, where="Ask the club.", layout="ROOT/*.mp4")
"""


def write_pictures(folder: Path, *, num: int = 6, numbers: list[int] | None = None) -> None:
    folder.mkdir(parents=True)
    for number in numbers or range(num):
        Image.new("RGB", (32, 24), (number, 0, 0)).save(folder / f"{number:04d}.png")


@pytest.fixture
def videos(own_folder) -> Path:
    """Write a folder of a user's own: three videos as pictures, of which the last is missing."""
    root = own_folder("video,score,group,fps\na,1.5,x,10\nb,2.5,y,10\nc,3.5,x,10\n")
    for name in ("a", "b"):
        write_pictures(root / name)
    return root


def test_the_list_names_every_dataset_with_its_layout(aqa, here):
    from aqa_pipeline.datasets import DATASETS

    output = aqa("datasets", "list").output
    for adapter in DATASETS.values():
        assert f"{adapter.name}: {adapter.title}" in output
        assert adapter.layout in output


def test_a_plugged_in_dataset_is_listed_and_checked_while_its_file_is_named(aqa, here):
    (here / "jumps.py").write_text(PLUGIN)
    assert "Jumps of our club" not in aqa("datasets", "list").output
    assert "jumps: Jumps of our club\n\nROOT/*.mp4\n\nAsk the club." in (
        aqa("datasets", "list", "--plugin", "jumps.py").output
    )
    (here / "d").mkdir()
    (here / "d" / "one.mp4").write_bytes(b"no video")
    output = aqa("datasets", "check", "jumps", "--root", "d", "--plugin", "jumps.py", code=3).output
    assert "unreadable (1)\n  one: " in output
    assert "unknown dataset 'jumps'" in aqa("datasets", "check", "jumps", "--root", "d", code=1).output


def test_a_complete_folder_is_0_and_the_next_command_extracts_it(aqa, videos):
    write_pictures(videos / "c")
    output = aqa("datasets", "check", "folder", "--root", "mine").output
    assert "videos  3 of 3 can be read" in output
    assert "length  0.00 hours (mean 0.6 s)" in output
    assert "fps     10 (3)" in output
    assert "size    32x24 (3)" in output
    assert "groups  2" in output
    assert "missing" not in output
    assert output.splitlines()[-1] == "next: aqa extract --dataset folder --root mine"


def test_a_missing_video_is_3_and_named_with_its_place(aqa, videos):
    output = aqa("datasets", "check", "folder", "--root", "mine", code=3).output
    assert "videos  2 of 3 can be read" in output
    assert f"missing (1)\n  c: {Path('mine') / 'c'}" in output


def test_the_options_that_were_typed_come_again_in_the_next_command(aqa, videos):
    write_pictures(videos / "c")
    words = ("--root", "mine", "--name", "our season", "--store", "elsewhere")
    output = aqa("datasets", "check", "folder", *words).output
    assert output.startswith("our season in mine")
    assert output.splitlines()[-1] == (
        "next: aqa extract --dataset folder --root mine --name 'our season' --store elsewhere"
    )


def test_features_stand_for_videos_that_are_missing(aqa, own_folder):
    own_folder("video,score\na,1\nb,2\nc,3\n")
    np.savez("all.npz", a=np.ones((3, 2)), b=np.ones((3, 2)), c=np.ones((3, 2)))
    words = ("--dataset", "folder", "--root", "mine", "--stream", "segments", "--features", "all.npz")
    aqa("store", "import", *words)
    output = aqa("datasets", "check", "folder", "--root", "mine").output
    assert "stored  imported segments (unknown) of 3 of 3 videos" in output
    assert "no video, but features (3)" in output
    assert output.splitlines()[-1].startswith("next: aqa fit --head ")
    output = aqa("datasets", "check", "folder", "--root", "mine", "--store", "none", code=3).output
    assert output.splitlines()[-1] == (
        "next: aqa datasets check folder --root mine --store none   (after adding its videos)"
    )


def test_frames_beyond_the_end_and_files_that_are_no_videos_are_unreadable(aqa, own_folder):
    root = own_folder("video,score,fps,stop_frame\na,1,10,7\nb.mp4,2,,\nc.mp4,3,,\n")
    write_pictures(root / "a")
    (root / "b.mp4").write_bytes(b"\0" * 100)
    (root / "c.mp4").write_bytes(b"")
    output = aqa("datasets", "check", "folder", "--root", "mine", code=3).output
    assert "unreadable (3)" in output
    assert "has 6 frames, but the performance is [0, 7): do the labels belong to another file?" in output


def test_gaps_in_the_pictures_are_worth_knowing_and_no_fault(aqa, own_folder):
    root = own_folder("video,score,fps\na,1,10\nb,2,10\n")
    write_pictures(root / "a", numbers=[1, 2, 3, 6, 7])
    write_pictures(root / "b")
    output = aqa("datasets", "check", "folder", "--root", "mine").output
    assert "1 video has gaps in the numbers of the pictures" in output
    assert "a (2 missing after 0003.png)" in output


def test_boxes_of_another_picture_are_refused_by_their_video(aqa, videos):
    write_pictures(videos / "c")
    (videos / "boxes").mkdir()
    (videos / "boxes" / "a.csv").write_text("frame_index,x1,y1,x2,y2\n0,1,1,20,20\n")
    (videos / "boxes" / "b.csv").write_text("frame_index,x1,y1,x2,y2\n0,1,1,200,20\n")
    (videos / "boxes" / "c.csv").write_text("frame_index,x,y,w,h\n0,1,1,20,20\n")
    output = aqa("datasets", "check", "folder", "--root", "mine", code=3).output
    assert "boxes   3 videos come with person boxes" in output
    assert "boxes refused (2)" in output
    assert "  b: boxes mine/boxes/b.csv: 1 of 1 row reaches beyond the picture of 32x24 pixels" in output
    assert "x2 = x + width" in output


TABLES = {
    "no CSV": (None, "no CSV in mine. Expected:"),
    "an empty CSV": ("", "mine/scores.csv is empty: expected one line per video"),
    "only a header": ("video,score\n", "has a header and no rows: expected one line per video"),
    "no column video": ("clip,score\na,1\n", "has no column video. Its columns: clip, score."),
    "a column twice": ("video,score,score\na,1,2\n", "has the columns score more than once"),
    "a target without a name": ("video,score:\na,1\n", "score columns need different names"),
}


@pytest.mark.parametrize(("table", "message"), TABLES.values(), ids=TABLES)
def test_a_folder_that_is_no_dataset_is_reported(aqa, here, own_folder, table, message):
    own_folder("" if table is None else table)
    if table is None:
        (here / "mine" / "scores.csv").unlink()
    assert message in aqa("datasets", "check", "folder", "--root", "mine", code=1).output


NAMES = {
    "of a known dataset": ("mit-skating", "is the name of a known dataset: choose another with --name"),
    "of blanks": ("  ", "is not a name: choose another with --name, such as my-videos"),
}


@pytest.mark.parametrize(("name", "message"), NAMES.values(), ids=NAMES)
def test_a_name_that_cannot_be_taken_is_reported(aqa, videos, name, message):
    result = aqa("datasets", "check", "folder", "--root", "mine", "--name", name, code=1)
    assert message in result.output


def test_a_known_dataset_cannot_be_renamed(aqa, here):
    (here / "d").mkdir()
    (here / "d" / "annotations.txt").write_text("1_Worlds-abcdefghijk 60 30 30 0 96\n")
    output = aqa("datasets", "check", "mit-skating", "--root", "d", "--name", "skating", code=1).output
    assert "the dataset mit-skating cannot be renamed to 'skating': leave out --name" in output


@pytest.mark.parametrize(
    ("folders", "there"),
    [((), "data/ holds none"), (("folder", "mit-skating"), r"there are 2 in data/ (mit-skating, folder)")],
    ids=["none", "two"],
)
def test_without_a_name_one_folder_of_data_is_expected(aqa, here, folders, there):
    for name in folders:
        (here / "data" / name).mkdir(parents=True)
    output = aqa("datasets", "check", code=1).output
    assert f"give the name of a dataset (see `aqa datasets list`): {there}." in output
