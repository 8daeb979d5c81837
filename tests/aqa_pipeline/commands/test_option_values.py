"""What options mean: lists, numbers, networks by stream, clock times, and bars that keep quiet in files."""

import io
import sys

import click
import pytest

from aqa_pipeline.commands.options import (
    clock_time,
    parse_backbones,
    parse_names,
    parse_numbers,
    progress_bar,
    tell_broken_plugins,
)


@pytest.mark.parametrize(
    ("text", "names"),
    [(None, ()), ("", ()), ("a", ("a",)), (" a , b ", ("a", "b")), (",,a,", ("a",)), ("a b", ("a b",))],
)
def test_a_list_is_its_names_without_blanks(text, names):
    assert parse_names(text) == names


@pytest.mark.parametrize(
    ("text", "numbers"), [("0", (0,)), ("2,0,1", (2, 0, 1)), (" 1 , 2", (1, 2)), ("-1", (-1,))]
)
def test_numbers_keep_their_order(text, numbers):
    assert parse_numbers(text) == numbers


@pytest.mark.parametrize("text", ["", "1,", "a", "1;2", "1.5", "0-4", "1,,2"])
def test_what_is_no_list_of_numbers_names_the_option(text):
    with pytest.raises(click.UsageError, match="--splits expects numbers such as 0,1,2; got ") as error:
        parse_numbers(text, option="--splits")
    assert repr(text) in error.value.message


@pytest.mark.parametrize(
    ("texts", "by_stream"),
    [
        ((), {}),
        (("resnet50",), {"": "resnet50"}),
        (("segments=i3d", "resnet50"), {"segments": "i3d", "": "resnet50"}),
        (("segments=i3d", "crops=vit_b_16"), {"segments": "i3d", "crops": "vit_b_16"}),
    ],
)
def test_networks_are_by_stream_or_for_all(texts, by_stream):
    assert parse_backbones(texts) == by_stream


@pytest.mark.parametrize("texts", [("a", "b"), ("segments=a", "segments=b"), ("segments=",), ("",)])
def test_a_network_twice_or_without_a_name_is_reported(texts):
    with pytest.raises(
        click.UsageError, match="--backbone expects NAME or STREAM=NAME, once per stream; got"
    ):
        parse_backbones(texts)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (9.4, "0:09"), (59.6, "1:00"), (75.4, "1:15"), (3599.5, "1:00:00"), (3675, "1:01:15")],
)
def test_seconds_are_read_as_on_a_clock(seconds, text):
    assert clock_time(seconds) == text


def test_a_bar_without_progress_is_not_shown(monkeypatch):
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    with progress_bar(5, unit=" files"):
        pass
    assert shown.getvalue() == ""


def test_a_bar_in_a_file_is_a_line_with_its_last_state(monkeypatch):
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    with progress_bar(3, unit=" files") as bar:
        for _ in range(3):
            bar.update()
    assert "3/3" in shown.getvalue()
    assert shown.getvalue().isascii()
    assert shown.getvalue().count("\r") <= 3


def test_a_bar_shows_how_far_it_came_before_an_error(monkeypatch):
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)

    def fail() -> None:
        with progress_bar(3, unit=" files") as bar:
            bar.update(2)
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    assert "2/3" in shown.getvalue()


def test_broken_plug_ins_make_a_list_end_with_3(capsys):
    assert tell_broken_plugins([]) == 0
    assert tell_broken_plugins(iter(["one is broken", "another too"])) == 3
    assert capsys.readouterr().err.splitlines() == ["one is broken", "another too"]
