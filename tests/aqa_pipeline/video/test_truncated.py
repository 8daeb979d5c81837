"""Videos that are cut off or damaged inside: the frames before the damage, then where it is."""

import logging
import os
import re

import av
import numpy as np
import pytest

from aqa_pipeline.errors import VideoError
from aqa_pipeline.records import Video
from aqa_pipeline.video import open_video, probe, sample_by_time


def read_until_it_fails(video, read_number, **options):
    """Return the numbers of the pictures that came, and the error then (nothing if all came)."""
    opened, numbers = open_video(video, **options), []
    try:
        for _, picture in opened.frames(range(opened.timeline.num_frames)):
            numbers.append(read_number(picture))
    except VideoError as error:
        return numbers, str(error)
    return numbers, ""


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


def test_nothing_is_printed_by_ffmpeg(videos, truncated, capfd):
    for path in (truncated, videos["begun_late.ts"].path, videos["open_cut.mkv"].path):
        opened = open_video(Video("v", path))
        frames = opened.frames(range(opened.timeline.num_frames))
        for _ in range(opened.timeline.num_frames):
            next(frames)
    list(open_video(Video("v", videos["closed_gop.mp4"].path)).frames(range(60)))
    os.sync()
    assert capfd.readouterr() == ("", "")
