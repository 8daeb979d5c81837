"""The facts above a sheet's tiles stay within the sheet, and name what other streams leave out."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageFont

from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Pictures, Record, Source, StreamSpec
from aqa_pipeline.sources.compare import Comparison
from aqa_pipeline.store import Store
from extract.preview import contact_sheet
from extract.preview.contact_sheet import contact_sheets
from extract.preview.grid import HEADER_HEIGHT, LINE_HEIGHT, compose_sheet, wrapped

FONT = ImageFont.load_default(14)
TEXT = "17 of 18 sampled frames show a person, 1 dropped; " * 4


@pytest.mark.parametrize("width", [120, 300, 2000])
def test_lines_fit_and_no_word_is_lost(width) -> None:
    lines = wrapped(TEXT, FONT, width=width)
    assert " ".join(lines) == TEXT.strip()
    assert max(map(FONT.getlength, lines)) <= width
    assert (len(lines) == 1) is (FONT.getlength(TEXT.strip()) <= width)


def test_a_word_that_is_too_long_stands_alone() -> None:
    assert wrapped("a verylongwordindeed b", FONT, width=40) == ["a", "verylongwordindeed", "b"]
    assert wrapped("", FONT, width=40) == [""]


def test_a_sheet_grows_by_the_lines_of_its_facts() -> None:
    tiles = [Image.new("RGB", (150, 100))]
    short, long = (compose_sheet(tiles, title="a", facts=facts) for facts in ("few", TEXT))
    number = len(wrapped(TEXT, FONT, width=short.width - 20))
    assert number > 1
    assert long.height - short.height == (number - 1) * LINE_HEIGHT
    dark = np.asarray(long.convert("L"))[HEADER_HEIGHT : HEADER_HEIGHT + LINE_HEIGHT] < 100
    assert dark[:, -10:].sum() == 0  # no text runs into the border


def test_a_sheet_of_crops_says_what_other_streams_leave_out(tmp_path, picture_video, monkeypatch) -> None:
    """The video has 6 s: the segments see 3.2 s of it, the crops all."""
    store, footage = Store(tmp_path / "s"), Footage(8, 6, 60, 0, 60, 10.0)
    specs = [
        StreamSpec("crops", {"rate_fps": 1.0, "preprocess": "squash-224"}),
        StreamSpec("segments", {"rate_fps": 5.0}),
    ]
    for spec, end in zip(specs, (6.0, 3.2), strict=True):
        extras = {"boxes": np.array([[1, 1, 5, 5, 0.9]]), "frame_index": np.array([[3]])}
        counts = {"num_steps": 1, "num_steps_without_person": 0}
        features, pts = np.zeros((1, 2), np.float32), np.array([[0.0, end]])
        pictures = Pictures(footage)
        store.write(Record("toy", "a", spec, features, pts, Source(""), extras, counts, pictures=pictures))
    facts: list[str] = []
    monkeypatch.setattr(contact_sheet, "compose_sheet", lambda tiles, *, title, facts: said(facts))

    def said(text: str) -> Image.Image:
        facts.append(text)
        return Image.new("RGB", (8, 8))

    extraction = SimpleNamespace(store=store, dataset="toy", compare=lambda *_: Comparison())
    (line,) = contact_sheets(extraction, specs, [picture_video("a", 60)], tmp_path / "sheets")
    assert line.endswith("a.jpg")
    (text,) = facts
    assert text.startswith("1 of 1 sampled frames show a person, 0 dropped; ")
    assert text.endswith("; segments look at 0.0-3.2 s of 6.0 s (--rest padded looks at all)")
