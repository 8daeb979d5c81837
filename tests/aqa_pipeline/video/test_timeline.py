"""Timestamps as decoders deliver them, made into a timeline; packets read without decoding."""

from fractions import Fraction

import av
import numpy as np
import pytest

from aqa_pipeline.video.packets import NO_TICK, nal_length_bytes, nal_types
from aqa_pipeline.video.timeline import as_timeline, increasing_ticks, scan_video


@pytest.mark.parametrize(
    ("delivered", "expected"),
    [
        ([0, 10, 20], [0, 10, 20]),
        ([0, 10, 10, 20], [0, 10, 11, 20]),  # a repeated time
        ([0, 10, 7, 20], [0, 10, 11, 20]),  # a small step back
        ([0, NO_TICK, NO_TICK, 30], [0, 10, 20, 30]),  # missing
        ([NO_TICK, NO_TICK], [0, 10]),
        ([500, 510, 0, 10, 20], [500, 510, 520, 530, 540]),  # a new clock goes on
        ([500, 510, 0, 10, 0], [500, 510, 520, 530, 531]),
    ],
)
def test_ticks_are_made_increasing_without_losing_a_frame(delivered, expected):
    ticks = increasing_ticks(np.array(delivered, dtype=np.int64), step=10, clock_jump=100)
    assert ticks.tolist() == expected


@pytest.mark.parametrize(
    ("delivered", "last_duration", "end"),
    [([0, 512], 500, 1012), ([0, 512], 0, 1024), ([0, 512], None, 1024), ([7], 0, 7 + 512), ([7], 3, 10)],
)
def test_the_last_frame_lasts_as_long_as_is_known(delivered, last_duration, end):
    timeline = as_timeline(
        np.array(delivered), last_duration=last_duration, time_base=Fraction(1, 12800), fps=Fraction(25)
    )
    assert timeline.end == end


def test_packets_tell_what_decoding_delivers(videos, video_name):
    """Where a scan trusts the packets, a decode gives those frames with those times and no others."""
    video = videos[video_name]
    scan = scan_video(video.path)
    with av.open(str(video.path)) as container:
        decoded = [frame.pts for frame in container.decode(container.streams.best("video"))]
    assert scan.delivered.tolist() == decoded
    assert scan.damage is None
    if scan.by_pts:
        assert set(scan.restart_frames) <= set(range(len(decoded)))


def test_decoding_may_begin_at_every_restart(videos, video_name, decode_all):
    """From each restart on, a fresh decoder gives every later frame exactly."""
    video = videos[video_name]
    scan = scan_video(video.path)
    if not scan.by_pts:
        assert scan.decord_doubt is not None
        return
    expected = decode_all(video.path)
    for frame in scan.restart_frames.tolist():
        start = int(scan.delivered[frame])
        with av.open(str(video.path)) as container:
            stream = container.streams.best("video")
            pictures, begun = {}, False
            for packet in container.demux(stream):
                begun = begun or packet.pts == start
                if begun:
                    for decoded in packet.decode():
                        pictures[decoded.pts] = decoded.to_ndarray(format="rgb24")
        for index in range(frame, len(expected)):
            np.testing.assert_array_equal(pictures[int(scan.delivered[index])], expected[index])


def test_recovery_points_are_no_restarts(videos):
    """All these files have a packet marked "key" every 20 frames."""
    restarts = {name: set(scan_video(videos[name].path).restart_frames.tolist()) for name in videos.names[:7]}
    assert {0, 20, 40} <= restarts["closed_gop.mp4"]
    assert restarts["open_gop.mp4"] == {0}
    assert not {20, 40, 60} & restarts["intra_refresh.mp4"]


def test_nal_units_are_read_by_their_length():
    data = bytes([0, 0, 0, 2, 0x06, 0xFF, 0, 0, 0, 1, 0x65])  # SEI (6), IDR slice (5)
    assert nal_types("h264", data, 4) == {6, 5}
    assert nal_types("hevc", bytes([0, 2, 21 << 1, 0]), 2) == {21}
    assert nal_types("h264", bytes([0xFF, 0xFF, 0xFF, 0xFF, 0x65]), 4) == {5}  # a length beyond the packet
    assert nal_length_bytes("h264", bytes([1, 100, 0, 31, 0xFF])) == 4
    assert nal_length_bytes("h264", bytes([0, 0, 0, 1, 0x67])) == 0  # start codes instead
    assert nal_length_bytes("vp9", None) == 0


def test_a_changed_file_is_scanned_again(videos, tmp_path):
    path = tmp_path / "video.mp4"
    path.write_bytes(videos["two_frames.mp4"].path.read_bytes())
    assert scan_video(path).timeline.num_frames == 2
    assert scan_video(path) is scan_video(path)
    path.write_bytes(videos["closed_gop.mp4"].path.read_bytes())
    assert scan_video(path).timeline.num_frames == 60
