"""Own videos with tubes, from files to a scored page: where a TSA run saw the athlete, and where nobody.

The network is the real one with random weights. Quads come from disk: no tracker's weights are needed.
"""

import json
from pathlib import Path

import av
import numpy as np
import pytest
from click.testing import CliRunner, Result

import cli

NUM_FRAMES, FPS = 20, 10
SMALLER = ["--last-frames", 18, "--clip-stride", 16, "--views", "reference"]
HOW = ["--tracker", "annotations", "--weights", "random:0", "--device", "cpu"]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def write_video(path: Path, *, seed: int) -> Path:
    """A small h264 file of a bright square that wanders."""
    rng = np.random.default_rng(seed)
    background = rng.integers(0, 90, (60, 96, 3), dtype=np.uint8)
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 96, 60, "yuv420p"
        for index in range(NUM_FRAMES):
            picture = background.copy()
            picture[15:45, 20 + 2 * index : 40 + 2 * index] = 200
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def write_boxes(path: Path, *, absent: range = range(0)) -> Path:
    """The square's box in every frame but the absent ones."""
    rows = [f"{n},{20 + 2 * n},15,{40 + 2 * n},45" for n in range(NUM_FRAMES) if n not in absent]
    path.write_text("\n".join(["frame_index,x1,y1,x2,y2", *rows]) + "\n")
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with own videos, their scores and quads, tubes, and a run of `tsa`."""
    home = tmp_path_factory.mktemp("tubes")
    (home / "videos").mkdir()
    (home / "boxes").mkdir()
    lines = ["video,score,split"]
    for number in range(5):
        write_video(home / "videos" / f"v{number}.mp4", seed=number)
        write_boxes(home / "boxes" / f"v{number}.csv")
        lines.append(f"v{number}.mp4,{number}.5,{'test' if number > 2 else 'train'}")
    (home / "scores.csv").write_text("\n".join(lines) + "\n")
    data = ["--dataset", "folder", "--root", home, "--store", home / "features"]
    result = run("extract", *data, "--for", "tsa", *HOW, *SMALLER)
    assert result.exit_code == 0, result.output
    fitted = ["--head", "tsa", "--variant", "frozen", "--epochs", 1, "--seeds", "0,1", "--device", "cpu"]
    result = run("fit", *data, *fitted, "--out", home / "run")
    assert result.exit_code == 0, result.output
    return home


@pytest.fixture(scope="module")
def scored(home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A new video in whose frames 8 to 11 nobody is followed, scored: the folder of its outputs."""
    out = tmp_path_factory.mktemp("scored")
    video = write_video(out / "new.mp4", seed=9)
    boxes = write_boxes(out / "new.csv", absent=range(8, 12))
    outputs = ["--html", out / "new.html", "--json", out / "new.json", "--boxes", boxes]
    return out, run("score", video, "--run", home / "run", *outputs, "--device", "cpu")


def test_where_nobody_was_followed_is_said(scored: tuple[Path, Result]) -> None:
    out, result = scored
    assert result.exit_code == 0, result.output
    assert "new.mp4: score " in result.output
    followed = "The tracker (annotations) followed the athlete in 14 of 18 frames, 0:00.2 to 0:02.0"
    assert followed in result.output
    assert "WARNING: Nobody was followed from 0:00.8 to 0:01.2 (4 of 18 frames)" in result.output
    (video,) = json.loads((out / "new.json").read_text())["videos"]
    assert video["followed"]["tubes"]["num_followed"] == 14
    ((start, stop),) = video["followed"]["tubes"]["absent"]
    assert (start, stop) == pytest.approx((0.8, 1.2))


def test_clips_have_scores_and_equal_weights_are_not_shown(scored: tuple[Path, Result]) -> None:
    out, result = scored
    lines = result.output.splitlines()
    assert [line.split() for line in lines if line.startswith("stream")] == [
        ["stream", "step", "when", "score"]
    ]
    (video,) = json.loads((out / "new.json").read_text())["videos"]
    assert len(video["streams"]["tubes"]["step_scores"]) == 2
    text = (out / "new.html").read_text()
    assert "<b>Clip scores</b>, score of each clip alone" in text
    assert "attention to each clip" not in text
    data = json.loads(text.split('id="data">')[1].split("</script>")[0])
    assert len(data["tracks"]) == 1


def test_the_page_draws_the_tube(scored: tuple[Path, Result]) -> None:
    """Frames 2 to 19 are looked at; the quad of frame 2 is that of the square."""
    text = (scored[0] / "new.html").read_text()
    assert "Athlete's tube: on" in text
    assert 'class="lost" style="left: 40.00%; width: 20.00%"' in text
    outlines = json.loads(text.split('id="data">')[1].split("</script>")[0])["outlines"]
    assert len(outlines) == 14
    first = outlines[0]
    assert (first["start"], first["stop"]) == pytest.approx((0.2, 0.3))
    xs, ys = zip(*first["corners"], strict=True)
    assert (min(xs), max(xs), min(ys), max(ys)) == pytest.approx(
        (24 / 96, 44 / 96, 15 / 60, 45 / 60), abs=1e-3
    )


def test_a_run_of_tubes_has_a_report_with_pages(home: Path, tmp_path: Path) -> None:
    result = run("report", home / "run", "--html", tmp_path / "report.html", "--worst", 1)
    assert result.exit_code == 0, result.output
    (page,) = (tmp_path / "report-videos").rglob("*.html")
    assert "Athlete's tube: on" in page.read_text()


def test_a_box_is_not_taken_where_quads_come_from_disk(home: Path) -> None:
    video = home / "videos" / "v0.mp4"
    result = run("score", video, "--run", home / "run", "--init-box", "1,2,30,40", "--device", "cpu")
    assert result.exit_code == 2
    assert "--init-box: the tubes of this run are read from disk" in result.output


def test_a_preview_draws_the_tube_without_the_network(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    monkeypatch.setenv("AQA_HOME", str(tmp_path / "no weights here"))
    boxes = write_boxes(tmp_path / "boxes.csv", absent=range(8, 12))
    how = ["--for", "tsa", "--tracker", "annotations", "--boxes", boxes, "--contact-sheet", tmp_path]
    result = run("extract", "--preview", home / "videos" / "v0.mp4", *how, "--device", "cpu")
    assert result.exit_code == 0, result.output
    assert "tubes: 2 steps of 16 frames; annotations follows the athlete in 16 of 20 frames" in result.output
    with Image.open(tmp_path / "v0.preview.jpg") as sheet:
        pixels = np.asarray(sheet.convert("RGB")).astype(int)
    orange = (abs(pixels - [255, 90, 31]) < 60).all(axis=2)
    assert orange.sum() > 2000  # quads in two rows of eight pictures
