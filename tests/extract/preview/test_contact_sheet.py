"""The contact sheet draws crops as the network gets them, and says how they were changed."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aqa_pipeline.backbones.preprocess import get_preprocess
from aqa_pipeline.datasets.synthetic.render import write_video
from aqa_pipeline.records import Record, Source, StreamSpec, Video
from extract.preview.contact_sheet import LABEL_HEIGHT, TILE_HEIGHT, contact_sheet, crops_in_words
from extract.preview.grid import HEADER_HEIGHT, MARGIN

BOX = np.array([[40.0, 20.0, 80.0, 120.0, 0.9]], np.float32)  # of a standing person


def picture() -> np.ndarray:
    """Return a picture whose channels are gradients: each pixel's color names its place."""
    rows, columns = np.mgrid[0:144, 0:192]
    return np.stack([rows, columns, 255 - rows], axis=2).astype(np.uint8)


@pytest.mark.parametrize("name", ["imagenet", "squash-224"])
def test_a_crop_is_drawn_as_the_network_gets_it(tmp_path: Path, name: str) -> None:
    write_video(tmp_path / "v.mp4", [picture()] * 4)
    spec = StreamSpec("crops", {"preprocess": name, "frames_per_step": 1})
    features, seconds = np.zeros((1, 2), np.float32), np.array([[0.0, 1.0]])
    extras = {"boxes": BOX, "frame_index": np.array([[1]])}
    counts = {"num_steps": 1, "num_steps_without_person": 0}
    record = Record("d", "v", spec, features, seconds, Source("digest"), extras=extras, counts=counts)
    sheet = contact_sheet(Video("v", tmp_path / "v.mp4"), record)
    left, top = MARGIN + round(192 * TILE_HEIGHT / 144), HEADER_HEIGHT + LABEL_HEIGHT
    drawn = np.asarray(sheet.crop((left, top, left + TILE_HEIGHT, top + TILE_HEIGHT)), np.float64)
    network = get_preprocess(name).geometry(picture()[20:120, 40:80])
    expected = np.asarray(Image.fromarray(network).resize((TILE_HEIGHT, TILE_HEIGHT)), np.float64)
    assert np.abs(drawn - expected).mean() < 3  # the error of the video's encoder


def test_both_geometries_differ_on_a_standing_person() -> None:
    cut, stretched = (
        get_preprocess(name).geometry(picture()[20:120, 40:80]).astype(float)
        for name in ("imagenet", "squash-224")
    )
    assert np.abs(cut - stretched).mean() > 9, "else the test above could not tell them apart"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("imagenet", ", cut to the middle"),
        ("squash-224", ", stretched"),
        ("tsa-224", ", stretched and cut to the middle"),
    ],
)
def test_the_sheet_says_what_the_network_does_to_crops(name: str, expected: str) -> None:
    words = crops_in_words(StreamSpec("crops", {"preprocess": name}))
    assert words == f"crops as the network gets them{expected}"


@pytest.mark.parametrize(
    ("name", "size", "expected"),
    [
        ("squash-224", (300, 300), ""),
        ("squash-224", (301, 300), ""),
        ("squash-224", (640, 360), "stretched"),
        ("tsa-224", (640, 360), "cut to the middle"),
        ("tsa-224", (320, 240), "stretched and cut to the middle"),
        ("imagenet", (640, 360), "cut to the middle"),
    ],
)
def test_the_change_of_a_picture_depends_on_its_size(name: str, size: tuple[int, int], expected: str) -> None:
    assert get_preprocess(name).in_words(size) == expected
