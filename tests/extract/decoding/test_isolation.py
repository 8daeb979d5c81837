"""A bad video fails alone: its decoding process is replaced, and the other videos are stored."""

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from aqa_pipeline.store import Store
from extract.decoding.feeds import AHEAD_BYTES, Budget, Feeds, Patience, memory_of_one
from extract.decoding.parent import Decoder
from extract.run.extraction import Extraction
from extract.run.stage import extract
from extract.streams import Encoder, Intake

GIVE_UP_SECONDS = 300  # reached only by a failing test


def silent(**_: object) -> None:
    pass


@pytest.fixture
def harmful(brightness, harm):
    """Return a stream of every frame's brightness, which does harm at frame 5 of longer videos."""

    class Harmful(brightness):
        kind = "segfault"

        @property
        def intake(self):
            return Intake(super().intake.plan, harm(self.kind).prepare)

        def encoder(self, video, footage, clock):
            encode = super().encoder(video, footage, clock)
            return Encoder(
                lambda frames, index: encode([frame.mean(keepdims=True) for frame in frames], index)
            )

    return Harmful(rate_fps=10.0, frames_per_step=1)


def children():
    """Return the ids of this process's children, without the `ps` that lists them."""
    return children_of(os.getpid())


def children_of(parent):
    ask = ["ps", "-o", "pid=,comm=", "--ppid", str(parent)]
    lines = subprocess.run(ask, capture_output=True, text=True).stdout.splitlines()
    return {int(line.split()[0]) for line in lines if line.split()[1] != "ps"}


@pytest.mark.parametrize(
    ("kind", "workers"),
    [("segfault", 1), ("segfault", 3), ("abort", 2), ("kill", 2), ("exit", 2), ("bug", 2), ("allocate", 2)],
)
def test_one_video_fails_and_the_others_are_stored(
    tmp_path, picture_video, harmful, monkeypatch, kind, workers
):
    monkeypatch.setattr("extract.decoding.feeds.memory_of_one", lambda workers: 600 * 1024**2)
    type(harmful).kind = kind
    names = "abcdef"
    videos = [picture_video(name, 20 if name in "ce" else 4) for name in names]
    store, before = Store(tmp_path / "s"), children()
    extraction = Extraction("toy", store, [harmful], workers=workers)
    report = extract(extraction, videos, progress=silent)
    assert store.video_ids("toy", harmful.spec) == ["a", "b", "d", "f"]
    assert [failure.video_id for failure in report.failures] == ["c", "e"]
    assert all(failure.reason for failure in report.failures)
    assert [row.video_id for row in report.written] == ["a", "b", "d", "f"]
    assert report.num_done == 4
    assert children() <= before, "a decoder was left behind"


class ClockOfHangs:
    """A clock that advances 0.25 s with each look while a decoder hangs, and stands still otherwise."""

    def __init__(self, hangs: Path) -> None:
        self._hangs, self._now = hangs, 0.0

    def monotonic(self) -> float:
        self._now += 0.25 * self._one_hangs()
        return self._now

    def _one_hangs(self) -> bool:
        try:
            os.kill(int(self._hangs.read_text()), 0)
        except (FileNotFoundError, ValueError, ProcessLookupError):  # not written yet, half written, ended
            return False
        return True


def test_a_hang_ends_with_the_patience(tmp_path, picture_video, harmful, monkeypatch):
    """Only the video that hangs is stopped, however long the others take on a busy machine."""
    monkeypatch.setattr(
        "extract.decoding.parent.time", ClockOfHangs(tmp_path / "code" / "harm_in_a_decoder.py.hangs")
    )
    type(harmful).kind = "hang"
    videos = [picture_video("a", 20), *(picture_video(name, 4) for name in "bcd")]
    patience = Patience(silence=2.0)
    extraction = Extraction("toy", Store(tmp_path / "s"), [harmful], workers=1, patience=patience)
    report = extract(extraction, videos, progress=silent)
    ((video_id, reason),) = [(failure.video_id, failure.reason) for failure in report.failures]
    assert video_id == "a"
    assert "the decoder was stopped after frame 4: no sign of life for 2 s (--timeout allows more)" in reason
    assert report.num_done == 3


def test_a_slow_network_is_no_silence(tmp_path, picture_video, brightness):
    """A decoder that waits an hour for the network is not stopped."""
    full, watched, now = threading.Event(), threading.Event(), [0.0]

    class Slow(brightness):
        def encoder(self, video, footage, clock):
            encode = super().encoder(video, footage, clock)

            def slowly(frames, index):
                if not now[0]:  # in the first batch
                    assert full.wait(GIVE_UP_SECONDS), "the decoder was never ahead"
                    now[0] = 3600.0
                    watched.clear()
                    assert watched.wait(GIVE_UP_SECONDS), "nobody looks at the clock"
                return encode(frames, index)

            return Encoder(slowly)

    class Told(Budget):
        def _fits(self, num_bytes):
            if not super()._fits(num_bytes):
                full.set()
            return super()._fits(num_bytes)

    look = Decoder.stop_if_late

    def looked(self, **limits):
        look(self, **limits)
        watched.set()

    extraction = Extraction("toy", Store(tmp_path / "s"), [Slow()], workers=1)
    extraction = replace(extraction, patience=Patience(silence=60.0, total=60.0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("extract.decoding.feeds.AHEAD_BYTES", 1)
        patch.setattr("extract.decoding.feeds.TICK_SECONDS", 0.05)
        patch.setattr("extract.decoding.feeds.Budget", Told)
        patch.setattr("extract.decoding.parent.LONGEST_LOOK_SECONDS", float("inf"))
        patch.setattr("extract.decoding.parent.time", SimpleNamespace(monotonic=lambda: now[0]))
        patch.setattr(Decoder, "stop_if_late", looked)
        report = extract(extraction, [picture_video("a", 40)], progress=silent)
    assert (report.num_done, report.failures) == (1, [])
    assert now == [3600.0]


def test_a_failing_network_ends_its_video_alone_and_frees_its_decoder(tmp_path, picture_video, brightness):
    class Failing(brightness):
        def encoder(self, video, footage, clock):
            if video.video_id == "b":
                raise ArithmeticError("no")
            return super().encoder(video, footage, clock)

    videos = [picture_video(name, 60) for name in "abcd"]
    extraction = Extraction("toy", Store(tmp_path / "s"), [Failing()], workers=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("extract.decoding.feeds.AHEAD_BYTES", 8)  # two frames: the decoder waits
        report = extract(extraction, videos, progress=silent)
    assert [failure.reason for failure in report.failures] == ["ArithmeticError: no"]
    assert report.num_done == 3


def test_videos_are_decoded_ahead_within_bounds(tmp_path, picture_video, brightness, until):
    """While nothing is taken, every decoder stops at its budget, and no further video is admitted."""
    videos = [picture_video(name, 90) for name in "abcdefgh"]
    stream = brightness(rate_fps=10.0, frames_per_step=1)
    options = {"reader": "auto", "workers": 2, "patience": Patience()}
    full = []

    class Told(Budget):
        def _fits(self, num_bytes):
            if not super()._fits(num_bytes):
                full.append(self)
            return super()._fits(num_bytes)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("extract.decoding.feeds.AHEAD_BYTES", 40)  # ten frames of four bytes
        patch.setattr("extract.decoding.feeds.Budget", Told)
        with Feeds(videos, lambda video: [stream], **options) as feeds:
            until(lambda: len(full) == 2, "the decoders never came to their bounds")
            assert feeds._ready.qsize() == 2 * 11  # Opened, and ten frames
            assert len(feeds._in_flight) == 3
            frames = sum(hasattr(item, "frame_index") for _, item in feeds)
    assert frames == 8 * 90


def test_the_earliest_video_comes_first(picture_video, brightness, until):
    videos = [picture_video(name, 30) for name in "ab"]
    stream = brightness()
    with Feeds(videos, lambda video: [stream], reader="auto", workers=2, patience=Patience()) as feeds:
        until(lambda: feeds._ready.qsize() == 2 * 16, "not all was decoded")  # opened, 14 frames, finished
        assert [feed.video.video_id for feed, _ in feeds] == ["a"] * 16 + ["b"] * 16


def test_a_video_that_another_run_has_extracted_meanwhile_is_left_out(tmp_path, picture_video, brightness):
    videos, stream = [picture_video(name) for name in "abcd"], brightness()
    store = Store(tmp_path / "s")
    extraction = Extraction("toy", store, [stream], workers=1)

    def meanwhile(**_: object) -> None:
        if not store.has("toy", "d", stream.spec):
            extract(extraction, videos[3:], progress=silent)

    report = extract(extraction, videos, progress=meanwhile)
    assert (report.num_done, report.num_already_there, report.failures) == (3, 1, [])


@pytest.mark.parametrize("workers", [1, 16])
def test_decoders_share_the_machines_memory(workers):
    each = memory_of_one(workers)
    assert 1024**3 <= each <= 4 * 1024**3
    assert each >= memory_of_one(2 * workers)
    assert each > AHEAD_BYTES


RUN = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # where tests run in the background it is ignored
from pathlib import Path
from aqa_pipeline.records import Video
from aqa_pipeline.store import Store
from extract.choices.options import NetworkOptions, StreamOptions
from extract.choices.streams import build_streams
from extract.run.extraction import Extraction
from extract.run.stage import extract
networks = NetworkOptions(backbones={"": "resnet18"}, weights={"": "random:0"})
streams = build_streams(["frames"], StreamOptions(networks=networks))
videos = [Video(f"v{at}", Path(sys.argv[1]), fps=1.0) for at in range(1000)]
extraction = Extraction("toy", Store(Path(sys.argv[2])), streams)
extract(extraction, videos, progress=lambda **_: print("going", flush=True))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_ctrl_c_ends_at_once_and_leaves_nothing_behind(tmp_path, picture_video, until):
    video = picture_video("a", 10)
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, str(video.path), str(tmp_path / "s")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert run.stdout.readline() == "going\n"
    until(lambda: len(children_of(run.pid)) == 2, "two decoders are never there")
    decoders = children_of(run.pid)
    os.kill(run.pid, signal.SIGINT)
    try:
        _, said = run.communicate(timeout=GIVE_UP_SECONDS)
    finally:
        run.kill()
    assert "KeyboardInterrupt" in said
    assert run.returncode in (1, 130, -signal.SIGINT)
    assert not [pid for pid in decoders if Path(f"/proc/{pid}").exists()]
    assert not list((tmp_path / "s").rglob("*.part"))
