"""What the bar of an extraction shows: videos done, the time left, and what limits the speed."""

import sys

import pytest

from extract.clock import Clock
from extract.run.progress import extraction_progress
from extract.run.time_left import Amount


def clock(**seconds: float) -> Clock:
    made = Clock()
    made.seconds.update(seconds)
    return made


def last_line(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the last state of the bar on stderr."""
    told = capsys.readouterr()
    assert told.out == ""
    return told.err.replace("\r", "\n").rstrip().splitlines()[-1]


def test_the_bar_names_what_limits_and_the_video(capsys):
    with extraction_progress(4) as show:
        show(videos=1.5, video_id="vault 3", clock=clock(decode=1.0, network=3.0), amount=Amount(1.5, 4.0))
    line = last_line(capsys)
    assert " 38%|" in line
    assert "1.5/4 videos" in line
    assert "limited by the networks 75%, vault 3" in line
    assert "left" not in line, "after no time nothing can be told"


def test_before_anything_was_measured_the_start_limits(capsys):
    with extraction_progress(2) as show:
        show(videos=0.5, video_id="a", clock=Clock(), amount=Amount(0.0, 0.0))
    assert "limited by start 100%, a" in last_line(capsys)


def test_the_time_left_is_told_by_the_speed_of_the_second_half(capsys, monkeypatch):
    from extract.run import time_left

    now = [0.0]
    usual = time_left.TimeLeft
    monkeypatch.setattr(time_left, "TimeLeft", lambda: usual(lambda: now[0]))
    with extraction_progress(10) as show:
        for second in range(0, 41, 10):
            now[0] = float(second)
            show(videos=second / 10, video_id="a", clock=clock(decode=1.0), amount=Amount(second / 10, 10.0))
    assert "1:00 left, limited by decoding 100%" in last_line(capsys), "6 videos of 10 seconds each"


def test_without_progress_there_is_no_bar(capsys):
    with extraction_progress(4):
        pass
    assert capsys.readouterr().err.strip() == ""


@pytest.mark.parametrize(
    ("told", "threads"), [("3", 3), ("0", None), ("", None), ("many", None), ("-2", None), ("2.5", None)]
)
def test_threads_are_those_of_the_environment_where_torch_is_not_there(monkeypatch, told, threads):
    from extract.runtimes.threads import num_threads

    monkeypatch.delitem(sys.modules, "torch", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    usual = num_threads()
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert usual >= 1
    assert num_threads() == (threads or usual)
