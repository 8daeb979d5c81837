"""bf16 where the CPU has it; one clear sentence where it has not, whatever command asks for it."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

import cli
from aqa_pipeline import precision
from aqa_pipeline.errors import AqaError
from aqa_pipeline.precision import check_precision
from benchmarks import extract as extract_benchmark
from benchmarks import heads as heads_benchmark
from benchmarks import machine

REFUSAL = r"this CPU cannot compute in bf16: torch's oneDNN needs AVX-512 .* Use fp32, or another machine"

# The library is bound to older instructions, as it is on an older CPU; then it is seen what it can do.
PROBE = """
import os, sys
os.environ.update(ONEDNN_MAX_CPU_ISA=sys.argv[1])
import torch
from aqa_pipeline.precision import cpu_has_bf16
maps, kernel = (torch.zeros(1, 8, 4, 4, 4, dtype=torch.bfloat16) for _ in range(2))
try:
    torch.mkldnn_convolution(maps, kernel, None, (0, 0, 0), (1, 1, 1), (1, 1, 1), 1)
    works = True
except RuntimeError:
    works = False
print(works, cpu_has_bf16())
"""


@pytest.fixture
def without_bf16(monkeypatch):
    monkeypatch.setattr(precision, "cpu_has_bf16", lambda: False)
    monkeypatch.setattr(machine, "cpu_has_bf16", lambda: False)


@pytest.mark.parametrize("instructions", ["ALL", "AVX2", "SSE41"])
def test_the_answer_is_what_a_convolution_comes_to(instructions):
    run = [sys.executable, "-c", PROBE, instructions]
    works, answer = subprocess.run(run, capture_output=True, text=True, check=True).stdout.split()
    assert works == answer


@pytest.mark.usefixtures("without_bf16")
def test_only_what_the_device_lacks_is_refused():
    check_precision("fp32", device="cpu")
    check_precision("bf16", device="cuda")
    check_precision("fp16", device="cuda:1")
    for device in ("cpu", "cpu:0"):
        with pytest.raises(AqaError, match=REFUSAL):
            check_precision("bf16", device=device)
        with pytest.raises(AqaError, match="fp16 needs a GPU: on a CPU use fp32, or bf16"):
            check_precision("fp16", device=device)


@pytest.mark.usefixtures("without_bf16")
def test_every_command_says_so_before_it_works(tmp_path):
    data, store, out = tmp_path / "data", tmp_path / "store", tmp_path / "out"
    (data / "videos").mkdir(parents=True)
    (data / "videos" / "a.mp4").write_bytes(b"never opened")
    (data / "scores.csv").write_text("video,score\na.mp4,1\n")
    network = ["--streams", "frames", "--backbone", "resnet18", "--weights", "random:0"]
    ways = [
        ["extract", "--dataset", "folder", "--root", data, *network],
        ["fit", "--dataset", "folder", "--root", data, "--head", "action-net", "--out", out],
        ["reproduce", "action-net-table1", "--root", f"mit-skating={data}", "--out", out],
    ]
    for way in ways:
        options = [*way, "--store", store, "--device", "cpu", "--precision", "bf16"]
        result = CliRunner().invoke(cli.main, [str(option) for option in options])
        assert result.exit_code == 1, result.output
        assert "Error: this CPU cannot compute in bf16: torch's oneDNN needs AVX-512" in result.output
        assert not out.exists()


@pytest.mark.usefixtures("without_bf16")
@pytest.mark.parametrize("benchmark", [extract_benchmark, heads_benchmark])
def test_benchmarks_say_so_too(monkeypatch, capsys, benchmark):
    monkeypatch.setattr(sys, "argv", ["benchmark", "--precision", "bf16"])
    with pytest.raises(SystemExit):
        benchmark.parse_arguments()
    assert "error: this CPU cannot compute in bf16" in capsys.readouterr().err
    assert not machine.has_bf16()
