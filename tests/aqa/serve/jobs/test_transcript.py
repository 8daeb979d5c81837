"""What a command prints becomes lines, a percentage and words for a page."""

from aqa.serve.jobs.transcript import LONGEST_LINE, MOST_LINES, Transcript


def test_bars_are_progress_and_no_lines() -> None:
    kept = Transcript()
    kept.feed("\n$ aqa extract\n")
    assert (kept.percent, kept.progress) == (None, "making features")
    kept.feed("  8%|#  | 2.0/26 videos [00:06, 0:16 left, limited by decoding 81%, a]\r 32%|##")
    assert (kept.percent, kept.progress) == (8, "making features: 2.0/26 videos, 0:16 left")
    kept.feed("#  | 8.2/26 videos [00:10, 0:11 left, limited by decoding 81%, b]")
    assert (kept.percent, kept.progress) == (32, "making features: 8.2/26 videos, 0:11 left")
    kept.feed("\nExtracted 26 videos.\n")
    assert kept.lines == ["", "$ aqa extract", "Extracted 26 videos."]
    kept.feed("next: aqa fit\n")
    assert kept.closing_words() == "Extracted 26 videos."
    assert kept.closing_words("$ aqa") == "$ aqa extract"


def test_a_bar_that_is_one_of_several_has_a_title_and_no_percentage() -> None:
    kept = Transcript()
    kept.feed("$ aqa fit\nsplit given, seed 0: 20%|##   | 100/500 [00:11<00:15, 26.04 epochs/s]\r")
    assert (kept.percent, kept.progress) == (None, "training: split given, seed 0")


def test_a_line_may_arrive_letter_by_letter() -> None:
    kept = Transcript()
    for letter in "Error: no such file.\r\nsee above\n":
        kept.feed(letter)
    assert kept.lines == ["Error: no such file.", "see above"]


def test_a_command_that_prints_for_ever_keeps_a_bounded_text() -> None:
    kept = Transcript()
    kept.feed("x" * (5 * LONGEST_LINE))
    kept.feed("\n" + "line\n" * (3 * MOST_LINES))
    assert len(kept.lines) == MOST_LINES
    assert max(map(len, kept.lines)) <= LONGEST_LINE
