"""The guide to tubes, run from files to a page: where a TSA run saw the athlete, and where it saw nobody.

The network is the real one with random weights. Quads come from disk: no tracker's weights are needed.
"""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

import cli

pytestmark = pytest.mark.xdist_group("score-tubes")  # one worker runs the guide for all of them

NUM_FRAMES, FPS = 20, 10
GUIDE = Path(__file__).resolve().parents[3] / "docs" / "guide-tubes.md"
SMALLER = ["--last-frames", "18", "--clip-stride", "16", "--views", "reference", "--weights", "random:0"]
ON_DISK = ["--tracker", "annotations", "--device", "cpu"]
# What keeps the guide's commands small and without weights; options given twice count as they are given last.
EXTRA = {
    ("extract", "--preview"): [*ON_DISK, "--boxes", "new.csv"],
    ("extract", "--dataset"): [*ON_DISK, *SMALLER],
    ("fit", "--head"): ["--variant", "frozen", "--epochs", "1", "--seeds", "0,1", "--device", "cpu"],
    ("score", "new-routine.mp4"): ["--boxes", "new.csv", "--json", "new.json", "--device", "cpu"],
    ("report", "runs/tubes"): ["--worst", "1"],
}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def write_video(path: Path, *, seed: int) -> Path:
    """Write a small h264 file of a bright square that wanders."""
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
    """Write the square's box in every frame except the absent ones."""
    rows = [f"{n},{20 + 2 * n},15,{40 + 2 * n},45" for n in range(NUM_FRAMES) if n not in absent]
    path.write_text("\n".join(["frame_index,x1,y1,x2,y2", *rows]) + "\n")
    return path


def write_home(home: Path) -> None:
    """Own videos with scores and quads; a new video in whose frames 8 to 11 nobody is followed."""
    videos, boxes = home / "my-videos" / "videos", home / "my-videos" / "boxes"
    videos.mkdir(parents=True)
    boxes.mkdir()
    lines = ["video,score,split"]
    for number, name in enumerate(["first", "v1", "v2", "v3", "v4"]):
        write_video(videos / f"{name}.mp4", seed=number)
        write_boxes(boxes / f"{name}.csv")
        lines.append(f"{name}.mp4,{number}.5,{'test' if number > 2 else 'train'}")
    (home / "my-videos" / "scores.csv").write_text("\n".join(lines) + "\n")
    write_video(home / "new-routine.mp4", seed=9)
    write_boxes(home / "new.csv", absent=range(8, 12))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the guide's commands are run."""
    home = tmp_path_factory.mktemp("tubes")
    write_home(home)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setenv("AQA_HOME", str(home / "no weights here"))
        yield home


@pytest.fixture(scope="module")
def printed(home: Path) -> dict[str, str]:
    """Every command of the guide, run from top to bottom: what each printed, by its first words.

    Networks with random weights score all clips alike; here that must not count as even.
    """
    blocks = [block.split("```")[0] for block in GUIDE.read_text().split("```sh\n")[1:]]
    lines = [line for block in blocks for line in block.splitlines()]
    commands = [shlex.split(line)[1:] for line in lines if line.startswith("aqa ") and "fetch" not in line]
    outputs = {}
    for words in commands:
        name = (words[0], words[1])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("heads.pages.track.ALL_BUT_EQUAL", 0.0)
            result = run(*words, *EXTRA[name])
        assert result.exit_code == 0, (words, result.output)
        outputs[" ".join(name)] = result.output
    assert len(outputs) == len(EXTRA)
    return outputs


def data_of(page: Path) -> dict[str, Any]:
    """Return the data that the page's script shows."""
    text = page.read_text().split('id="data">')[1].split("</script>")[0]
    data: dict[str, Any] = json.loads(text)
    return data


def test_where_nobody_was_followed_is_said(home: Path, printed: dict[str, str]) -> None:
    output = printed["score new-routine.mp4"]
    assert "new-routine.mp4: score " in output
    assert "(annotations) followed the athlete in 14 of 18 frames." in output
    assert "The tubes cover 0.2-2.0 s of 2.0 s only; to cover the whole" in output
    assert "extract with --last-frames 20 and fit again." in output
    assert "WARNING: Nobody was followed from 0:00.8 to 0:01.2 (4 of 18 frames)" in output
    (video,) = json.loads((home / "new.json").read_text())["videos"]
    assert video["tracking"]["tubes"]["num_followed"] == 14
    assert video["looks_at"]["tubes"]["option"] == "--last-frames 20"
    assert video["duration_seconds"] == 2
    ((start, stop),) = video["tracking"]["tubes"]["absent"]
    assert (start, stop) == pytest.approx((0.8, 1.2))


def test_clips_have_scores_and_equal_weights_are_not_shown(home: Path, printed: dict[str, str]) -> None:
    lines = printed["score new-routine.mp4"].splitlines()
    headers = [line.split() for line in lines if line.startswith("stream")]
    assert headers == [["stream", "step", "when", "effect"], ["stream", "step", "when", "score"]]
    (video,) = json.loads((home / "new.json").read_text())["videos"]
    assert len(video["streams"]["tubes"]["step_scores"]) == len(video["streams"]["tubes"]["effect"]) == 2
    text = (home / "new-routine.html").read_text()
    assert "<b>Clip scores</b>, score of each clip alone" in text
    assert [track["kind"] for track in data_of(home / "new-routine.html")["tracks"]] == ["effect", "score"]


def test_the_page_draws_the_tube(home: Path, printed: dict[str, str]) -> None:
    """Frames 2 to 19 are looked at; the quad of frame 2 is that of the square."""
    text = (home / "new-routine.html").read_text()
    assert "Athlete's tube: on" in text
    assert 'class="lost" style="left: 40.00%; width: 20.00%"' in text
    outlines = data_of(home / "new-routine.html")["outlines"]
    assert len(outlines) == 14
    first = outlines[0]
    assert (first["start"], first["stop"]) == pytest.approx((0.2, 0.3))
    xs, ys = zip(*first["corners"], strict=True)
    corners = (min(xs), max(xs), min(ys), max(ys))
    assert corners == pytest.approx((24 / 96, 44 / 96, 15 / 60, 45 / 60), abs=1e-3)


def test_a_moment_jumps_to_where_its_own_clip_is_shown(home: Path, printed: dict[str, str]) -> None:
    """Frames 2 to 17 and 4 to 19 overlap: the second one's bar begins in the middle of both.

    Either jump leads to the middle of a frame of 0.1 s.
    """
    text = (home / "new-routine.html").read_text()
    jumps = sorted(float(each) for each in re.findall(r'data-jump="([0-9.]+)"', text))
    tracks = data_of(home / "new-routine.html")["tracks"]
    assert sorted(set(jumps)) == pytest.approx([0.25, 1.15])
    assert all(track["starts"] == pytest.approx([0.2, 1.1]) for track in tracks)


def test_the_report_has_a_page_of_the_worst_video(home: Path, printed: dict[str, str]) -> None:
    (page,) = (home / "tubes-videos").rglob("*.html")
    assert "Athlete's tube: on" in page.read_text()


def test_a_box_is_not_taken_where_quads_come_from_disk(home: Path, printed: dict[str, str]) -> None:
    result = run("score", "new-routine.mp4", "--run", "runs/tubes", "--init-box", "1,2,30,40", *ON_DISK)
    assert result.exit_code == 2
    assert "--init-box: this run follows nobody from a start" in result.output


def test_a_preview_draws_the_tube_without_the_network(home: Path, printed: dict[str, str]) -> None:
    """The quads of the new video, of whose 20 frames four have none."""
    told = "tubes: 2 steps of 16 frames; annotations follows the athlete in 16 of 20 frames"
    assert told in printed["extract --preview"]
    with Image.open(home / "sheets" / "first.preview.jpg") as sheet:
        pixels = np.asarray(sheet.convert("RGB")).astype(int)
    orange = (abs(pixels - [255, 90, 31]) < 60).all(axis=2)
    assert orange.sum() > 2000  # in two rows of eight pictures
