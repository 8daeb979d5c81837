"""Each sentence of an extraction's report: what brings it, what it counts, and where a list is cut."""

from pathlib import Path

import pytest

from aqa_pipeline.store import Origin
from extract.clock import Clock
from extract.run.report import format_extract_report, two_roots
from extract.run.stage import Extracted, ExtractReport, Failure
from extract.run.write_behind import Written


def report(*rows: Written, seconds: float = 6.0, **facts: object) -> ExtractReport:
    made = ExtractReport(wall_seconds=1.0, **facts)
    made.clock.seconds["decode"] = 1.0
    for row in rows:
        made.add(Extracted(row.video_id, [row], seconds))
    return made


def row(
    video_id: str, stream: str = "segments", *, steps: int = 2, size: int = 1000, **facts: object
) -> Written:
    return Written(video_id, stream, steps, 0, size, **facts)


def test_nothing_to_do_is_one_line():
    assert format_extract_report(ExtractReport()) == "No video to extract."


def test_each_stream_is_a_row_with_its_sums_and_its_mean_size():
    rows = [row("a", steps=3, size=3_000_000), row("b", steps=5, size=1_000_000), row("a", "crops", steps=7)]
    lines = format_extract_report(report(*rows)).splitlines()
    assert lines[0].split() == ["stream", "videos", "steps", "without", "a", "person", "MB", "per", "video"]
    assert lines[2].split() == ["segments", "2", "8", "0", "2.00"]
    assert lines[3].split() == ["crops", "1", "7", "0", "0.00"]


def test_the_speed_is_told_per_minute_of_video_with_what_limited_it():
    made = report(row("a"), row("b"), seconds=90.0)
    made.wall_seconds = 30.0
    made.clock.seconds.update(decode=1.0, network=3.0)
    assert (
        "2 videos, 3.0 minutes of video in 30.0 s: 10.0 s per video-minute (decoding 25%, the networks 75%)."
    ) in format_extract_report(made)


def test_what_was_there_before_is_counted_with_the_option_that_makes_it_again():
    text = format_extract_report(ExtractReport(num_already_there=7))
    assert text == "7 videos were in the store already (--overwrite makes them again)."


def test_failures_are_listed_all_with_their_reasons():
    failures = [Failure(f"v{number:02d}", f"reason {number}") for number in range(30)]
    text = format_extract_report(report(row("a"), failures=failures))
    assert "30 videos failed, the others are stored:" in text
    for number in range(30):
        assert f"\n  v{number:02d}: reason {number}" in text


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"a": ("another file",)}, "1 video changed since they were extracted: a (another file)."),
        (
            {"a": ("another file", "other boxes"), "b": ("other pictures",)},
            "2 videos changed since they were extracted: a (another file, other boxes), b (other pictures).",
        ),
    ],
    ids=["one", "two"],
)
def test_changed_videos_are_named_with_what_is_another(changed, line):
    assert line in format_extract_report(ExtractReport(changed=changed)).splitlines()


def test_of_many_changed_videos_the_rest_is_counted():
    changed = {f"v{number:02d}": ("another file",) for number in range(23)}
    assert "v19 (another file) and 3 more." in format_extract_report(ExtractReport(changed=changed))


def test_what_is_gone_is_named_and_its_records_stay():
    gone = {f"v{number:02d}": f"/videos/v{number:02d}.mp4" for number in range(21)}
    lines = format_extract_report(ExtractReport(gone=gone)).splitlines()
    assert lines[0] == "The records of 21 videos stay as they are. No longer there:"
    assert lines[1:21] == [f"  /videos/v{number:02d}.mp4" for number in range(20)]


def test_how_pictures_were_made_plain_is_told_the_most_frequent_first():
    rows = [
        row("a", picture={"sample_aspect": "4:3"}),
        row("b", picture={"deinterlaced": "bwdif"}),
        row("c", picture={"deinterlaced": "bwdif"}),
        row("c", "crops", picture={"deinterlaced": "bwdif"}),
        row("d"),
    ]
    lines = [
        each for each in format_extract_report(report(*rows)).splitlines() if each.startswith("Pictures")
    ]
    assert lines == [
        "Pictures of 2 of 4 videos (b, c) were deinterlaced by bwdif.",
        "Pictures of 1 of 4 videos (a) were scaled to square pixels from 4:3.",
    ]


def test_losses_of_the_athlete_are_told_by_video_and_cut_after_twenty():
    rows = [row(f"v{number:02d}", "crops", athlete="lost at 1.0 s") for number in range(22)]
    text = format_extract_report(report(*rows))
    assert "The athlete was lost, or another person was followed (--preview shows where):" in text
    assert "\n  v19 (crops): lost at 1.0 s\n  and 2 more" in text
    assert "v20" not in text


def test_two_folders_are_told_and_own_ones_can_be_kept_apart():
    before, now = Path("/old"), Path("/new")
    own = two_roots(Origin("folder", "mine", before), Origin("folder", "mine", now))
    assert own == (
        "They were extracted from /old before, now from /new: --name keeps two folders of one name apart."
    )
    known = two_roots(Origin("aqa7", "aqa7", before), Origin("aqa7", "aqa7", now))
    assert known == "They were extracted from /old before, now from /new."


def test_a_clock_names_what_took_longest():
    clock = Clock()
    assert clock.limit() == ("start", 1.0)
    clock.seconds.update(decode=1.0, network=3.0)
    assert clock.limit() == ("network", 0.75)
    other = Clock()
    other.seconds.update(network=1.0, write=2.0)
    assert dict(clock.plus(other).seconds) == {"decode": 1.0, "network": 4.0, "write": 2.0}
    assert dict(clock.seconds) == {"decode": 1.0, "network": 3.0}, "the sum is another clock"


def test_a_phase_counts_even_if_it_fails():
    clock = Clock()
    with pytest.raises(ValueError, match="stop"), clock.phase("decode"):
        raise ValueError("stop")
    assert clock.seconds["decode"] > 0
