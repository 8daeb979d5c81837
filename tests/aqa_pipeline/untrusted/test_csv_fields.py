"""No text of a CSV of ours runs in a spreadsheet, and every text can be had back."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqa_pipeline.untrusted.csv_fields import FORMULA_STARTS, csv_text, original_field, safe_field

TRICKY = st.text(alphabet="='+-@\t\r\n a1", max_size=8) | st.text(max_size=8)


@given(TRICKY)
def test_a_safe_cell_starts_no_formula_and_gives_its_text_back(text):
    safe = safe_field(text)
    assert not safe.lstrip(" ").startswith(FORMULA_STARTS)
    assert original_field(safe) == text


@pytest.mark.parametrize("value", [-1.5, 3, None, "video-1", "it's", "'quoted'"])
def test_numbers_and_usual_text_stay(value):
    assert safe_field(value) is value


def test_a_csv_holds_the_safe_cells():
    text = csv_text([{"id": "=1+1", "score": -2.0}], columns=["id", "score"])
    assert list(csv.reader(io.StringIO(text))) == [["id", "score"], ["'=1+1", "-2.0"]]
