"""A network is converted for OpenVINO once; another one, or a damaged file, is converted anew."""

import os
from dataclasses import replace

import pytest
import torch

from extract.backbones.runtimes import conversions
from extract.backbones.runtimes import openvino as runtime
from extract.backbones.runtimes.conversions import conversion_name, keep_conversion, recall_conversion

pytest.importorskip("openvino", reason="needs the extra `openvino`")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AQA_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def converted(monkeypatch):
    """The programs that were converted, and not recalled."""
    programs, convert = [], runtime._converted

    def counted(program, example):
        programs.append(program)
        return convert(program, example)

    monkeypatch.setattr(runtime, "_converted", counted)
    return programs


def test_a_recalled_network_gives_the_very_bits_of_the_converted_one(make_program, make_batch, converted):
    batch = make_batch(3)
    first, second = (runtime.prepare_openvino(make_program(), batch)(batch) for _ in range(2))
    assert torch.equal(first, second)
    assert len(converted) == 1


def test_whatever_decides_on_the_conversion_is_in_its_name(make_program, make_batch, monkeypatch):
    batch = make_batch(1)
    names = {conversion_name(make_program(), batch)}
    assert names == {conversion_name(make_program(), batch.clone())}

    other_weights = make_program()
    with torch.no_grad():
        other_weights.network.block[0].weight[0, 0] += 1e-6
    names.add(conversion_name(other_weights, batch))
    names.add(conversion_name(make_program(precision="bf16"), batch))
    names.add(conversion_name(make_program(std=(0.2, 0.3, 0.5)), batch))
    names.add(conversion_name(make_program(), make_batch(1)[:, :4]))
    monkeypatch.setattr(conversions, "versions", lambda: ["openvino 1"])
    names.add(conversion_name(make_program(), batch))
    assert len(names) == 6


def test_other_source_code_is_another_network(make_program, make_batch, tmp_path, monkeypatch):
    before = conversion_name(make_program(), make_batch(1))
    (tmp_path / "new.py").write_text("x = 1\n")
    monkeypatch.setattr(conversions, "OURS", tmp_path)
    after = conversion_name(make_program(), make_batch(1))
    (tmp_path / "newer.py").write_text("x = 2\n")
    assert len({before, after, conversion_name(make_program(), make_batch(1))}) == 3


@pytest.mark.parametrize("damage", [b"", b"\x00" * 40, None])
def test_a_damaged_file_is_converted_over(make_program, make_batch, home, converted, damage):
    batch = make_batch(1)
    features = runtime.prepare_openvino(make_program(), batch)(batch)
    (kept,) = (home / "converted").iterdir()
    content = bytearray(kept.read_bytes())
    content[-5] ^= 1
    kept.write_bytes(bytes(content) if damage is None else damage)
    for _ in range(2):
        assert torch.equal(runtime.prepare_openvino(make_program(), batch)(batch), features)
    assert len(converted) == 2


def test_what_openvino_does_not_take_is_converted_over(make_program, make_batch, converted):
    batch = make_batch(1)
    keep_conversion(conversion_name(make_program(), batch), b"of another OpenVINO")
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
