"""What pages are made of: levels, addresses, policies, cells."""

import base64
import csv
import io
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import jinja2
import numpy as np
import pytest
from PIL import Image

from aqa_pipeline.untrusted.csv_fields import csv_text, safe_field
from aqa_pipeline.video import Timeline
from heads.pages.media import relative_address
from heads.pages.pictures import outline_at, pictures_at
from heads.pages.rendering import render_page
from heads.pages.score_page import Outline, clock, time_ticks
from heads.pages.track import Track


def track(values: list[float], **changes: object) -> Track:
    starts = np.arange(len(values), dtype=np.float64)
    facts = {"kind": "attention", "reference": 1 / max(1, len(values))} | changes
    pts_seconds = np.stack([starts, starts + 1], axis=1)
    return Track("Crops", "weight", pts_seconds=pts_seconds, values=np.array(values), **facts)


def test_four_highest_and_four_lowest_steps_are_named_the_most_telling_first() -> None:
    values = [0.03, 0.2, 0.01, 0.15, 0.05, 0.11, 0.02, 0.12, 0.04, 0.1, 0.17]
    shown = track(values)
    assert shown.steps("highest") == [1, 10, 3, 7]
    assert shown.steps("lowest") == [2, 6, 0, 8]
    assert [step for step, level in enumerate(shown.levels) if level == "other"] == [4, 5, 9]


def test_a_step_is_never_both_highest_and_lowest() -> None:
    assert track([0.2, 0.5, 0.3]).levels == ["lowest", "highest", "other"]
    assert track([1.0]).levels == ["other"]
    assert track([]).levels == []


def test_steps_that_the_head_did_not_look_at_are_not_its_lowest() -> None:
    shown = track([0.0, 0.6, 0.4, 0.0])
    assert shown.levels == ["unseen", "highest", "lowest", "unseen"]


def test_a_score_of_zero_is_a_score() -> None:
    assert track([0.0, 5.0], kind="score", reference=2.5).levels == ["lowest", "highest"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            [0.25, 0.26, 0.24, 0.25],
            "0.96 to 1.04 times an equal share. They are almost equal: no moment stands out.",
        ),
        ([0.1, 0.4, 0.25, 0.25], "0.40 to 1.60 times an equal share."),
        ([0.0, 0.0, 0.0, 0.0], "The head read no step."),
        ([1.0], "1 step with all of the weight. There are too few steps to rank."),
    ],
)
def test_the_spread_is_told_in_words(values, expected) -> None:
    assert track(values).spread.endswith(expected)


def test_scores_are_even_by_the_range_that_they_usually_have() -> None:
    scores = [60.1, 60.4, 60.2]
    assert track(scores, kind="score", usual_range=50.0).spread.endswith("no moment stands out.")
    assert track(scores, kind="score", usual_range=1.0).spread == "3 steps, 60.10 to 60.40."


def effects(values: list[float], **changes: object) -> Track:
    return track(values, **({"kind": "effect", "reference": 0.0, "usual_range": 40.0} | changes))


def test_effects_raise_or_lower_and_are_never_on_the_wrong_side() -> None:
    assert effects([5.0, 1.0, 3.0, 2.0]).levels == ["highest", "other", "highest", "other"]
    assert effects([-5.0, -1.0, -3.0, -2.0]).levels == ["lowest", "other", "lowest", "other"]
    mixed = effects([4.0, -3.0, 0.2, -0.1])
    assert mixed.levels == ["highest", "lowest", "other", "other"], "a tenth of the largest is too small"


def test_effects_within_a_twentieth_of_the_usual_range_color_no_step() -> None:
    values = [0.9, -1.0, 0.5, 0.0]
    assert effects(values).levels == ["other"] * 4
    assert effects(values).is_even
    assert not effects(values, usual_range=37.0).is_even


def test_an_effect_is_in_score_units_with_its_sign() -> None:
    assert effects([-0.84, 0.0, 12.31]).labels == ["-0.8", "+0.0", "+12.3"]
    assert effects([-0.04, 0.02], usual_range=1.0).labels == ["-0.040", "+0.020"]
    assert effects([-0.04, 0.02], usual_range=0.0).labels == ["-0.04", "+0.02"]
    assert effects([-0.01], usual_range=40.0).labels == ["+0.0"]
    assert effects([1.0, -2.5, 1.5]).spread == "3 steps; their effects on the score are -2.5 to +1.5."


def test_steps_that_the_head_did_not_read_have_no_effect_and_no_color() -> None:
    shown = effects([0.0, 3.0, -4.0], read=np.array([False, True, True]))
    assert shown.levels == ["unseen", "highest", "lowest"]
    assert shown.spread.startswith("2 steps; ")


def test_almost_equal_effects_look_small() -> None:
    assert effects([0.1, -0.1]).ends == (-1.0, 1.0)
    assert effects([5.0, -0.1]).ends == (-1.0, 5.0)
    assert track([0.25, 0.75]).ends == (0.0, 0.75)
    assert track([40.0, 60.0], kind="score", reference=45.0).ends == (40.0, 60.0)


def test_weights_are_written_with_their_share() -> None:
    assert track([0.25, 0.75]).labels == ["0.2500 (0.50x)", "0.7500 (1.50x)"]
    assert track([0.25, 0.75], kind="score").labels == ["0.25", "0.75"]


def test_steps_that_overlap_are_drawn_by_their_middles() -> None:
    """Clips of 16 frames every 10, the last one 7 after: each keeps what is nearest to its middle."""
    starts = np.array([0.0, 10.0, 17.0])
    overlapping = replace(track([1.0, 2.0, 3.0]), pts_seconds=np.stack([starts, starts + 16], axis=1))
    assert overlapping.bars.tolist() == [[0.0, 13.0], [13.0, 21.5], [21.5, 33.0]]
    assert "Steps overlap" in overlapping.spread
    apart = track([1.0, 2.0, 3.0])
    assert (apart.bars == apart.pts_seconds).all()


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (10.2, [2, 4, 6, 8]),
        (180, [30, 60, 90, 120, 150]),
        (0.5, []),
        (4.2, [1, 2, 3]),
        (13.0, [2, 4, 6, 8, 10]),
    ],
)
def test_the_axis_of_time_has_few_round_marks(seconds: float, expected: list[float]) -> None:
    assert time_ticks(seconds) == expected


def test_times_are_rounded_down_to_tenths_but_not_by_float_noise() -> None:
    assert [clock(seconds) for seconds in (0.0, 71.25, 59.99, 6.4, 0.3, 600.0)] == [
        "0:00.0",
        "1:11.2",
        "0:59.9",
        "0:06.4",
        "0:00.3",
        "10:00.0",
    ]


def test_bones_are_drawn_into_pictures_but_not_into_bare_ones() -> None:
    timeline = Timeline(pts=np.arange(4), time_base=Fraction(1, 2), end=4)
    frame = np.zeros((100, 100, 3), np.uint8)
    opened = SimpleNamespace(timeline=timeline, frames=lambda wanted: ((index, frame) for index in wanted))
    outline = Outline(0.0, 2.0, ((0.9, 0.9),) * 4, bones=((0.1, 0.5, 0.7, 0.5),))
    times = {"moment": [0.6], "film": [0.6]}
    made = pictures_at(opened, times, heights=dict.fromkeys(times, 100), outlines=[outline], bare=("film",))
    levels = {
        name: np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("L"))
        for name, (uri,) in made.items()
    }
    assert levels["moment"][48:53, 15:65].max(axis=0).min() > 90
    assert levels["film"].max() < 20


def test_an_outline_holds_from_its_start_to_before_its_stop() -> None:
    first, second = Outline(0, 1, ()), Outline(1, 2, ())
    assert [outline_at([first, second], time) for time in (0.0, 0.99, 1.0, 2.0)] == [
        first,
        first,
        second,
        None,
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("routine.mp4", "./../videos/routine.mp4"),
        ("a b#1?x=%.mp4", "./../videos/a%20b%231%3Fx%3D%25.mp4"),
        ('"><b>.mp4', "./../videos/%22%3E%3Cb%3E.mp4"),
    ],
)
def test_addresses_are_relative_and_encoded(tmp_path: Path, name: str, expected: str) -> None:
    assert relative_address(tmp_path / "videos" / name, tmp_path / "pages" / "page.html") == expected


def test_a_file_beside_the_page_never_reads_as_a_scheme(tmp_path: Path) -> None:
    assert relative_address(tmp_path / "javascript:x.mp4", tmp_path / "page.html") == "./javascript%3Ax.mp4"


def test_a_page_allows_its_own_scripts_by_digest_and_nothing_else() -> None:
    page = render_page("base.html", {}, scripts=("score.js",))
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert "default-src &#39;none&#39;" in policy
    assert policy.count("sha256-") == 1
    assert "unsafe-eval" not in policy
    assert "script-src &#39;none&#39;" in render_page("base.html", {})


def test_a_value_that_a_template_lacks_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="page"):
        render_page("score.html", {})


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1"])
def test_text_that_a_spreadsheet_would_run_is_made_text(text: str) -> None:
    assert safe_field(text) == "'" + text


@pytest.mark.parametrize("value", [-1.5, 3, None, "routine.mp4", "a=b", ""])
def test_other_cells_stay_as_they_are(value: object) -> None:
    assert safe_field(value) == value


def test_a_csv_reads_back_as_it_was_written() -> None:
    text = csv_text([{"video": 'a,"b"\nc', "score": -1.5}, {"video": "=x"}], columns=("video", "score"))
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert rows == [{"video": 'a,"b"\nc', "score": "-1.5"}, {"video": "'=x", "score": ""}]
