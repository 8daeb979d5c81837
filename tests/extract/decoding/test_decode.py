"""One pass over a video serves all streams: each gets exactly its frames, in order, prepared its own way."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from aqa_pipeline.errors import VideoError
from aqa_pipeline.records import Video
from extract.decoding.decode import Job, Opened, PreparedFrame, decode
from extract.streams import Intake, plan_steps

NUM_FRAMES, FPS = 30, 10.0


def brighter(frame: np.ndarray, *, by: int) -> np.ndarray:
    return frame[:1, :1] + np.uint8(by)


def intake(rate_fps: float, frames_per_step: int, *, by: int) -> Intake:
    plan = partial(plan_steps, rate_fps=rate_fps, frames_per_step=frames_per_step, rest="padded")
    return Intake(plan, partial(brighter, by=by))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a video as pictures: frame i is of brightness i."""
    folder = tmp_path_factory.mktemp("decode") / "v"
    folder.mkdir()
    for number in range(NUM_FRAMES):
        Image.new("RGB", (8, 6), (number, number, number)).save(folder / f"{number:03d}.png")
    return folder


def decoded(video: Video, *intakes: Intake) -> tuple[Opened, list[PreparedFrame]]:
    opened, *frames = decode(Job(video, intakes, "auto"))
    return opened, frames


INTAKES = st.lists(
    st.tuples(st.sampled_from([0.5, 1.0, 3.0, 5.0, 10.0, 17.0]), st.integers(1, 8)), min_size=1, max_size=4
)


@given(INTAKES, st.integers(0, 20), st.integers(1, 10))
def test_each_stream_gets_its_frames_once_in_order_and_prepared_for_itself(folder, intakes, start, length):
    video = Video("v", folder, fps=FPS, start_frame=start, stop_frame=start + length)
    wanted = [intake(rate, per_step, by=100 + at) for at, (rate, per_step) in enumerate(intakes)]
    opened, frames = decoded(video, *wanted)
    assert [frame.frame_index for frame in frames] == sorted({frame.frame_index for frame in frames})
    for at, steps in enumerate(opened.steps):
        got = {frame.frame_index: frame.prepared[at] for frame in frames if at in frame.prepared}
        assert list(got) == np.unique(steps.frame_index).tolist()
        for index, prepared in got.items():
            assert prepared.shape == (1, 1, 3)
            assert prepared.ravel().tolist() == [start + index + 100 + at] * 3
    assert all(frame.prepared for frame in frames), "no frame is decoded for nobody"
    assert (opened.num_frames, opened.duration_seconds) == (length, pytest.approx(length / FPS))


def test_the_first_message_says_what_the_video_is_and_what_it_was_made_from(folder):
    opened, frames = decoded(Video("v", folder, fps=FPS, start_frame=5, stop_frame=25), intake(1.0, 1, by=0))
    footage = opened.footage
    assert (footage.width, footage.height, footage.num_frames) == (8, 6, NUM_FRAMES)
    assert (footage.start_frame, footage.stop_frame, footage.fps) == (5, 25, pytest.approx(FPS))
    assert (opened.source.start_frame, opened.source.stop_frame, opened.source.fps) == (5, 25, FPS)
    assert opened.source.size == sum(path.stat().st_size for path in folder.iterdir())
    assert sum(frame.num_bytes for frame in frames) == 3 * len(frames)


def test_a_video_that_is_none_fails_before_any_frame(tmp_path, folder):
    (tmp_path / "a.mp4").write_bytes(b"\0" * 1000)
    bad = [
        (Video("a", tmp_path / "a.mp4"), r"a\.mp4"),
        (Video("b", tmp_path / "absent.mp4"), r"absent\.mp4"),
        (Video("v", folder), "a folder of pictures needs a frame rate"),
        (Video("v", folder, fps=FPS, start_frame=25, stop_frame=31), r"frames \[25, 31\) were asked for"),
    ]
    for video, message in bad:
        with pytest.raises(VideoError, match=message):
            next(iter(decode(Job(video, (intake(1.0, 1, by=0),), "auto"))))


def test_a_picture_of_another_size_fails_where_it_is_and_the_frames_before_are_given(tmp_path):
    for number in range(6):
        Image.new("RGB", (8, 6) if number != 4 else (9, 6)).save(tmp_path / f"{number}.png")
    job = Job(Video("v", tmp_path, fps=FPS), (intake(10.0, 1, by=0),), "auto")
    given_frames = []
    with pytest.raises(VideoError, match=r"4\.png: 9x6 pixels, but the first picture has 8x6"):
        given_frames.extend(decode(job))
    assert [frame.frame_index for frame in given_frames[1:]] == [0, 1, 2, 3]
