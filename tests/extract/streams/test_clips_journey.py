"""`aqa extract --for wd` from a folder of videos to the store, with a real network and its random weights."""

import numpy as np
import pytest
from click.testing import CliRunner, Result

import cli
from aqa_pipeline.store import Store


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, ["extract", *map(str, arguments)])


@pytest.fixture
def dataset(tmp_path, numbered_video) -> list[object]:
    """Options that name a dataset of one video of 20 frames."""
    numbered_video("a", 20)
    (tmp_path / "videos" / "scores.csv").write_text("video,score,fps\na,7.5,25\n")
    return ["--dataset", "folder", "--root", tmp_path / "videos", "--store", tmp_path / "s"]


def test_for_wd_makes_clips_of_the_chosen_network(tmp_path, dataset):
    network = ["--backbone", "mc3_18", "--weights", "random:0", "--device", "cpu"]
    small = ["--views", "reference", "--dtype", "float16"]
    result = run(*dataset, "--for", "wd", *network, "--clips", "whole", *small)
    assert result.exit_code == 0, result.output
    store = Store(tmp_path / "s")
    (spec,) = store.specs("videos", "clips")
    record = store.read("videos", "a", spec)
    assert (record.features.shape, record.features.dtype) == ((2, 1, 512), np.float16)
    assert record.counts["num_repeated_frames"] == 12
    assert record.extras["frame_index"].ravel().tolist() == [0] * 12 + list(range(20))
    assert len(np.unique(record.features, axis=0)) == 2
    assert not [problem for _, problem in store.verify() if problem]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--clips", "whole"], "--clips: for the stream clips, not for segments"),
        (["--views", "reference"], "--views: for the stream clips or tubes, not for segments"),
    ],
)
def test_options_of_clips_are_not_ignored_by_other_streams(dataset, option, message):
    result = run(*dataset, "--streams", "segments", *option)
    assert result.exit_code == 2
    assert message in result.output


def test_a_network_whose_clips_do_not_fill_the_frames_is_an_error_in_one_line(dataset):
    result = run(*dataset, "--streams", "clips", "--backbone", "x3d_s", "--device", "cpu")
    assert result.exit_code == 1
    assert "x3d_s takes 13 frames, which do not divide 96" in result.output
    assert "Traceback" not in result.output


def test_a_device_that_this_machine_lacks_is_explained(dataset):
    result = run(*dataset, "--streams", "clips", "--weights", "random:0", "--device", "tpu")
    assert result.exit_code == 1
    assert "device 'tpu' cannot be used" in result.output
    assert "Try --device cpu." in result.output


def test_gaps_and_frame_rates_far_apart_are_reported_and_no_failure(tmp_path, numbered_video):
    """16 frames are 0.67 s at 24 fps, 0.067 s at 240: the same motion is another clip."""
    root = tmp_path / "videos"
    for name in ("slow", "fast"):
        numbered_video(name, 20)
    gone = sorted((root / "slow").iterdir())[10:13]
    for picture in gone:
        picture.unlink()
    (root / "scores.csv").write_text("video,score,fps\nslow,7,24\nfast,8,240\n")
    dataset = ["--dataset", "folder", "--root", root, "--store", tmp_path / "s"]
    network = ["--backbone", "mc3_18", "--weights", "random:0", "--device", "cpu", "--views", "reference"]
    result = run(*dataset, "--streams", "clips", "--clips", "whole", *network)
    assert result.exit_code == 0, result.output
    before = sorted((root / "slow").iterdir())[9].name
    assert f"shown too early: slow (3 missing after {before})" in result.output
    assert "a clip of 16 frames covers 0.67 s of slow and 0.067 s of fast" in result.output
