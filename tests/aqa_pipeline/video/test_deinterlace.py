"""Interlaced files: whole pictures, the same wherever reading begins; progressive frames stay as they are."""

from contextlib import suppress
from fractions import Fraction

import av
import numpy as np
import pytest
from av.filter import Graph

from aqa_pipeline.errors import VideoError
from aqa_pipeline.records import Video
from aqa_pipeline.video import open_video, probe
from aqa_pipeline.video.readers import pyav_reader

pytestmark = pytest.mark.xdist_group("deinterlace")  # one worker encodes the videos for all of them

WIDTH, HEIGHT, NUM_FRAMES = 128, 96, 36
STEP = 6  # pixels that the bar moves from field to field


def field(moment, *, scale=1):
    """(H, W, 3) a bright bar on a slope of gray, at a moment counted in fields."""
    picture = np.repeat(np.linspace(20, 120, HEIGHT * scale)[:, None], WIDTH * scale, axis=1)
    left = (moment * STEP) % (WIDTH - 24) * scale
    picture[:, left : left + 24 * scale] = 220
    return np.repeat(picture[..., None], 3, axis=2).astype(np.uint8)


def woven(number, *, top_first=True, scale=1):
    """Weave the lines of two moments into one frame."""
    picture, later = field(2 * number, scale=scale), field(2 * number + 1, scale=scale)
    picture[1 if top_first else 0 :: 2] = later[1 if top_first else 0 :: 2]
    return picture


KINDS = {
    "h264_top.mp4": (
        "libx264",
        "yuv420p",
        {"x264-params": "tff=1:keyint=12:scenecut=0:bframes=2", "qp": "8"},
    ),
    "h264_bottom.mkv": ("libx264", "yuv420p", {"x264-params": "bff=1:keyint=12:scenecut=0", "qp": "8"}),
    "mpeg2.ts": ("mpeg2video", "yuv420p", {"flags": "+ildct+ilme", "qscale": "2", "g": "12", "bf": "2"}),
    "prores.mov": ("prores_ks", "yuv422p10le", {"flags": "+ildct"}),
    "mpeg4.avi": ("mpeg4", "yuv420p", {"flags": "+ildct+ilme", "qscale": "2", "g": "12"}),
}


def flagged(pictures, order):
    """Frames that say which field comes first: tff, bff, or prog for progressive ones."""
    graph = Graph()
    height, width = pictures[0].shape[:2]
    source = graph.add("buffer", f"video_size={width}x{height}:pix_fmt=rgb24:time_base=1/25")
    graph.link_nodes(source, graph.add("setfield", order), graph.add("buffersink")).configure()
    for number, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = number, Fraction(1, 25)
        graph.push(frame)
        yield graph.pull()


def encode(path, codec, pixels, options, pictures, *, order="tff"):
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pixels
        for frame in flagged(pictures, order):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def interlaced(tmp_path_factory):
    folder, made = tmp_path_factory.mktemp("interlaced"), {}

    def make(name):
        if name not in made:
            order = "bff" if "bottom" in name else "tff"
            pictures = [woven(number, top_first=order == "tff") for number in range(NUM_FRAMES)]
            made[name] = encode(folder / name, *KINDS[name], pictures, order=order)
        return made[name]

    return make


def read(path, indices=None, **window):
    with open_video(Video("v", path, **window), reader="pyav") as opened:
        indices = range(opened.timeline.num_frames) if indices is None else indices
        return np.stack([picture for _, picture in opened.frames(indices)]), opened


def decoded(path):
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def by_bwdif(frames):
    """One graph over all frames of a file, as `ffmpeg -vf bwdif=send_frame:auto:interlaced` builds it."""
    graph, first, done = Graph(), frames[0], []
    source = graph.add(
        "buffer", f"video_size={first.width}x{first.height}:pix_fmt={first.format.name}:time_base=1/25"
    )
    graph.link_nodes(source, graph.add("bwdif", "0:-1:1"), graph.add("buffersink")).configure()
    for frame in [*frames, None]:
        graph.push(frame)
        with suppress(av.error.BlockingIOError, av.error.EOFError):
            while True:
                done.append(graph.pull().to_ndarray(format="rgb24"))
    return np.stack(done)


def combing(pictures):
    """How much neighbor lines differ more than lines two apart."""
    lines = pictures.astype(int)
    return np.abs(np.diff(lines, axis=1)).mean() - np.abs(lines[:, 2:] - lines[:, :-2]).mean() / 2


@pytest.mark.parametrize("name", KINDS)
def test_frames_are_deinterlaced_as_ffmpeg_does_it(interlaced, name):
    path = interlaced(name)
    frames = decoded(path)
    assert all(frame.interlaced_frame for frame in frames)
    pictures, opened = read(path)
    assert opened.picture == probe(path).picture == {"deinterlaced": "bwdif"}
    assert opened.timeline.num_frames == len(frames) == NUM_FRAMES
    np.testing.assert_allclose(opened.timeline.pts_seconds, np.arange(NUM_FRAMES) / 25, atol=1e-3)
    np.testing.assert_array_equal(pictures, by_bwdif(frames))
    raw = np.stack([frame.to_ndarray(format="rgb24") for frame in frames])
    assert combing(raw) > 5
    assert combing(pictures) < 1


@pytest.mark.parametrize("name", KINDS)
def test_wherever_reading_begins_the_picture_is_the_same(interlaced, name):
    path = interlaced(name)
    expected = by_bwdif(decoded(path))
    for indices in ([0], [NUM_FRAMES - 1], [3, 4, 20], [5, 7, 9], range(1, NUM_FRAMES, 5)):
        np.testing.assert_array_equal(read(path, indices)[0], expected[list(indices)])
    for start, stop in [(0, 1), (11, 14), (13, 25), (NUM_FRAMES - 1, NUM_FRAMES)]:
        pictures, _ = read(path, start_frame=start, stop_frame=stop)
        np.testing.assert_array_equal(pictures, expected[start:stop])


@pytest.mark.parametrize("name", KINDS)
def test_each_picture_shows_the_moment_of_its_first_field(interlaced, name):
    pictures, _ = read(interlaced(name))
    off = np.array(
        [
            [np.abs(pictures[number].astype(int) - field(2 * number + late)).mean() for late in (-1, 0, 1)]
            for number in range(1, NUM_FRAMES - 1)
        ]
    )
    assert np.all(off.argmin(axis=1) == 1)
    assert np.median(off[:, 1]) < 0.5 * np.median(off[:, [0, 2]])


def test_a_window_begins_to_decode_near_its_start(interlaced, monkeypatch):
    seen, frame_tick = [], pyav_reader.frame_tick
    monkeypatch.setattr(pyav_reader, "frame_tick", lambda frame: seen.append(frame.pts) or frame_tick(frame))
    _, opened = read(interlaced("h264_top.mp4"), start_frame=30, stop_frame=33)
    with open_video(Video("v", interlaced("h264_top.mp4"))) as whole:
        assert min(seen) >= whole.timeline.pts[24]
    assert opened.picture


def test_a_recording_that_becomes_interlaced_midway(interlaced, tmp_path):
    """Its first frames stay bit for bit, and what is said of a window is said of its own frames."""
    codec, pixels, options = KINDS["mpeg2.ts"]
    pictures = [field(2 * number) for number in range(20)]
    plain = encode(tmp_path / "plain.ts", codec, pixels, options | {"flags": "0"}, pictures, order="prog")
    path = tmp_path / "joined.ts"
    path.write_bytes(plain.read_bytes() + interlaced("mpeg2.ts").read_bytes())
    frames = decoded(path)
    flags = [bool(frame.interlaced_frame) for frame in frames]
    assert flags == [False] * 20 + [True] * NUM_FRAMES
    pictures, opened = read(path)
    assert opened.picture == {"deinterlaced": "bwdif"}
    raw = np.stack([frame.to_ndarray(format="rgb24") for frame in frames])
    np.testing.assert_array_equal(pictures[:20], raw[:20])
    np.testing.assert_array_equal(pictures, by_bwdif(frames))
    start, opened = read(path, stop_frame=18)
    assert opened.picture == {}
    np.testing.assert_array_equal(start, raw[:18])


def test_a_change_of_size_midway(interlaced, tmp_path):
    """Two graphs, one for each size: as many pictures as frames, all of the first size."""
    large = encode(
        tmp_path / "large.ts", *KINDS["mpeg2.ts"], [woven(number, scale=2) for number in range(12)]
    )
    path = tmp_path / "sizes.ts"
    path.write_bytes(interlaced("mpeg2.ts").read_bytes() + large.read_bytes())
    pictures, _ = read(path)
    frames = decoded(path)
    small = [frame for frame in frames if frame.width == WIDTH]
    assert 10 < len(frames) - len(small) <= 12
    assert pictures.shape == (len(frames), HEIGHT, WIDTH, 3)
    np.testing.assert_array_equal(pictures[: len(small)], by_bwdif(small))
    assert combing(pictures[len(small) :]) < 1


def test_an_ordinary_video_never_meets_the_deinterlacer(videos, monkeypatch):
    def never(*arguments, **options):
        raise AssertionError("a progressive frame was sent to the deinterlacer")

    monkeypatch.setattr(pyav_reader, "deinterlaced", never)
    monkeypatch.setattr(pyav_reader, "to_bt709", never)
    for name in ("closed_gop.mp4", "vp9.webm", "mpeg2.ts", "h264_10_bit.mp4", "turned_90.mp4"):
        assert read(videos[name].path)[1].picture == {}


def test_decord_is_refused(interlaced):
    pytest.importorskip("decord")
    with pytest.raises(VideoError, match="the pictures must be deinterlaced by bwdif"):
        open_video(Video("v", interlaced("h264_top.mp4")), reader="decord")


def test_a_real_interlaced_video(shared):
    path = shared / "cases" / "interlaced.mp4"
    if not path.exists():
        pytest.skip(f"no {path}")
    frames = decoded(path)
    pictures, opened = read(path, range(10))
    assert opened.picture == {"deinterlaced": "bwdif"}
    assert opened.timeline.num_frames == len(frames) == 75
    raw = np.stack([frame.to_ndarray(format="rgb24") for frame in frames[:10]])
    assert combing(raw) > 3 * combing(pictures)
    np.testing.assert_array_equal(pictures, by_bwdif(frames[:11])[:10])
