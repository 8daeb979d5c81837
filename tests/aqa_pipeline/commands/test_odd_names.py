"""Videos with odd names go from files into a store, through a pack and out again under their own names."""

import unicodedata
from pathlib import Path

import numpy as np
import pytest

from aqa_pipeline.store import Store

NAMES = {
    "blanks": "the second  try",
    "accents": "Größe élan",
    "decomposed accents": unicodedata.normalize("NFD", "Größe élan"),
    "another script": "体操 跳馬",
    "a pictogram": "gold🥇",
    "a percent sign": "100%",
    "percent-encoding": "a%2Fb",
    "signs of a shell": "$HOME;rm -rf & 'x' #1",
    "signs of a URL": "a?b=c&d",
    "brackets": "[final] (2026) {v2}",
    "a name of Windows": "CON",
    "dots": "v1.2.final",
    "a leading dash": "-rf",
    "digits with zeros": "007",
    "a formula": "=1+1",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_is_the_same_after_the_whole_way(aqa, own_folder, name):
    array = np.array([[1.5, -2.0], [3.25, 4.0]], np.float32)
    quoted = f'"{name}"'
    own_folder(f"video,score\n{quoted},1\nplain,2\n")
    Path("files").mkdir()
    np.save(Path("files", f"{name}.npy"), array)
    np.save(Path("files", "plain.npy"), array + 1)
    aqa("store", "import", "--dataset", "folder", "--root", "mine", "--features", "files", "--stream", "vst")
    aqa("store", "pack")
    aqa("store", "unpack", "features.h5", "again")
    for place in ("features", "features.h5", "again"):
        store = Store(Path(place))
        assert {video_id for _, video_id, _ in store} == {name, "plain"}
        np.testing.assert_array_equal(store["mine", name, "vst"].features, array)
        aqa("store", "verify", place)
    aqa("store", "export", "features", "--out", "arrays")
    arrays = [np.load(path) for path in Path("arrays").rglob("*.npy")]
    assert sorted(each[0, 0] for each in arrays) == [1.5, 2.5]


@pytest.mark.parametrize("name", ["sub/clip", "sub folder/deeper/clip"])
def test_a_video_in_a_folder_of_its_own_is_one_id(aqa, own_folder, name):
    """Features of such a video come in one file of many, since no file name holds a slash."""
    own_folder(f"video,score\n{name}.mp4,1\nplain,2\n")
    np.savez("all.npz", **{name: np.ones((2, 3)), "plain": np.ones((2, 3))})
    np.save("dict.npy", {name: np.ones((2, 3)), "plain": np.ones((2, 3))})
    for file in ("all.npz", "dict.npy"):
        words = ("--dataset", "folder", "--root", "mine", "--features", file, "--stream", "vst")
        aqa("store", "import", f"store of {file}", *words)
        store = Store(Path(f"store of {file}"))
        assert {video_id for _, video_id, _ in store} == {name, "plain"}
        aqa("store", "verify", f"store of {file}")


@pytest.mark.parametrize(
    ("in_table", "on_disk"),
    [("Größe", unicodedata.normalize("NFD", "Größe")), ("Clip_A", "clip_a"), ("b.mp4", "b"), ("c", "c_rgb")],
    ids=["Unicode form", "case", "ending", "modality"],
)
def test_a_file_under_another_spelling_is_found_and_the_id_is_that_of_the_table(
    aqa, own_folder, in_table, on_disk
):
    own_folder(f"video,score\n{in_table},1\nplain,2\n")
    Path("files").mkdir()
    for name in (on_disk, "plain"):
        np.save(Path("files", f"{name}.npy"), np.ones((2, 3)))
    words = ("--dataset", "folder", "--root", "mine", "--features", "files", "--stream", "vst")
    output = aqa("store", "import", *words).output
    assert {video_id for _, video_id, _ in Store(Path("features"))} == {
        in_table.removesuffix(".mp4"),
        "plain",
    }
    assert ("found under another spelling" in output) == (in_table != "b.mp4")


def test_two_files_for_one_video_are_not_guessed_between(aqa, own_folder):
    own_folder("video,score\nGröße,1\nplain,2\n")
    Path("files").mkdir()
    for name in ("GRÖSSE", "größe", "plain"):
        np.save(Path("files", f"{name}.npy"), np.ones((2, 3)))
    words = ("--dataset", "folder", "--root", "mine", "--features", "files", "--stream", "vst")
    output = aqa("store", "import", *words, code=3).output
    assert "no features are named so, and GRÖSSE, größe could be its: name one of them Größe." in output
    assert {video_id for _, video_id, _ in Store(Path("features"))} == {"plain"}
