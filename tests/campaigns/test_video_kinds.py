"""A short form of the campaign on kinds of videos, if there is an `ffmpeg` program; it can fail."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from campaigns import all as campaigns
from campaigns import video_kinds
from campaigns.video_kinds import KINDS

with_program = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="there is no ffmpeg program")


@pytest.mark.slow
@with_program
def test_every_kind_is_read_as_the_program_reads_it(tmp_path: Path) -> None:
    result = video_kinds.measure(len(KINDS), tmp_path)
    assert result.kept, (result.summary, result.details)
    assert [result.counts[f"  {name}"] for name in KINDS if name not in result.details["left out"]]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@with_program
@pytest.mark.parametrize(
    ("name", "other", "message"),
    [
        ("PAL 16:9", {"shown": "null"}, "frames, height, width"),
        ("interlaced", {"shown": "null"}, "levels off"),
        ("variable rate", {"shown": "setpts=N/50/TB"}, "times"),
        ("open groups", {"picture": {"tone_mapped": "pq"}}, "the record says {}"),
        ("turned", {"shown": "hflip"}, "levels off"),
        ("open groups", {"shown": "reverse"}, "levels off"),
    ],
)
def test_a_difference_is_noticed(
    name: str, other: dict[str, object], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video_kinds, "KINDS", {name: replace(KINDS[name], **other)})
    result = video_kinds.measure(1, tmp_path)
    assert not result.kept
    assert any(message in problem for problem in result.details["problems"])
    assert result.counts["read otherwise"] == 1


@with_program
def test_a_kind_that_the_program_cannot_make_is_left_out_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = {name: KINDS[name] for name in ("AV1", "open groups")}
    monkeypatch.setattr(video_kinds, "KINDS", kinds | {"AV1": replace(KINDS["AV1"], needs=("nothing-so",))})
    result = video_kinds.measure(2, tmp_path)
    assert result.kept, (result.summary, result.details)
    assert result.summary.startswith("2 videos of 1 kinds have")
    assert result.summary.endswith("left out for lack of nothing-so: AV1")


def test_without_the_program_the_campaign_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert not campaigns._can_run("video_kinds")
    assert capsys.readouterr().out == "video_kinds: left out, there is no `ffmpeg` program\n"
    assert campaigns._can_run("bit_flips")
