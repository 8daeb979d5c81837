"""What is wrong with a file is said in words, and frames before the damage are still to be had."""

import struct
import subprocess
import sys
import zlib
from fractions import Fraction
from importlib.abc import MetaPathFinder

import av
import numpy as np
import pytest

from aqa_pipeline.errors import UnknownName, VideoError
from aqa_pipeline.records import Video
from aqa_pipeline.video import container, open_video, packets, probe


def write_sound(path, *, cover=False):
    with av.open(str(path), "w") as file:
        stream = file.add_stream("aac", rate=16000, layout="mono")
        art = None
        if cover:
            art = file.add_stream("mjpeg", rate=1, options={})
            art.width, art.height, art.pix_fmt = 64, 64, "yuvj420p"
            art.disposition = av.stream.Disposition.attached_pic
            file.mux(art.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")))
        for start in range(0, 16384, 1024):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.int16), format="s16", layout="mono")
            frame.sample_rate, frame.pts = 16000, start
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
        if art is not None:
            file.mux(art.encode(None))


@pytest.mark.parametrize("ask", [lambda path: open_video(Video("v", path)), probe], ids=["open", "probe"])
class TestNoVideo:
    def test_missing(self, ask, tmp_path):
        with pytest.raises(VideoError, match=r"gone\.mp4: no such video file"):
            ask(tmp_path / "gone.mp4")

    def test_empty(self, ask, tmp_path):
        (tmp_path / "empty.mp4").touch()
        with pytest.raises(VideoError, match=r"empty\.mp4: the file is empty"):
            ask(tmp_path / "empty.mp4")

    @pytest.mark.parametrize("text", ["hello\n" * 1000, "x", "#EXTM3U\n#EXTINF:1,\n/etc/hostname\n"])
    def test_text_named_mp4(self, ask, tmp_path, text):
        (tmp_path / "text.mp4").write_text(text)
        with pytest.raises(VideoError, match=r"text\.mp4: (cannot be read as video|has no moving pictures)"):
            ask(tmp_path / "text.mp4")

    def test_mp4_without_its_index(self, ask, videos, tmp_path):
        whole = videos["closed_gop.mp4"].path.read_bytes()
        (tmp_path / "cut.mp4").write_bytes(whole[: whole.rindex(b"moov")])
        with pytest.raises(VideoError, match="index is missing"):
            ask(tmp_path / "cut.mp4")

    def test_audio_only(self, ask, tmp_path):
        write_sound(tmp_path / "sound.mp4")
        with pytest.raises(VideoError, match="has no moving pictures, only audio"):
            ask(tmp_path / "sound.mp4")

    def test_audio_with_cover_art(self, ask, tmp_path):
        write_sound(tmp_path / "sound.mp4", cover=True)
        with pytest.raises(VideoError, match="has no moving pictures, only audio, video"):
            ask(tmp_path / "sound.mp4")

    def test_absurd_size(self, ask, tmp_path):
        with av.open(str(tmp_path / "wide.mkv"), "w") as file:
            stream = file.add_stream("mjpeg", rate=25, options={})
            stream.width, stream.height, stream.pix_fmt = 16400, 16, "yuvj420p"
            file.mux(stream.encode(av.VideoFrame(16400, 16, "yuvj420p")))
            file.mux(stream.encode(None))
        with pytest.raises(VideoError, match="pictures of 16400x16 are refused: at most 16384"):
            ask(tmp_path / "wide.mkv")


def png(width, height):
    """Write a black gray-scale picture: 110 million pixels are 107 kB."""

    def chunk(kind, content):
        crc = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(height * (width + 1)))
    chunks = chunk(b"IHDR", header), chunk(b"IDAT", pixels), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def write_pictures(path, pictures):
    """Pictures as they are into a file whose header says 64x48."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("png", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "gray"
        for index, picture in enumerate(pictures):
            packet = av.Packet(picture)
            packet.stream, packet.is_keyframe = stream, True
            packet.pts = packet.dts = index
            packet.duration, packet.time_base = 1, Fraction(1, 10)
            file.mux(packet)


PEAK = """
import sys
from pathlib import Path
import av, numpy
from aqa_pipeline.errors import VideoError
from aqa_pipeline.records import Video
from aqa_pipeline.video import open_video
try:
    with open_video(Video("v", Path(sys.argv[1]))) as opened:
        frames = sum(1 for _ in opened.frames(range(opened.timeline.num_frames)))
except VideoError as error:
    print(error)
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(int(status["VmHWM"].split()[0]) // 1024)  # ru_maxrss would also tell of the process that started this
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read from /proc")
@pytest.mark.parametrize("num_small", [0, 20])
def test_a_decompression_bomb_is_refused_before_it_is_unpacked(tmp_path, num_small):
    """Small by its header; the pictures are not, from the first one on or only later."""
    write_pictures(tmp_path / "bomb.mov", [png(64, 48)] * num_small + [png(11_000, 10_000)] * 3)
    command = [sys.executable, "-c", PEAK, str(tmp_path / "bomb.mov")]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    said, peak_mebibytes = run.stdout.rstrip().rsplit("\n", 1)
    assert said.startswith(str(tmp_path / "bomb.mov"))
    assert ("more than 100 million pixels" in said) == (num_small == 0)
    assert int(peak_mebibytes) < 105 + 90  # a picture alone is 105 MiB


def test_an_index_that_claims_packets_without_end(videos, monkeypatch):
    monkeypatch.setattr(packets, "MAX_NUM_PACKETS", 50)
    with pytest.raises(VideoError, match=r"closed_gop\.mp4: more than 50 packets of video are refused"):
        probe_packets(videos["closed_gop.mp4"].path)


def probe_packets(path):
    with container.open_container(path) as opened:
        return packets.read_packets(opened, container.video_stream(opened, path))


@pytest.mark.parametrize(("width", "height"), [(16384, 16384), (100_000, 2), (2, 100_000)])
def test_sizes_that_only_damaged_headers_claim(tmp_path, width, height):
    with pytest.raises(VideoError, match="are refused"):
        container.check_size(tmp_path, width=width, height=height)
    container.check_size(tmp_path, width=7680, height=4320)


def test_no_size(tmp_path):
    with pytest.raises(VideoError, match=r"gives no picture size \(0x10\)"):
        container.check_size(tmp_path, width=0, height=10)


@pytest.fixture(scope="module")
def whole(videos):
    """100 frames, the index in front as in a download."""
    return videos.encode("faststart.mp4", num_frames=100, container={"movflags": "faststart"})


def test_a_window_beyond_the_end(videos):
    with pytest.raises(VideoError, match=r"closed_gop\.mp4: frames \[50, 61\) .* there are 60 frames"):
        open_video(Video("v", videos["closed_gop.mp4"].path, start_frame=50, stop_frame=61))
    with pytest.raises(VideoError, match=r"frames \[60, end\) .* there are 60 frames"):
        open_video(Video("v", videos["closed_gop.mp4"].path, start_frame=60))


def test_an_unknown_reader(videos):
    with pytest.raises(
        UnknownName, match=r"unknown video reader 'decrod'\. Did you mean 'decord'.*auto, decord, pyav"
    ):
        open_video(Video("v", videos["closed_gop.mp4"].path), reader="decrod")


class _Broken(MetaPathFinder):
    """An installation of decord that lies on the disk and cannot be imported."""

    def find_spec(self, name, path, target=None):
        if name == "decord":
            raise OSError("libdecord.so: cannot open shared object file")


def test_decord_asked_for_but_not_installed(videos, monkeypatch):
    monkeypatch.setitem(sys.modules, "decord", None)
    video = Video("v", videos["closed_gop.mp4"].path)
    with pytest.raises(
        VideoError, match=r"decord is not installed \(pip install .*decord.*leave out --reader"
    ):
        open_video(video, reader="decord")
    assert open_video(video).reader == "pyav"


def test_a_broken_decord_fails_who_asks_for_it_and_nobody_else(videos, monkeypatch):
    monkeypatch.delitem(sys.modules, "decord", raising=False)
    monkeypatch.setattr(sys, "meta_path", [_Broken(), *sys.meta_path])
    video = Video("v", videos["closed_gop.mp4"].path)
    with pytest.raises(
        VideoError, match=r"decord cannot be imported \(libdecord\.so: cannot open.*leave out --reader"
    ):
        open_video(video, reader="decord")
    with open_video(video) as opened:
        assert len(list(opened.frames(range(60)))) == 60


@pytest.mark.parametrize("indices", [[3, 3], [3, 2], [-1, 0], [0, 60], [[0, 1]]])
def test_indices_must_increase_within_the_window(videos, indices):
    with (
        open_video(Video("v", videos["closed_gop.mp4"].path)) as opened,
        pytest.raises(ValueError, match="frame indices"),
    ):
        opened.frames(indices)


def test_a_closed_video_is_closed(videos):
    opened = open_video(Video("v", videos["closed_gop.mp4"].path))
    frames = opened.frames(range(60))
    next(frames)
    opened.close()
    assert list(frames) == []
    with pytest.raises(ValueError, match="closed"):
        opened.frames([0])


def test_no_frames_wanted_is_no_frames(videos):
    assert list(open_video(Video("v", videos["closed_gop.mp4"].path)).frames([])) == []


def test_a_stream_that_begins_midway_is_not_looked_for_at_the_end(videos):
    """What PyAV 18 does at the end of some transport streams; whether it does is up to stray memory."""
    with container.open_container(videos["transport.ts"].path) as opened:
        stream = container.video_stream(opened, videos["transport.ts"].path)
        whole = [packet.pts for packet in container.packets_of(opened, stream)]

    class Failing:
        def demux(self, stream):
            yield from whole
            raise IndexError("list index out of range")

    assert list(container.packets_of(Failing(), None)) == whole
    assert len(whole) > 60
