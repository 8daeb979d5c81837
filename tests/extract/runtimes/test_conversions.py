"""A network is converted for OpenVINO once; another network or a damaged file is converted again."""

import os
from dataclasses import replace

import numpy as np
import pytest

from extract.runtimes import versions
from extract.runtimes.openvino import cache as conversions
from extract.runtimes.openvino import run as runtime
from extract.runtimes.openvino.cache import conversion_name, is_any_kept, keep_conversion, recall_conversion

pytest.importorskip("openvino", reason="needs the extra `openvino`")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AQA_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def converted(monkeypatch):
    """Return the list of programs that were converted, not read from the cache."""
    programs, convert = [], runtime._converted

    def counted(program, example):
        programs.append(program)
        return convert(program, example)

    monkeypatch.setattr(runtime, "_converted", counted)
    return programs


def test_a_recalled_network_gives_the_very_bits_of_the_converted_one(make_program, make_batch, converted):
    batch = make_batch(3)
    first, second = (runtime.prepare_openvino(make_program(), batch)(batch) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert len(converted) == 1


def test_where_a_network_is_recalled_it_is_not_even_built(make_program, make_batch):
    batch = make_batch(2)
    features = runtime.prepare_openvino(make_program(), batch)(batch)

    def never():
        raise AssertionError("built")

    recalled = runtime.prepare_openvino(make_program(network=never), batch)
    np.testing.assert_array_equal(recalled(batch), features)


def test_a_plugins_network_is_converted_at_every_start(make_program, make_batch, converted, home):
    """A plug-in's code may change without a change of any digest."""
    for _ in range(2):
        runtime.prepare_openvino(make_program(ours=False), make_batch(1))
    assert len(converted) == 2
    assert not (home / "converted").exists()


def test_whatever_decides_on_the_conversion_is_in_its_name(make_program, monkeypatch):
    shape = (1, 6, 12, 12, 3)
    names = {conversion_name(make_program(), shape)}
    assert names == {conversion_name(make_program(), shape)}

    names.add(conversion_name(make_program(weights="small random:1"), shape))
    names.add(conversion_name(make_program(output="none stem"), shape))
    names.add(conversion_name(make_program(precision="bf16"), shape))
    names.add(conversion_name(make_program(std=(0.2, 0.3, 0.5)), shape))
    names.add(conversion_name(make_program(), (1, 4, 12, 12, 3)))
    monkeypatch.setattr(conversions, "versions", lambda: ["openvino 1"])
    names.add(conversion_name(make_program(), shape))
    assert len(names) == 7


def test_other_source_code_is_another_network(make_program, tmp_path, monkeypatch):
    names = {conversion_name(make_program(), (1, 3))}
    for content in ("x = 1\n", "x = 2\n"):
        folder = tmp_path / str(len(names))
        folder.mkdir()
        (folder / "new.py").write_text(content)
        monkeypatch.setattr(versions, "OURS", (folder,))
        names.add(conversion_name(make_program(), (1, 3)))
    assert len(names) == 3


def test_a_network_is_known_once_any_of_its_outputs_was_kept(make_program, make_batch, monkeypatch):
    assert not is_any_kept("small random:0")
    runtime.prepare_openvino(make_program(), make_batch(1))
    assert is_any_kept("small random:0")
    assert not is_any_kept("small random:1")
    monkeypatch.setattr(conversions, "versions", lambda: ["openvino 1"])
    assert not is_any_kept("small random:0")


@pytest.mark.parametrize("damage", [b"", b"\x00" * 40, None])
def test_a_damaged_file_is_converted_over(make_program, make_batch, home, converted, damage):
    batch = make_batch(1)
    features = runtime.prepare_openvino(make_program(), batch)(batch)
    (kept,) = (home / "converted").iterdir()
    content = bytearray(kept.read_bytes())
    content[-5] ^= 1
    kept.write_bytes(bytes(content) if damage is None else damage)
    for _ in range(2):
        np.testing.assert_array_equal(runtime.prepare_openvino(make_program(), batch)(batch), features)
    assert len(converted) == 2


def test_what_openvino_does_not_take_is_converted_over(make_program, make_batch, converted):
    batch = make_batch(1)
    keep_conversion(conversion_name(make_program(), batch.shape), b"of another OpenVINO")
    runtime.prepare_openvino(make_program(), batch)(batch)
    assert len(converted) == 1


def test_those_used_last_stay(home):
    for number in range(conversions.NUM_KEPT):
        keep_conversion(f"n{number}", b"content")
        path = home / "converted" / f"n{number}.openvino"
        os.utime(path, (number, number))
    assert recall_conversion("n0") == b"content"
    keep_conversion("new", b"content")
    assert recall_conversion("n0") == recall_conversion("new") == b"content"
    assert recall_conversion("n1") is None
    assert len(list((home / "converted").iterdir())) == conversions.NUM_KEPT


def test_a_folder_that_cannot_be_written_stops_nobody(make_program, make_batch, home):
    home.write_text("a file")
    batch = make_batch(2)
    program = replace(make_program(), name="unkept")
    assert len(runtime.prepare_openvino(program, batch)(batch)) == 2
