"""A clip has exactly the frames that a player shows in its time, each for as long, and replaces no file."""

from pathlib import Path

import av
import numpy as np
import pytest
from click import UsageError
from click.testing import CliRunner

import cli
from aqa_pipeline.commands.times import parse_interval
from aqa_pipeline.encoding.excerpt import write_excerpt
from aqa_pipeline.encoding.film import H264_ENCODERS, OTHER_ENCODER, find_encoder
from aqa_pipeline.errors import VideoError
from aqa_pipeline.records import Video
from aqa_pipeline.video import open_video, probe

FPS, NUM_FRAMES = 10, 40
SIZE = (99, 65)  # odd: 4:2:0 has no half pixels


def gray(frame: int) -> int:
    return 30 + 5 * frame


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Video:
    """Return four seconds of gray pictures, each a little lighter than the one before."""
    path = tmp_path_factory.mktemp("clip") / "routine.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv444p"
        for index in range(NUM_FRAMES):
            picture = np.full((SIZE[1], SIZE[0], 3), gray(index), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return Video("routine", path)


def contents(path: Path) -> tuple[list[int], np.ndarray, float]:
    """Return the frames of the source that a clip shows, when it shows them, and how long it is."""
    with open_video(Video("clip", path)) as opened:
        shown = [picture.mean() for _, picture in opened.frames(range(opened.timeline.num_frames))]
        frames = [round((mean - 30) / 5) for mean in shown]
        return frames, opened.timeline.pts_seconds, float(opened.timeline.duration_seconds)


@pytest.mark.parametrize("speed", [1.0, 0.25])
def test_it_has_the_frames_that_are_shown_in_its_time(video: Video, tmp_path: Path, speed: float) -> None:
    out = tmp_path / "clip.mp4"
    written = write_excerpt(video, out, start=1.25, stop=2.55, speed=speed, encoder=find_encoder())
    frames, starts, seconds = contents(out)
    assert frames == list(range(12, 26)), "frame 12 is shown from 1.2 to 1.3 s, frame 25 from 2.5 to 2.6 s"
    assert starts == pytest.approx(np.array([0, *(np.arange(0.05, 1.3, 0.1))]) / speed, abs=1e-3)
    assert seconds == pytest.approx(1.3 / speed, abs=2e-3)
    assert (written.num_frames, written.width, written.height) == (14, 98, 64)


def test_browsers_play_it(video: Video, tmp_path: Path) -> None:
    out = tmp_path / "clip.mp4"
    write_excerpt(video, out, start=0.0, stop=1.0, speed=1.0, encoder=find_encoder())
    assert find_encoder() in H264_ENCODERS
    facts = probe(out)
    assert facts.codec == "h264"
    with av.open(str(out)) as container:
        assert container.streams.video[0].pix_fmt == "yuv420p"
        assert not container.streams.audio
    content = out.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat"), "a player begins before it has the whole file"


def test_another_encoder_writes_it_too(video: Video, tmp_path: Path) -> None:
    out = tmp_path / "clip.mp4"
    write_excerpt(video, out, start=1.0, stop=1.5, speed=1.0, encoder=OTHER_ENCODER)
    assert contents(out)[0] == [10, 11, 12, 13, 14]


def test_the_end_of_a_page_is_the_end_of_the_video(video: Video, tmp_path: Path) -> None:
    write_excerpt(video, tmp_path / "end.mp4", start=3.85, stop=4.04, speed=1.0, encoder=find_encoder())
    assert contents(tmp_path / "end.mp4")[0] == [38, 39]


@pytest.mark.parametrize(("start", "stop"), [(3.0, 4.2), (4.0, 4.05), (2.0, 2.0), (-1.0, 1.0)])
def test_a_time_outside_of_the_video_is_refused(
    video: Video, tmp_path: Path, start: float, stop: float
) -> None:
    with pytest.raises(VideoError, match=r"is not a part of the video, which is 4\.00 s long"):
        write_excerpt(video, tmp_path / "x.mp4", start=start, stop=stop, speed=1.0, encoder=find_encoder())
    assert not list(tmp_path.iterdir())


def test_the_command_names_the_clip_and_overwrites_nothing(
    video: Video, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["clip", str(video.path), "--clip", "0:01.0-0:02.0", "--slow", "0.5"]
    first = CliRunner().invoke(cli.main, words)
    assert first.exit_code == 0, first.output
    assert first.stdout == "Written: routine-0.01.0-0.02.0-slow-0.5.mp4, 10 frames in 2.00 s, 98x64\n"
    (made,) = tmp_path.iterdir()
    content = made.read_bytes()
    again = CliRunner().invoke(cli.main, words)
    assert (again.exit_code, made.read_bytes()) == (1, content)
    assert "is there already: choose another name, nothing is overwritten" in again.output
    source = CliRunner().invoke(cli.main, [*words, "--out", str(video.path)])
    assert (source.exit_code, "a name that ends in .mp4" in source.output) == (2, True)


def test_a_clip_that_browsers_may_not_play_says_so(
    video: Video, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aqa_pipeline.encoding.film.H264_ENCODERS", ())
    words = ["clip", str(video.path), "--clip", "1-2", "-o", str(tmp_path / "x.mp4")]
    result = CliRunner().invoke(cli.main, words)
    assert result.exit_code == 0, result.output
    assert "the clip is MPEG-4 Part 2, which browsers may not play" in result.stderr


def test_intervals_are_seconds_or_minutes_and_seconds() -> None:
    assert parse_interval("6.4-9.6") == (6.4, 9.6)
    assert parse_interval("1:06.5-2:00") == (66.5, 120.0)
    for text in ("6.4", "9.6-6.4", "a-b", "-1-2", "1-1"):
        with pytest.raises(UsageError, match="--clip"):
            parse_interval(text)
