"""`aqa reproduce` extracts what a table lacks as the printed `aqa extract` commands would."""

import shlex
from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner, Result

import cli
from extract.choices.options import InputOptions
from extract.choices.usual import options_for_table
from extract.commands.parse_options import parse_stream_options
from heads.tables.planning.extraction_passes import ExtractionPass
from heads.tables.planning.needs import FeatureNeed
from heads.tables.registry import TABLES
from heads.tables.settings import Settings

NUM_VIDEOS = 6
CHOSEN = ("--device", "cpu", "--detector", "annotations", "--weights", "random:0", "--runtime", "eager")


def aqa(*words: object) -> Result:
    return CliRunner().invoke(cli.main, [str(word) for word in words])


def passes() -> set[ExtractionPass]:
    """Return one pass per dataset and reader of all papers' tables."""
    found = set()
    for table in TABLES.values():
        for reader in filter(None, (row.method or row.count for row in table.rows)):
            for dataset in {column.dataset for column in table.columns}:
                needs = (
                    FeatureNeed(dataset, stream, names[0], reader.extraction, ("a", "b"), 2, 2)
                    for stream, names in reader.streams.items()
                )
                found.add(ExtractionPass(tuple(needs), ("a", "b")))
    return found


@pytest.mark.parametrize("one", sorted(passes(), key=repr), ids=lambda one: f"{one.dataset}-{one.extraction}")
def test_the_printed_command_chooses_what_the_function_chooses(one: ExtractionPass) -> None:
    command, words = cli.main.commands["extract"], one.words(Settings(Path("store"), Path("out")))
    with command.make_context("extract", [*words[1:], *CHOSEN]) as ctx:
        printed = parse_stream_options(ctx.params)
        assert ctx.params["streams"].split(",") == list(one.backbones)
    options = printed.changed(networks=printed.networks.changed(backbones={}), inputs=InputOptions())
    made = one.extraction
    assert printed == options_for_table(options, one.backbones, variant=made.variant, views=made.views)


@pytest.fixture
def routines(tmp_path: Path) -> Path:
    """Return a folder of Rhythmic Gymnastics with the labels and videos of six routines with the ball."""
    root = tmp_path / "gymnastics"
    (root / "videos").mkdir(parents=True)
    scores = np.random.default_rng(0).uniform(5, 20, size=NUM_VIDEOS).round(2)
    for side, numbers in (("train", range(4)), ("test", range(4, NUM_VIDEOS))):
        lines = [f"Ball_{n:03d}\t5.0 {scores[n] - 5:.2f}\t{scores[n]:.2f} 0.0\t20.0" for n in numbers]
        (root / f"{side}.txt").write_text("\n".join(["a header line", *lines]) + "\n")
    for number in range(NUM_VIDEOS):
        with av.open(str(root / "videos" / f"Ball_{number:03d}.mp4"), "w") as container:
            stream = container.add_stream("libx264", rate=5)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for shade in range(0, 40, 10):
                picture = np.full((48, 64, 3), shade + number, dtype=np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode())
    return root


@pytest.mark.slow
def test_the_printed_command_finds_everything_in_the_store(routines: Path, tmp_path: Path) -> None:
    place = ("--root", f"rhythmic-gymnastics={routines}", "--store", tmp_path / "store")
    part = ("--columns", "ball", "--rows", "resnet-svr-average", "--seeds", "0", "--jobs", "1")
    command = ("reproduce", "action-net-table1", *place, *part, *CHOSEN, "--out", tmp_path / "out")
    result = aqa(*command)
    assert result.exit_code == 0, result.output
    (printed,) = [line for line in result.output.splitlines() if line.startswith("$ aqa extract ")]
    assert "--streams frames --backbone frames=resnet50" in printed
    assert "--weights random:0 --device cpu --runtime eager" in printed
    again = aqa(*shlex.split(printed)[2:])
    assert again.exit_code == 0, again.output
    assert f"{NUM_VIDEOS} videos were in the store already" in again.output
    assert "$ aqa extract" not in aqa(*command).output
