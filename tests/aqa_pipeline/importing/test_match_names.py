"""Names of features that circulate are those of their videos where only one fits."""

from pathlib import Path
from unicodedata import normalize

import numpy as np
import pytest
from click.testing import CliRunner

import cli
from aqa_pipeline.importing.match_names import match_names
from aqa_pipeline.store import Store


@pytest.mark.parametrize(
    ("video_id", "name"),
    [
        ("01", "01_rgb"),
        ("01", "01.mp4"),
        ("01", "01.MP4"),
        ("01", "01_rgb.avi"),
        ("01", "01.avi_rgb"),
        ("Ball_001", "ball_001"),
        ("a/Kür", normalize("NFD", "a/Kür")),
        ("x.mp4", "x"),
        ("m01_s01_e01", "m01_s01_e01_angles"),
        ("m01_s01_e01_inc", "m01_s01_e01_positions_inc"),
    ],
)
def test_one_that_fits_is_taken(video_id: str, name: str) -> None:
    matched = match_names([video_id, "other"], [name, "stranger"])
    assert (matched.names, matched.unclear) == ({video_id: name}, {})
    assert matched.respelled == {video_id: name}


@pytest.mark.parametrize("name", ["01_flow", "1", "01_2", "001", "01.npy", "_rgb", ".mp4"])
def test_another_name_is_another_video(name: str) -> None:
    assert match_names(["01"], [name]).considered == frozenset()


def test_the_very_name_comes_first() -> None:
    matched = match_names(["01", "A", "a"], ["01", "01_rgb", "A"])
    assert (matched.names, matched.unclear) == ({"01": "01", "A": "A"}, {})
    assert not matched.respelled


@pytest.mark.parametrize(
    ("video_ids", "names"), [(["01"], ["01.mp4", "01_rgb"]), (["a", "A"], ["a.mp4"]), (["é"], ["É", "É.mp4"])]
)
def test_what_fits_several_is_not_used(video_ids: list[str], names: list[str]) -> None:
    matched = match_names(video_ids, names)
    assert matched.names == {}
    assert matched.unclear == dict.fromkeys(video_ids, tuple(sorted(names)))


def test_the_command_imports_them_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text("video,score\n01,3\n02,4\n03,5\n")
    arrays = {"01": np.ones((2, 3)), "02.mp4": np.full((2, 3), 2.0), "03_rgb": np.full((2, 3), 3.0)}
    np.save(tmp_path / "f.npy", np.array(arrays, dtype=object))
    options = ["--dataset", "folder", "--root", tmp_path, "--name", "mine", tmp_path / "s"]
    source = ["--stream", "vst", "--features", tmp_path / "f.npy"]
    result = CliRunner().invoke(cli.main, ["store", "import", *map(str, [*options, *source])])
    assert result.exit_code == 0, result.output
    assert "2 names were found under another spelling: 02 -> 02.mp4, 03 -> 03_rgb" in result.output
    store = Store(tmp_path / "s")
    (spec,) = store.specs("mine", "vst")
    assert [store.read("mine", v, spec).features[0, 0] for v in ("01", "02", "03")] == [1, 2, 3]


def test_features_that_fit_several_fail_by_name(tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text("video,score\n01,3\n02,4\n")
    (tmp_path / "npy").mkdir()
    for name in ("01_rgb", "01.mp4", "02"):
        np.save(tmp_path / f"npy/{name}.npy", np.ones((2, 3)))
    options = ["--dataset", "folder", "--root", tmp_path, tmp_path / "s"]
    source = ["--stream", "vst", "--features", tmp_path / "npy"]
    result = CliRunner().invoke(cli.main, ["store", "import", *map(str, [*options, *source])])
    assert result.exit_code == 3, result.output
    assert (
        "01: no features are named so, and 01.mp4, 01_rgb could be its: name one of them 01." in result.output
    )
    assert "left out" not in result.output
