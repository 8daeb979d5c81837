"""`aqa backbones`: one line per network, with what its entry and its weights say."""

import pytest
from click.testing import CliRunner

from aqa_pipeline.backbones import BACKBONES
from aqa_pipeline.weights import WEIGHTS, weights_folder
from extract.commands.backbones import backbones


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AQA_HOME", str(tmp_path))


def listed(*arguments):
    """Return the words of each network's line, by its name."""
    result = CliRunner().invoke(backbones, arguments)
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.output.splitlines() if line]
    return {words[0]: words for words in lines if words[0] in BACKBONES}


def test_every_network_has_its_line():
    assert list(listed()) == list(BACKBONES)


def test_a_line_says_what_it_takes_gives_and_costs():
    words = listed()["c3d"][:11]
    expected = "c3d clip 16 112x112 4096 38.5 61.2 - c3d-sports1m-mmaction2 none stated"
    assert words == expected.split()


def test_weights_that_are_here_are_marked():
    weights_folder().mkdir(parents=True)
    (weights_folder() / WEIGHTS["resnet18-imagenet-v1"].file_name).write_bytes(b"anything")
    assert {name for name, words in listed().items() if words[7] == "yes"} == {"resnet18", "lite0"}


@pytest.mark.parametrize("takes", ["clip", "image"])
def test_the_list_can_be_shortened(takes):
    assert set(listed("--takes", takes)) == {name for name, b in BACKBONES.items() if b.takes == takes}
