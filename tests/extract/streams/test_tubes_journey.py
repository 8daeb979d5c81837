"""`aqa extract --for tsa` from pictures to the store, with the real network, of random weights."""

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

import cli
from aqa_pipeline.store import Store


def run(*arguments: object) -> Result:
    streams = {"tsa": ("tubes",)}  # whether or not the heads' room has it, what it reads is the front door's
    return CliRunner().invoke(cli.extract, [str(word) for word in arguments], obj=streams.__getitem__)


@pytest.fixture
def dataset(tmp_path) -> list[object]:
    """Options that name a dataset of one video of 20 frames, with an athlete in all but the last two."""
    folder, boxes = tmp_path / "videos" / "a", tmp_path / "videos" / "boxes"
    folder.mkdir(parents=True)
    boxes.mkdir()
    for number in range(20):
        Image.effect_noise((96, 54), 100).convert("RGB").save(folder / f"{number:04d}.png")
    rows = [f"{number},{30 + number},10,{50 + number},40" for number in range(18)]
    (boxes / "a.csv").write_text("\n".join(["frame_index,x1,y1,x2,y2", *rows]))
    (tmp_path / "videos" / "scores.csv").write_text("video,score,fps\na,7.5,25\n")
    return ["--dataset", "folder", "--root", tmp_path / "videos", "--store", tmp_path / "s"]


def test_for_tsa_makes_tubes_and_goes_on_where_it_stopped(tmp_path, dataset):
    choices = ["--for", "tsa", "--tracker", "annotations", "--weights", "random:0", "--device", "cpu"]
    smaller = ["--last-frames", "18", "--clip-stride", "16", "--views", "reference", "--variant", "released"]
    result = run(*dataset, *choices, *smaller)
    assert result.exit_code == 0, result.output
    assert "MB per video" in result.output
    store = Store(tmp_path / "s")
    (spec,) = store.specs("videos", "tubes")
    record = store.read("videos", "a", spec)
    assert (record.features.shape, record.features.dtype) == ((2, 1, 480, 4, 14, 14), np.float16)
    assert record.extras["frame_index"][:, 0].tolist() == [2, 4]
    assert record.extras["quads"].shape == (2, 1, 16, 4, 2)
    assert record.extras["present"].sum(axis=-1).tolist() == [[16], [14]]
    assert record.counts["num_frames_without_athlete"] == 2
    assert spec.facts["preprocess"] == "released-tsa-224"
    assert not [problem for _, problem in store.verify() if problem]
    again = run(*dataset, *choices, *smaller)
    assert "1 video was in the store already" in again.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--streams", "segments", "--tracker", "nano"],
            "--tracker: for the stream tubes or pixels, not for",
        ),
        (["--streams", "clips,tubes", "--views", "flip"], "--views flip is for the stream tubes"),
        (["--streams", "tubes", "--clips", "whole"], "--clips: for the stream clips, not for tubes"),
        (["--streams", "tubes", "--init-box", "1;2"], "expected 4 or 8 numbers with commas"),
    ],
)
def test_options_that_no_stream_reads_are_refused(dataset, options, message):
    result = run(*dataset, *options)
    assert result.exit_code == 2
    assert message in result.output
