"""Memory does not grow with the length of a video; readers work in threads, side by side."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from aqa_pipeline.records import Video
from aqa_pipeline.video import open_video, source_digest
from aqa_pipeline.video.liveness import heard_by

# Peak resident memory of a fresh interpreter, in MiB; the packages are loaded before the first look.
MEASURE = """
import sys
from pathlib import Path
import av, numpy
from aqa_pipeline.records import Video
from aqa_pipeline.video import open_video, sample_by_time, source_digest
path, rate = Path(sys.argv[1]), float(sys.argv[2])
with open_video(Video("v", path), reader="pyav") as opened:
    index = numpy.unique(sample_by_time(opened.timeline, rate).frame_index)
    num_read = sum(1 for _ in opened.frames(index))
source_digest(path)
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(num_read, int(status["VmHWM"].split()[0]) / 1024)  # ru_maxrss would tell of the starting process too
"""
# 3,000 pictures of 160x120 are 165 MiB, their timestamps and packets' facts 0.2 MiB. What differs between
# two runs of one program (allocator, page cache) stays well below this.
MARGIN_MIB = 20


def peak_memory(path, rate):
    run = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path), str(rate)], capture_output=True, text=True, check=True
    )
    num_read, mebibytes = run.stdout.split()
    return int(num_read), float(mebibytes)


@pytest.mark.parametrize("suffix", [".mp4", ".ts"])
def test_ten_times_the_length_costs_no_more_memory(videos, suffix):
    options = {"preset": "ultrafast", "x264-params": "keyint=100:scenecut=0:bframes=2"}
    short = videos.encode(f"short{suffix}", suffix=suffix, num_frames=300, options=options)
    long = videos.encode(f"long{suffix}", suffix=suffix, num_frames=3000, options=options)
    for rate in (25, 5):
        num_short, memory_short = peak_memory(short.path, rate)
        num_long, memory_long = peak_memory(long.path, rate)
        assert (num_short, num_long) == (12 * rate, 120 * rate)
        assert memory_long < memory_short + MARGIN_MIB


def test_threads_read_different_videos_at_once(videos, decode_all):
    names = ["closed_gop.mp4", "open_gop.mp4", "vp9.webm", "xvid.avi", "transport.ts", "hevc_closed.mp4"]

    def read(name):
        with open_video(Video("v", videos[name].path)) as opened:
            return [picture for _, picture in opened.frames(range(opened.timeline.num_frames))]

    for name in names:
        assert videos[name]
    with ThreadPoolExecutor(max_workers=4) as pool:
        for name, pictures in zip(names, pool.map(read, names), strict=True):
            assert np.array_equal(pictures, decode_all(videos[name].path)), name


def test_one_open_video_serves_several_passes(videos, read_number):
    with open_video(Video("v", videos["closed_gop.mp4"].path)) as opened:
        first, second = opened.frames(range(0, 60, 7)), opened.frames(range(0, 60, 7))
        for (index, a), (same, b) in zip(first, second, strict=True):
            assert index == same == read_number(a) == read_number(b)


def test_pictures_may_be_kept(videos, read_number):
    """A picture handed out is not overwritten by the next one."""
    for name in ("closed_gop.mp4", "vp9_odd.webm", "turned_90.mp4", "transport.ts"):
        with open_video(Video("v", videos[name].path)) as opened:
            kept = [picture for _, picture in opened.frames(range(60))]
        assert [read_number(picture) for picture in kept] == list(range(60))


def test_neither_decord_nor_torch_is_loaded_before_it_is_used():
    code = "import sys, aqa_pipeline.video; print([m for m in ('decord', 'torch', 'av') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["closed_gop.mp4", "transport.ts"])
def test_every_packet_and_every_piece_of_the_file_is_a_sign_of_life(videos, tmp_path, name):
    path = tmp_path / name  # a file that no test has scanned before
    path.write_bytes(videos[name].path.read_bytes())
    signs = []
    with heard_by(lambda: signs.append("sign")), open_video(Video("v", path), reader="pyav") as opened:
        num_frames = opened.timeline.num_frames
        at_opening = len(signs)
        list(opened.frames(range(num_frames)))
    assert at_opening >= num_frames
    assert len(signs) >= at_opening + num_frames
    num_signs = len(signs)
    with heard_by(lambda: signs.append("sign")):
        source_digest(path)
    assert len(signs) > num_signs
    source_digest(path)
    assert len(signs) == num_signs + 1, "heard within the block alone"


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="asks the scheduler of Linux")
def test_the_making_of_test_videos_makes_no_real_time_process_of_this_one(videos):
    before = os.sched_getscheduler(0)
    videos.encode("real_time.mp4", codec="libsvtav1", options={"preset": "8"}, num_frames=5)
    assert os.sched_getscheduler(0) == before
