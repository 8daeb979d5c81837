"""What is wrong with a file is said in words, and frames before the damage are still to be had."""

import logging
import os
import re
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
from aqa_pipeline.video import container, open_video, packets, probe, sample_by_time


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


def read_until_it_fails(video, read_number, **options):
    """Return the numbers of the pictures that came, and the error then (nothing if all came)."""
    opened, numbers = open_video(video, **options), []
    try:
        for _, picture in opened.frames(range(opened.timeline.num_frames)):
            numbers.append(read_number(picture))
    except VideoError as error:
        return numbers, str(error)
    return numbers, ""


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


@pytest.fixture(params=[0.4, 0.6, 0.9])
def truncated(whole, request, tmp_path):
    path = tmp_path / "truncated.mp4"
    data = whole.path.read_bytes()
    path.write_bytes(data[: int(len(data) * request.param)])
    return path


class TestTruncated:
    @pytest.mark.parametrize("reader", ["auto", "pyav"])
    def test_good_frames_come_first_then_where_it_stops(self, truncated, whole, read_number, reader):
        opened = open_video(Video("v", truncated), reader=reader)
        total = opened.timeline.num_frames
        assert 10 < total < 100
        numbers, error = read_until_it_fails(Video("v", truncated), read_number, reader=reader)
        assert numbers == whole.numbers[:total]
        assert f"ends after frame {total} at {total / 25:.2f} s" in error
        assert "Download or copy the file again, or re-encode" in error
        assert opened.damage == error

    def test_sparse_samples_fail_too(self, truncated):
        opened = open_video(Video("v", truncated))
        with pytest.raises(VideoError, match="ends after frame"):
            list(opened.frames(np.unique(sample_by_time(opened.timeline, 1).frame_index)))

    def test_a_performance_before_the_damage_is_whole(self, truncated, read_number):
        opened = open_video(Video("v", truncated, start_frame=3, stop_frame=9))
        assert opened.damage is None
        assert [read_number(picture) for _, picture in opened.frames(range(6))] == [3, 4, 5, 6, 7, 8]

    def test_a_performance_behind_the_damage_names_it(self, truncated):
        with pytest.raises(VideoError, match=r"frames \[95, 99\) were asked for.* damaged: .*ends after"):
            open_video(Video("v", truncated, start_frame=95, stop_frame=99))

    def test_probe_sees_it_in_the_index(self, truncated):
        with pytest.raises(
            VideoError, match=r"the file is cut off: its index needs \d+ bytes, but it has \d+"
        ):
            probe(truncated)


@pytest.mark.parametrize("packet_index", range(50, 56))
def test_cut_off_between_two_packets(whole, tmp_path, read_number, packet_index):
    """Nothing is torn here, but a frame to be shown between the last ones may be missing."""
    path = tmp_path / "clean.mp4"
    with av.open(str(whole.path)) as file:
        packet = [packet for packet in file.demux(video=0) if packet.size][packet_index]
        path.write_bytes(whole.path.read_bytes()[: packet.pos])
    numbers, error = read_until_it_fails(Video("v", path), read_number)
    assert f"it has only {packet_index} of 100 stored frames" in error
    assert packet_index - 5 < len(numbers) <= packet_index
    assert numbers == whole.numbers[: len(numbers)]


@pytest.mark.parametrize("packet_index", [1, 2])
def test_cut_off_before_the_first_frame_is_whole(whole, tmp_path, packet_index):
    path = tmp_path / "start.mp4"
    with av.open(str(whole.path)) as file:
        packet = [packet for packet in file.demux(video=0) if packet.size][packet_index]
        path.write_bytes(whole.path.read_bytes()[: packet.pos])
    with pytest.raises(VideoError, match=r"start\.mp4: damaged before the end of its first frame"):
        open_video(Video("v", path))


@pytest.mark.parametrize("part", [0.6, 0.67, 0.74, 0.81])
@pytest.mark.parametrize("name", ["xvid.avi", "vp9.webm", "matroska.mkv"])
def test_other_containers_cut_off(videos, name, part, tmp_path, read_number):
    video = videos[name]
    path = tmp_path / name
    data = video.path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    numbers, error = read_until_it_fails(Video("v", path), read_number)
    assert re.search(rf"{name}: ends after frame {len(numbers)} at", error)
    assert 5 < len(numbers) < len(video.numbers)
    assert numbers == video.numbers[: len(numbers)]


@pytest.mark.parametrize("reader", ["pyav", "decord"])
def test_a_damaged_packet_inside(whole, tmp_path, read_number, reader, caplog):
    if reader == "decord":
        pytest.importorskip("decord")
    with av.open(str(whole.path)) as file:
        packet = [packet for packet in file.demux(video=0) if packet.size][50]
        start, stop = packet.pos, packet.pos + packet.size
    data = bytearray(whole.path.read_bytes())
    data[start:stop] = bytes(stop - start)
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data)
    with caplog.at_level(logging.WARNING):
        numbers, error = read_until_it_fails(Video("v", path), read_number, reader=reader)
    assert re.search(r"decoding fails at 1\.\d\d s \(frame 4\d of 100\)", error)
    assert len(numbers) >= 40
    assert numbers == whole.numbers[: len(numbers)]
    assert ("decord gives up" in caplog.text) == (reader == "decord")


def test_a_file_that_changes_under_the_reader_is_noticed(videos, tmp_path):
    path = tmp_path / "video.ts"
    path.write_bytes(videos["transport.ts"].path.read_bytes())
    opened = open_video(Video("v", path))
    path.write_bytes(videos["mpeg2.ts"].path.read_bytes()[: 188 * 40])
    with pytest.raises(VideoError, match=r"decoding fails at \d\.\d\d s \(frame \d+ of 60\)"):
        list(opened.frames([58]))


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


def test_nothing_is_printed_by_ffmpeg(videos, truncated, capfd):
    for path in (truncated, videos["begun_late.ts"].path, videos["open_cut.mkv"].path):
        opened = open_video(Video("v", path))
        frames = opened.frames(range(opened.timeline.num_frames))
        for _ in range(opened.timeline.num_frames):
            next(frames)
    list(open_video(Video("v", videos["closed_gop.mp4"].path)).frames(range(60)))
    os.sync()
    assert capfd.readouterr() == ("", "")


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
