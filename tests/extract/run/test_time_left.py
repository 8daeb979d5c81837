"""The time left is told by seconds of video, from a fake clock: no video jumps it, long or short."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from aqa_pipeline.commands.options import clock_time, progress_bar
from aqa_pipeline.records import Video
from aqa_pipeline.store import Store
from extract.run.extraction import Extraction
from extract.run.stage import extract
from extract.run.time_left import Amount, TimeLeft, VideoSeconds


def video(name: str, seconds: float | None = None) -> Video:
    return Video(name, Path(f"{name}.mp4"), duration_seconds=seconds)


class FakeClock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


LENGTHS = {"a": 10.0, "b": 600.0, "c": 5.0, "d": 3.0, "e": 300.0}


def worked_through(seconds: VideoSeconds, *, speed: float, parts: int = 10) -> Iterator[tuple[float, Amount]]:
    """Yield when each part of each video is done, one video after the other, and the amount by then."""
    passed = 0.0
    for name, length in LENGTHS.items():
        seconds.know(name, length)
        for part in range(parts):
            yield passed + part / parts * length / speed, seconds.amount({name: part / parts})
        passed += length / speed
        seconds.end(name)
    yield passed, seconds.amount({})


def test_the_time_left_is_right_from_the_start_where_lengths_are_known() -> None:
    clock, speed = FakeClock(), 4.0
    left = TimeLeft(clock)
    seconds = VideoSeconds([video(name, length) for name, length in LENGTHS.items()])
    whole, told = sum(LENGTHS.values()) / speed, []
    for passed, amount in worked_through(seconds, speed=speed):
        clock.seconds = 100 + passed
        if (after := left.after(amount)) is not None:
            told.append(after)
            assert after == pytest.approx(whole - passed, abs=1e-6)
    assert told[-1] == 0
    assert all(later <= before + 1e-6 for before, later in pairwise(told)), "it never jumps up"


def test_networks_that_load_for_long_do_not_count_for_ever() -> None:
    clock, speed, stall = FakeClock(), 4.0, 45.0
    left = TimeLeft(clock)
    seconds = VideoSeconds([video(name, length) for name, length in LENGTHS.items()])
    whole = sum(LENGTHS.values()) / speed
    for passed, amount in worked_through(seconds, speed=speed):
        clock.seconds = 100 + passed + (stall if passed > 1 else 0)
        after = left.after(amount)
        if amount.done > 0.3 * amount.total:
            assert after == pytest.approx(whole - passed, rel=0.02, abs=1e-6)


def test_a_video_of_unknown_length_is_as_long_as_the_mean() -> None:
    seconds = VideoSeconds([video("a", 10), video("b", 30), video("c")])
    assert seconds.amount({}) == Amount(0, 60)
    assert seconds.amount({"a": 0.5, "c": 0.5}) == Amount(15, 60)
    assert seconds.amount({}, more=0.5) == Amount(10, 60)
    seconds.know("c", 80)
    assert seconds.amount({"c": 0.5}) == Amount(40, 120)
    seconds.end("a")
    assert seconds.amount({}) == Amount(10, 120)


def test_videos_count_alike_while_nothing_is_known() -> None:
    seconds = VideoSeconds([video("a"), video("b")])
    assert seconds.amount({"a": 0.5}) == Amount(0.5, 2)
    seconds.end("a")
    assert seconds.amount({}) == Amount(1, 2)
    assert VideoSeconds([]).amount({}) == Amount(0, 0)


def test_there_is_no_estimate_before_enough_is_done() -> None:
    clock = FakeClock()
    left = TimeLeft(clock)
    assert left.after(Amount(0, 10)) is None
    clock.seconds += 1
    assert left.after(Amount(5, 10)) is None, "one second tells little"
    clock.seconds += 3
    assert left.after(Amount(5, 10)) == pytest.approx(4)
    assert left.after(Amount(0, 10)) is None, "nothing done"


def test_what_was_there_before_the_first_word_is_no_speed() -> None:
    clock = FakeClock()
    left = TimeLeft(clock)
    left.after(Amount(50, 100))
    clock.seconds += 10
    assert left.after(Amount(60, 100)) == pytest.approx(40)


def test_an_extraction_reports_its_seconds_of_video(tmp_path: Path, picture_video, brightness) -> None:
    told: list[Amount] = []
    videos = [picture_video("a", 20), picture_video("b", 60)]
    extraction = Extraction(dataset="toy", store=Store(tmp_path / "s"), streams=[brightness()], workers=1)
    report = extract(extraction, videos, progress=lambda *, amount, **_: told.append(amount))
    assert [each.done for each in told] == sorted(each.done for each in told)
    assert told[-1] == Amount(pytest.approx(report.video_seconds), pytest.approx(report.video_seconds))


def test_a_bar_without_progress_leaves_nothing_and_another_its_last_state(capsys) -> None:
    with pytest.raises(ValueError, match="wrong"), progress_bar(10, unit=" epochs"):
        raise ValueError("wrong")
    assert capsys.readouterr().err == ""
    with progress_bar(10, unit=" epochs") as bar:
        bar.update(10)
    assert "10/10" in capsys.readouterr().err


def test_seconds_are_shown_as_on_a_clock() -> None:
    assert [clock_time(seconds) for seconds in (4.4, 75, 3675)] == ["0:04", "1:15", "1:01:15"]
