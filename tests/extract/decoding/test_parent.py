"""One decoding process gives what decoding here gives, and its death is explained."""

import logging
import os
import subprocess
import sys
import threading
from types import SimpleNamespace

import av
import numpy as np
import pytest

from aqa_pipeline.errors import VideoError
from aqa_pipeline.records import Video
from extract.decoding import parent as decoder_module
from extract.decoding.decode import Job, Opened, PreparedFrame, decode
from extract.decoding.parent import Decoder

MEMORY = 1024**3


@pytest.fixture
def decoder(harm):  # `harm` extends the search path, which a process gets when it starts
    decoder = Decoder(memory_bytes=MEMORY)
    yield decoder
    decoder.close()


def frames_until_it_fails(decoder, job):
    """Return the indices of the frames that came, and the error's message."""
    came = []
    with pytest.raises(VideoError) as failure:
        came.extend(item.frame_index for item in decoder.decode(job) if isinstance(item, PreparedFrame))
    return came, str(failure.value)


def is_there(pid):
    """Return whether that process still runs; a zombie does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_it_gives_what_decoding_here_gives(decoder, job, whole):
    one = job(whole)
    expected, given = list(decode(one)), list(decoder.decode(one))
    assert isinstance(given[0], Opened)
    assert given[0].source == expected[0].source
    np.testing.assert_array_equal(given[0].steps[0].frame_index, expected[0].steps[0].frame_index)
    assert [frame.frame_index for frame in given[1:]] == [frame.frame_index for frame in expected[1:]]
    for frame, same in zip(given[1:], expected[1:], strict=True):
        np.testing.assert_array_equal(frame.prepared[0], same.prepared[0])
        frame.prepared[0][0] = 0  # its memory is ours


def test_one_process_decodes_many_videos_and_imports_no_torch(decoder, job, whole, harm):
    import harm_in_a_decoder

    assert len(list(decoder.decode(job(whole, "first")))) == 41
    pid = decoder.pid
    with pytest.raises(VideoError, match="no such video"):
        list(decoder.decode(Job(Video("gone", job(whole, "x").video.path / "no"), (whole,), "auto")))
    assert decoder.usable
    looking = type(whole)(whole.plan, harm_in_a_decoder.modules)
    modules = list(decoder.decode(job(looking, "second")))[1].prepared[0].tolist()
    assert decoder.pid == pid
    assert "numpy" in modules
    assert not {"torch", "torchvision", "h5py"} & set(modules)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (
            "segfault",
            r"the decoder crashed after frame 4 \(signal 11, SIGSEGV\). Download or copy the file again",
        ),
        (
            "abort",
            r"the decoder crashed after frame 4 \(signal 6, SIGABRT\): free\(\): invalid pointer. Download",
        ),
        ("kill", r"the decoder was killed after frame 4 \(signal 9, SIGKILL\): is the memory full\?"),
        ("exit", r"the decoder ended after frame 4 \(exit code 7\). Download or copy the file again"),
    ],
)
def test_a_death_is_explained_with_its_signal_and_its_place(decoder, job, harm, kind, said):
    came, reason = frames_until_it_fails(decoder, job(harm(kind)))
    assert came == [0, 1, 2, 3, 4]
    assert reason.startswith(str(job(harm("print"), "b").video.path.parent / "a"))
    with pytest.raises(VideoError, match=said):
        raise VideoError(reason)
    assert not decoder.usable


def test_a_crash_before_the_first_frame(decoder, job, harm):
    assert (
        "crashed before its first frame (signal 11"
        in frames_until_it_fails(decoder, job(harm("segfault", number=0)))[1]
    )


def test_too_much_memory_is_one_reason_and_the_process_lives_on(decoder, job, harm, whole):
    came, reason = frames_until_it_fails(decoder, job(harm("allocate")))
    assert came == [0, 1, 2, 3, 4]
    assert "decoding takes more than the 1024 MiB that a decoder may take" in reason
    assert decoder.usable
    assert len(list(decoder.decode(job(whole, "b")))) == 41


def test_a_bug_is_named_and_its_traceback_logged(decoder, job, harm, caplog):
    assert frames_until_it_fails(decoder, job(harm("bug")))[1] == "ZeroDivisionError: division by zero"
    assert "harm_in_a_decoder.py" in caplog.text
    assert decoder.usable


def test_what_a_library_prints_does_not_get_between_the_frames(decoder, job, harm, capfd):
    assert len(list(decoder.decode(job(harm("print"))))) == 41
    assert capfd.readouterr() == ("", "")


def test_silence_is_ended(decoder, job, harm):
    items = decoder.decode(job(harm("hang")))
    for _ in range(6):
        next(items)
    decoder.stop_if_late(silence=0.0, total=None)
    assert decoder.usable is False
    assert decoder._process.poll() is None, "nobody was waiting for it"
    with pytest.raises(VideoError, match=r"stopped after frame 4: no sign of life for 0.1 s \(--timeout"):
        wait_and_stop(decoder, items, silence=0.1, total=None)


def test_the_time_for_one_video_may_be_limited(decoder, job, harm):
    items = decoder.decode(job(harm("hang")))
    for _ in range(6):
        next(items)
    with pytest.raises(VideoError, match=r"stopped after frame 4: it was at work for 0.3 s \(--time-limit"):
        wait_and_stop(decoder, items, silence=None, total=0.3)


def wait_and_stop(decoder, items, **limits):
    """Read the rest of the items, while another thread calls `stop_if_late`."""
    ended = threading.Event()

    def watch():
        while not ended.wait(0.05):
            decoder.stop_if_late(**limits)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        list(items)
    finally:
        ended.set()
        thread.join()


@pytest.mark.parametrize("limits", [{"silence": 120.0, "total": None}, {"silence": None, "total": 120.0}])
def test_time_in_which_this_program_was_stopped_blames_no_video(decoder, job, whole, monkeypatch, limits):
    """After Ctrl-Z, or while a laptop sleeps, an hour passes between two looks at the clock."""
    now = [0.0]
    monkeypatch.setattr("extract.decoding.parent.time", SimpleNamespace(monotonic=lambda: now[0]))
    receive = decoder_module.receive

    def received(file):
        decoder.stop_if_late(**limits)
        now[0] += 3600.0
        decoder.stop_if_late(**limits)
        return receive(file)

    monkeypatch.setattr("extract.decoding.parent.receive", received)
    assert len(list(decoder.decode(job(whole)))) == 41
    assert decoder.usable
    assert now[0] >= 41 * 3600


def test_time_in_which_it_was_looked_at_counts(decoder, job, whole, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("extract.decoding.parent.time", SimpleNamespace(monotonic=lambda: now[0]))
    receive = decoder_module.receive

    def received(file):
        for _ in range(200):
            now[0] += 0.9
            decoder.stop_if_late(silence=120.0, total=None)
        return receive(file)

    monkeypatch.setattr("extract.decoding.parent.receive", received)
    with pytest.raises(VideoError, match=r"no sign of life for 120 s"):
        list(decoder.decode(job(whole)))


def test_leaving_a_video_early_ends_the_process(decoder, job, whole):
    for item in decoder.decode(job(whole)):
        assert isinstance(item, Opened)
        break
    assert not decoder.usable


def test_what_is_logged_there_is_logged_here(tmp_path, whole, caplog):
    path = tmp_path / "a.ts"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg2video", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode())
    with caplog.at_level(logging.DEBUG):
        decoder = Decoder(memory_bytes=MEMORY)
        list(decoder.decode(Job(Video("a", path), (whole,), "auto")))
        decoder.close()
    (record,) = [record for record in caplog.records if "decoded once to list its frames" in record.message]
    assert record.name == "aqa_pipeline.video.timeline"


PARENT = """
import sys, time
from extract.decoding.parent import Decoder
decoder = Decoder(memory_bytes=1024**3)
print(decoder.pid, flush=True)
time.sleep(3600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_no_decoder_outlives_a_parent_that_is_killed(until):
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    assert is_there(pid)
    parent.kill()
    parent.communicate()
    until(lambda: not is_there(pid), "the decoder lives on")


def test_many_decoders_leave_no_file_open(job, whole):
    def num_open():
        return len(os.listdir("/proc/self/fd"))

    one = job(whole)
    Decoder(memory_bytes=MEMORY).close()
    before = num_open()
    for _ in range(3):
        decoder = Decoder(memory_bytes=MEMORY)
        next(decoder.decode(one))
        decoder.close()
    assert num_open() == before
