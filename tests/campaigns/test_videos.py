"""Short forms of the campaigns on videos: mutants, kills, many videos."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from campaigns import many_videos, mutated_videos
from campaigns.many_videos import Sample, growth, per_video


@pytest.mark.slow
def test_mutated_videos_have_a_record_or_a_named_failure(tmp_path: Path) -> None:
    result = mutated_videos.measure(25, tmp_path)
    assert result.kept, (result.summary, result.details)
    assert result.counts["mutants"] == 25
    assert result.counts["lost"] == 0
    assert 0 < result.counts["whole enough"] < 25


def test_mutations_change_what_they_say() -> None:
    rng, content = np.random.default_rng(0), bytes(range(256)) * 20
    for _ in range(50):
        assert content.startswith(mutated_videos.truncated(content, [], rng))
        flipped = mutated_videos.flipped(content, [], rng)
        assert len(flipped) == len(content)
        assert 0 < sum((a ^ b).bit_count() for a, b in zip(content, flipped, strict=True)) <= 256
        spliced = mutated_videos.spliced(content, [b"x" * 100], rng)
        assert content.startswith(spliced.partition(b"x")[0])
        header = mutated_videos.garbage_header(content, [], rng)
        assert header != content
        assert header[1024:-1024] == content[1024:-1024]


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("a.mp4: the decoder crashed after frame 3 (signal 11, SIGSEGV). Get", "crashed the decoder"),
        ("a.mp4: the decoder was killed before its first frame (signal 9", "crashed the decoder"),
        ("a.mp4: the decoder was stopped after frame 3: no sign of life", "hung past the timeout"),
        ("a.mp4: decoding takes more than the 1024 MiB that a decoder", "wanted too much memory"),
        ("a.mp4: the file is empty (0 bytes). Download or copy the file again.", "named as damaged"),
    ],
)
def test_failures_are_told_apart(reason: str, kind: str) -> None:
    assert mutated_videos.kind_of(reason) == kind


@pytest.mark.slow
def test_kills_leave_the_undisturbed_store(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "campaigns.kills", "--count", "3", "--out", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert run.returncode == 0, run.stdout + run.stderr
    result = json.loads((tmp_path / "kills.json").read_text())
    assert result["details"]["kills"] == 3
    assert result["details"]["problems"] == []
    assert result["details"]["decoders left behind"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 40])
def test_a_short_form_tells_nothing_of_growth(count: int, tmp_path: Path) -> None:
    result = many_videos.measure(count, tmp_path)
    assert result.kept, (result.summary, result.details)
    assert result.counts["stored"] == count
    assert result.summary.endswith("too few videos to tell of growth")
    assert result.pictures["many_videos.svg"].startswith(b"<?xml")


@pytest.mark.slow
def test_a_long_form_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many_videos, "ENOUGH_VIDEOS", 40)
    monkeypatch.setattr(many_videos, "MOST_GROWTH", 3.0)  # forty videos are no statement about growth
    result = many_videos.measure(40, tmp_path)
    assert result.kept, (result.summary, result.details)
    assert "last quarter against second" in result.summary


def test_growth_is_the_last_quarter_against_the_second() -> None:
    rows = [Sample(at, 2.0 * at, at * (1 + (at > 75)), 100 + (at >= 75) * 50, 0) for at in range(101)]
    assert growth([(row.videos, row.megabytes) for row in rows], 100) == pytest.approx(1.5)
    assert per_video(rows, 100, "seconds") == pytest.approx((2.0, 2.0))
    second, last = per_video(rows, 100, "cpu_seconds")
    assert second == pytest.approx(1.0)
    assert last > 2


def test_every_quarter_of_a_fast_run_has_samples() -> None:
    look = many_videos.Look(2000)
    for done in range(2001):
        look(videos=done)
    assert all(per_video(look.samples, 2000, "seconds"))
