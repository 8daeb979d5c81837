"""The page on large encoders says what the registries say."""

import re
from pathlib import Path

import pytest

from aqa_pipeline.backbones import BACKBONES
from aqa_pipeline.backbones.preprocess import get_preprocess
from aqa_pipeline.weights import WEIGHTS
from tiny_encoders import TINY

PAGE = Path(__file__).resolve().parents[4] / "docs" / "encoders.md"


def rows():
    lines = re.findall(r"^\| (`.*)\|$", PAGE.read_text(), re.MULTILINE)
    return {cells[0].strip("`"): cells for cells in (line.split(" | ") for line in lines)}


def test_every_encoder_of_transformers_has_a_row():
    assert {*TINY} <= {*rows()}


@pytest.mark.parametrize("name", rows())
def test_a_row_says_what_the_entry_says(name):
    backbone, size = BACKBONES[name], get_preprocess(BACKBONES[name].preprocess["paper"]).size
    frames = "an image" if backbone.frames_per_clip is None else f"{backbone.frames_per_clip} frames"
    assert rows()[name][1:5] == [
        f"{frames}, {size}x{size}",
        str(backbone.feature_size),
        f"{backbone.cost.num_parameters / 1e6:.1f}",
        f"{backbone.cost.gflops:.1f}",
    ]
    assert WEIGHTS[backbone.weights].license.startswith(rows()[name][5])
