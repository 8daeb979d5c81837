"""An extraction's report in words: what was padded, left out, and not seen."""

from aqa_pipeline.athlete.covered_part import CoveredPart
from aqa_pipeline.athlete.out_of_view import OutOfView
from extract.run.report import format_extract_report
from extract.run.stage import Extracted, ExtractReport
from extract.run.write_behind import Written


def report(*rows: Written) -> ExtractReport:
    made = ExtractReport(wall_seconds=1.0)
    made.clock.seconds["decode"] = 1.0
    for row in rows:
        made.add(Extracted(row.video_id, [row], 6.0))
    return made


def row(video_id: str, stream: str = "segments", **facts: object) -> Written:
    return Written(video_id, stream, 2, 0, 1000, **facts)


def test_padding_is_counted_by_videos_and_frames() -> None:
    text = format_extract_report(report(row("a", num_repeated=2), row("b"), row("c", num_repeated=15)))
    assert "Segments: 2 of 3 videos (a, c) are padded, with 17 repeated frames." in text


def test_a_part_is_reported_once_for_a_stream_with_an_option_that_suits_all_videos() -> None:
    parts = [CoveredPart(0.8, 6.0, 6.0, frames, f"--last-frames {frames}") for frames in (99, 120)]
    rows = [row(name, "tubes", looked=part) for name, part in zip("ab", parts, strict=True)]
    text = format_extract_report(report(*rows, row("c", "tubes")))
    assert "Tubes look at a part of 2 of 3 videos (a, b), such as 0.8-6.0 s of 6.0 s of b:" in text
    assert "of b: --last-frames 120 looks at all." in text


def test_frames_with_the_athlete_out_of_sight_are_reported_with_the_option() -> None:
    text = format_extract_report(report(row("a", outside=OutOfView(34, 103)), row("b")))
    assert (
        "outside the network's picture:\n  a (segments): in 34 of 103 frames\n--framing whole shows" in text
    )
    many = format_extract_report(report(*(row(f"v{n}", outside=OutOfView(1, 2, "")) for n in range(23))))
    assert "and in 3 more records" in many
    assert "--framing" not in many


def test_an_ordinary_extraction_says_nothing_of_all_this() -> None:
    text = format_extract_report(report(row("a")))
    for word in ("padded", "look at", "outside"):
        assert word not in text


def test_videos_without_a_person_are_named() -> None:
    rows = [
        Written("lift_04", "crops", 0, 6, 1000),
        Written("lift_05", "crops", 5, 1, 1000),
        Written("lift_06", "crops", 6, 0, 1000),
    ]
    text = format_extract_report(report(*rows))
    assert "Crops: no person at all in 1 video (lift_04)." in text
    assert "Crops: steps without a person in 1 video (lift_05: 1 of 6)." in text
    assert "without a person in" not in format_extract_report(report(rows[2]))


def test_steps_without_a_person_that_are_kept_are_not_counted_twice() -> None:
    text = format_extract_report(report(Written("dive", "pixels", 109, 15, 1000, num_planned=109)))
    assert "Pixels: steps without a person in 1 video (dive: 15 of 109)." in text
