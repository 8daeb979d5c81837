"""Numbers of things in a sentence."""

import pytest

from aqa_pipeline.plurals import counted


@pytest.mark.parametrize(
    ("number", "nouns", "expected"),
    [
        (0, ("video",), "0 videos"),
        (1, ("video",), "1 video"),
        (2, ("video",), "2 videos"),
        (1, ("video has", "videos have"), "1 video has"),
        (12, ("video has", "videos have"), "12 videos have"),
    ],
)
def test_a_noun_takes_its_plural_unless_there_is_one(number: int, nouns: tuple, expected: str) -> None:
    assert counted(number, *nouns) == expected
