"""Benchmarks compare equal functions, and their arithmetic is right."""

import json
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from aqa_pipeline.backbones import BACKBONES
from aqa_pipeline.backbones.networks.i3d import InceptionI3d
from aqa_pipeline.backbones.networks.i3d_layers import SamePool
from aqa_pipeline.backbones.preprocess import get_preprocess
from aqa_pipeline.video import open_video
from benchmarks import machine, report, scaling
from benchmarks.rows import Row, in_turn, not_here, publish, times_as_fast
from benchmarks.work.released import PlainExtraction, PortsPool, as_released
from benchmarks.work.rendering import FPS, render, repeat
from extract.runtimes.load_backbone import LoadedBackbone


@pytest.mark.parametrize("padding", ["static", "dynamic"])
def test_the_released_form_of_i3d_is_the_same_function_by_torchs_own_pool(padding):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = InceptionI3d(padding=padding).eval().to(memory_format=torch.channels_last_3d)
        clip = torch.randn(1, 3, 16, 64, 64)
    plain = as_released(network)
    kinds = [type(module) for module in plain.modules()]
    assert kinds.count(PortsPool) == 13
    assert plain.get_submodule("Conv3d_2c_3x3.conv3d").weight.is_contiguous()
    with torch.inference_mode():
        expected, found = network(clip), plain(clip)
    assert (found - expected).norm() < 1e-5 * expected.norm()


@pytest.mark.parametrize("size", [7, 8])
def test_the_ports_pool_pads_with_zeros_at_odd_sizes(size):
    ours = SamePool((3, 3, 3), (2, 2, 2), padding="static")
    maps = -torch.rand(1, 2, size, size, size, generator=torch.Generator().manual_seed(0))
    assert torch.equal(PortsPool(ours)(maps), ours(maps))


def test_an_hour_is_the_minute_again_and_again(tmp_path):
    short, boxes = render(tmp_path, "short", seconds=1)
    long = repeat(short.path, tmp_path / "long.mp4", times=3)
    with open_video(long) as opened:
        assert opened.damage is None
        assert opened.timeline.num_frames == 3 * FPS == 3 * len(boxes)
        frames = dict(opened.frames([5, 5 + FPS, 5 + 2 * FPS]))
    assert np.array_equal(frames[5], frames[5 + FPS])
    assert np.array_equal(frames[5], frames[5 + 2 * FPS])


def test_the_plain_way_takes_the_steps_that_ours_takes(tmp_path):
    """The plain way takes five frames a second, in clips of sixteen, and one crop a second."""

    class Mean(nn.Module):
        def forward(self, pictures):
            return pictures.flatten(2).mean(2)

    def loaded(name):
        backbone = BACKBONES[name]
        preprocess = get_preprocess(backbone.preprocess["paper"])
        return LoadedBackbone(backbone, preprocess, "random:0", "cpu", "fp32", Mean)

    video, boxes = render(tmp_path, "video", seconds=7)
    segments, crops = PlainExtraction(loaded("i3d"), loaded("resnet50")).run(video.path, boxes, tmp_path)
    assert segments.shape == (2, 3)
    assert crops.shape == (7, 3)
    red_minus_green = crops[:, 0] - crops[:, 1]
    assert (red_minus_green > 1).all()  # the athlete is red, and fills the crop
    assert len(list(tmp_path.glob("frame-*.jpg"))) == len(list(tmp_path.glob("crop-*.jpg"))) == 7


def test_ways_are_timed_in_turn_after_a_round_that_warms_up():
    calls = []
    seconds = in_turn(
        {"plain": lambda: calls.append("plain"), "ours": lambda: calls.append("ours")}, rounds=2
    )
    assert calls == ["plain", "ours"] * 3
    assert {name: len(taken) for name, taken in seconds.items()} == {"plain": 2, "ours": 2}


def test_ratios_are_of_the_same_round():
    assert times_as_fast([2.0, 4.0, 9.0], [1.0, 2.0, 3.0]) == "2.00x (2.00-3.00)"


def test_rows_reach_the_page(tmp_path, capsys):
    rows = [Row("I3D", "3.0x", "2.4x", "10 ms", "4 ms"), not_here("I3D, bf16", "5.0x", "a GPU | two")]
    publish(rows, tmp_path / "rows.json")
    assert "not measured: needs a GPU" in capsys.readouterr().out
    assert [Row(**row) for row in json.loads((tmp_path / "rows.json").read_text())] == rows
    assert report.markdown(rows).splitlines() == [
        "| what | at least | reached | plain | ours |",
        "|---|---|---|---|---|",
        "| I3D | 3.0x | 2.4x | 10 ms | 4 ms |",
        "| I3D, bf16 | 5.0x | not measured: needs a GPU / two |  |  |",
    ]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("no_such_script", "Failed: .*No module named benchmarks.no_such_script"),
        ("machine", "Not finished after 0 s"),
    ],
)
def test_a_script_that_fails_is_named_in_the_page(script, said):
    limit = 60 if script == "no_such_script" else 0
    assert re.search(said, report.text_of(report.Section(script, "Title", limit)))


def test_a_line_is_fitted():
    taken = [scaling.Taken(3.0 + 2.0 * size, 0.0) for size in (1, 2, 4, 8)]
    line = scaling.fit((1, 2, 4, 8), taken)
    assert (line.slope, line.start, line.explained) == pytest.approx((2.0, 3.0, 1.0))
    bent = scaling.fit((1, 2, 4, 8), [replace(each, seconds=each.seconds**3) for each in taken])
    assert bent.explained < 0.97


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="memory is read from /proc")
def test_memory_is_that_of_all_processes_together(tmp_path, monkeypatch):
    """Two processes hold 60 MB each until both were sampled."""
    hold = (
        "import pathlib, sys, time; held = bytearray(60_000_000); home = pathlib.Path(sys.argv[1]);"
        " (home / sys.argv[2]).touch()\nwhile not (home / 'seen').exists(): time.sleep(0.02)"
    )
    code = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {hold!r}, sys.argv[1], 'b'])"
    held = []

    def after_a_look(seconds):
        if held:  # since an earlier look
            (tmp_path / "seen").touch()
        elif (tmp_path / "a").exists() and (tmp_path / "b").exists():
            held.append(True)
        time.sleep(0.02)

    clock = SimpleNamespace(perf_counter=time.perf_counter, sleep=after_a_look)
    monkeypatch.setattr(scaling, "time", clock)
    command = [sys.executable, "-c", f"{code}\n{hold}\np.wait()", str(tmp_path), "a"]
    taken = scaling.run(command, home=tmp_path)
    assert 120 < taken.megabytes < 200
    assert taken.seconds > 0
    with pytest.raises(SystemExit, match=r"failed:\n.*boom"):
        scaling.run([sys.executable, "-c", "raise SystemExit('boom')"], home=tmp_path)


def test_the_machine_is_described():
    lines = "\n".join(machine.facts())
    assert f"torch {torch.__version__.split('+')[0]}" in lines
    assert f"{torch.get_num_threads()} threads used" in lines
    assert set(machine.flags()) <= set(machine.FLAGS)


@pytest.mark.parametrize(
    "script",
    [
        "adapted",
        "backbones",
        "extract",
        "heads",
        "machine",
        "networks",
        "report",
        "scaling",
        "tube_attention",
    ],
)
def test_every_script_explains_itself(script):
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{script}", "--help"],
        capture_output=True,
        text=True,
        check=True,
        cwd=report.ROOT,
    )
    assert f"python -m benchmarks.{script}" in done.stdout
