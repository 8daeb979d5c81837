"""Every runtime gives the network's features; `auto` chooses one, and says which and why."""

import json
import logging
import math
import shutil
import sys
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from aqa_pipeline.backbones import BACKBONES
from aqa_pipeline.backbones.preprocess import get_preprocess
from aqa_pipeline.errors import AqaError
from aqa_pipeline.installation import install_command
from extract.runtimes import Runner, versions
from extract.runtimes import choose as choosing
from extract.runtimes.choose import (
    check_runtime,
    choose_runtime,
    preparation,
    reason_against,
    relative_difference,
)
from extract.runtimes.load_backbone import LoadedBackbone, load_backbone
from extract.runtimes.measured_speed import Finding, recall, remember
from extract.runtimes.normalize import UpTo
from extract.runtimes.openvino.run import check_openvino
from extract.runtimes.program import CannotRun
from extract.runtimes.torch_compile import COMPILERS

FP32 = 1e-5  # relative to the norm of the features
BF16 = 2e-2  # eight bits


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AQA_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def no_openvino(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)  # importing it fails


@pytest.fixture(params=["eager", "compile", "openvino"])
def prepare(request):
    """Return a runtime's `prepare` function; skip if this machine lacks what the runtime needs."""
    if request.param == "openvino":
        pytest.importorskip("openvino", reason="needs the extra `openvino`")
    if request.param == "compile" and not any(map(shutil.which, COMPILERS)):
        pytest.skip("needs a C++ compiler")
    return preparation(request.param)


@pytest.mark.slow
@pytest.mark.parametrize("clips", [False, True])
def test_every_runtime_gives_the_features_of_the_formula(prepare, make_program, make_batch, by_hand, clips):
    program = make_program(clips=clips)
    run = prepare(program, make_batch(3, clips=clips))
    for number in (3, 1, 2):  # the last batches of a video are smaller
        batch = make_batch(number, clips=clips)
        features = run(batch)
        assert features.dtype == np.float32
        assert relative_difference(features, by_hand(program, batch)) < FP32


@pytest.mark.slow
def test_every_runtime_gives_maps(prepare, make_program, make_batch, by_hand):
    program = make_program(looks_at_shape=True)
    program = replace(program, network=partial(UpTo, program.network(), "stem"))
    batch = make_batch(2)
    maps = prepare(program, batch)(batch)
    assert maps.shape == (2, 5, 6, 12, 12)
    assert relative_difference(maps, by_hand(program, batch)) < FP32


def test_features_stay_when_the_next_are_made(prepare, make_program, make_batch):
    run = prepare(make_program(), make_batch(2))
    first = run(make_batch(2))
    kept = first.copy()
    run(make_batch(2) // 2)
    np.testing.assert_array_equal(first, kept)


@pytest.mark.usefixtures("bf16")
def test_bf16_is_close_and_not_the_same(make_program, make_batch, by_hand):
    program = make_program(precision="bf16")
    batch = make_batch(2)
    difference = relative_difference(preparation("eager")(program, batch)(batch), by_hand(program, batch))
    assert FP32 < difference < BF16


def test_openvino_refuses_a_precision_that_this_cpu_lacks(make_program, make_batch):
    openvino = pytest.importorskip("openvino", reason="needs the extra `openvino`")
    if "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("this CPU has bf16")
    with pytest.raises(AqaError, match=r"--runtime openvino: this CPU has no bf16.*such as --runtime eager"):
        check_runtime("openvino", device="cpu", precision="bf16")
    chosen = choose_runtime(make_program(precision="bf16"), "auto", make_batch(1))
    assert (chosen.runtime, chosen.reason[:21]) == ("eager", "this CPU has no bf16,")


def test_openvino_stays_on_the_cpu():
    with pytest.raises(CannotRun, match="on the CPU here, not on cuda:1"):
        check_openvino("cuda:1", "fp32")


@pytest.mark.usefixtures("no_openvino")
def test_without_openvino_auto_takes_eager_and_says_how_to_get_it(make_program, make_batch, by_hand):
    program, batch = make_program(), make_batch(2)
    chosen = choose_runtime(program, "auto", batch)
    assert (chosen.runtime, chosen.reason) == (
        "eager",
        f"OpenVINO is not installed ({install_command('openvino')})",
    )
    assert relative_difference(chosen.run(batch), by_hand(program, batch)) < FP32


@pytest.mark.usefixtures("no_openvino")
def test_a_missing_openvino_is_an_error_before_a_network_is_loaded():
    with pytest.raises(AqaError, match=r"--runtime openvino: OpenVINO is not installed \(pip install"):
        load_backbone("i3d", weights="missing.pt", device="cpu", precision="fp32", runtime="openvino")


def test_a_missing_compiler_is_an_error_before_a_network_is_loaded(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(AqaError, match=r"--runtime compile: .* C\+\+ compiler.* \(no-such-compiler\)"):
        load_backbone("i3d", weights="missing.pt", device="cpu", precision="fp32", runtime="compile")


def test_a_network_that_openvino_cannot_convert_runs_eagerly_in_auto(make_program, make_batch):
    pytest.importorskip("openvino", reason="needs the extra `openvino`")

    class Odd(torch.nn.Module):
        def forward(self, pictures):
            return torch.special.bessel_j0(pictures.flatten(1))[:, :4]

    program, batch = replace(make_program(), network=Odd), make_batch(2)
    chosen = choose_runtime(program, "auto", batch)
    assert chosen.runtime == "eager"
    assert chosen.reason.startswith("OpenVINO cannot convert small (")
    assert chosen.reason.endswith("operations: aten::special_bessel_j0)")
    with pytest.raises(AqaError, match=r"--runtime openvino: OpenVINO cannot convert small"):
        choose_runtime(program, "openvino", batch)
    assert logging.getLogger("extract").isEnabledFor(logging.WARNING)  # OpenVINO silences the root logger


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (Finding(2.0, 1e-6, 1e-7), ""),
        (Finding(0.9, 1e-6, 1e-7), ""),
        (Finding(0.5, 1e-6, 1e-7), "OpenVINO is 0.50 times as fast here"),
        (Finding(2.0, 2e-3, 1e-7), "with OpenVINO features would differ by 2e-03, more than 1e-03"),
        (Finding(2.0, 3e-2, 2e-2), ""),  # in bf16 torch itself is that far away
        (Finding(2.0, 5e-2, 2e-2), "with OpenVINO features would differ by 5e-02, more than 4e-02"),
        (Finding(2.0, math.nan, math.nan), "with OpenVINO features would differ by nan, more than 1e-03"),
    ],
)
def test_the_reason_against_openvino(found, reason):
    assert reason_against(found) == reason


def test_auto_measures_once_and_remembers(make_program, make_batch, monkeypatch, home):
    pytest.importorskip("openvino", reason="needs the extra `openvino`")
    measured, measure = [], choosing._measure

    def counted(*given):
        measured.append(measure(*given))
        return replace(measured[-1], speedup=3.0)

    monkeypatch.setattr(choosing, "_measure", counted)
    for _ in range(2):
        chosen = choose_runtime(make_program(), "auto", make_batch(2))
        assert chosen.runtime == "openvino"
        assert chosen.reason.startswith("3.0 times as fast as eager here, features within ")
    assert len(measured) == 1
    assert measured[0].difference < FP32
    assert measured[0].speedup > 0
    assert len(json.loads((home / "runtimes.json").read_text())) == 1


def test_findings_are_of_one_network_precision_and_number_of_threads(make_program):
    found = Finding(2.0, 1e-6, 1e-7)
    remember(make_program(), found)
    assert recall(make_program()) == found
    assert recall(make_program(precision="bf16")) is None
    assert recall(make_program(weights="small random:1")) is None
    before = torch.get_num_threads()
    torch.set_num_threads(before + 1)
    assert recall(make_program()) is None
    torch.set_num_threads(before)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"small": 1}'])
def test_a_broken_file_of_findings_is_measured_over(make_program, home, content):
    home.mkdir()
    (home / "runtimes.json").write_text(content)
    assert recall(make_program()) is None
    remember(make_program(), Finding(2.0, 1e-6, 1e-7))
    assert recall(make_program()) == Finding(2.0, 1e-6, 1e-7)


def test_findings_of_other_code_are_not_read(make_program, tmp_path, monkeypatch):
    remember(make_program(), Finding(2.0, 1e-6, 1e-7))
    (tmp_path / "new.py").touch()
    monkeypatch.setattr(versions, "OURS", (tmp_path,))
    assert recall(make_program()) is None


def test_findings_of_another_version_are_not_read(make_program, home):
    remember(make_program(), Finding(2.0, 1e-6, 1e-7))
    known = json.loads((home / "runtimes.json").read_text())
    (home / "runtimes.json").write_text(json.dumps({key: {"speed": 1} for key in known}))
    assert recall(make_program()) is None


def test_a_folder_that_cannot_be_written_stops_nobody(make_program, home):
    home.write_text("a file")
    remember(make_program(), Finding(2.0, 1e-6, 1e-7))
    assert recall(make_program()) is None


def test_on_a_gpu_auto_is_eager_torch(make_program, make_batch, monkeypatch):
    monkeypatch.setattr(choosing, "preparation", {"eager": lambda program, example: None}.get)
    assert choose_runtime(make_program(device="cuda:1"), "auto", make_batch(1)).runtime == "eager"


def test_a_runner_chooses_with_the_first_batch_that_fits(make_program, make_batch, by_hand, monkeypatch):
    """Preparing a program on a GPU may run out of memory too."""
    program, tried = make_program(), []

    def choose(program, wanted, batch):
        tried.append(len(batch))
        if len(batch) > 2:
            raise torch.OutOfMemoryError
        return choose_runtime(program, wanted, batch)

    monkeypatch.setattr(choosing, "choose_runtime", choose)
    runner = Runner(program, "eager")
    assert (runner.runtime, runner.summary) == (None, "small has not run yet")
    batch = make_batch(4)
    assert relative_difference(runner(batch), by_hand(program, batch)) < FP32
    assert tried == [4, 2]
    assert (runner.runtime, runner.summary) == ("eager", "small runs in eager")


@pytest.mark.parametrize(("runtime", "counts"), [("eager", {}), ("openvino", {"num_steps_by_openvino": 7})])
def test_a_record_counts_steps_that_were_not_made_eagerly(make_program, runtime, counts):
    if runtime == "openvino":
        pytest.importorskip("openvino", reason="needs the extra `openvino`")
    preprocess = replace(get_preprocess("squash-224"), size=12)
    network = make_program(clips=False).network
    loaded = LoadedBackbone(BACKBONES["resnet18"], preprocess, "random:0", "cpu", "fp32", network, runtime)
    facts = loaded.facts
    loaded.features(np.zeros((2, 12, 12, 3), np.uint8))
    assert loaded.counts(7) == counts
    assert loaded.facts == facts
    assert replace(loaded, runtime="eager").counts(7) == {}
