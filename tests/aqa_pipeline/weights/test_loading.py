"""Checkpoints of every shape become plain tensors; those that would run code do not run it."""

import collections
import os
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from aqa_pipeline.errors import WeightsError
from aqa_pipeline.weights import load_state_dict

STATE = {"conv.weight": torch.arange(6.0).reshape(2, 3), "bn.num_batches_tracked": torch.tensor(3)}
FORMATS = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])


class Runs:
    """A pickle that calls `function(argument)` when it is loaded naively."""

    def __init__(self, function, argument):
        self.call = function, (argument,)

    def __reduce__(self):
        return self.call


def assert_is_state(loaded):
    assert loaded.keys() == STATE.keys()
    assert all(torch.equal(loaded[key], STATE[key]) for key in STATE)


@FORMATS
@pytest.mark.parametrize(
    "wrapped",
    [
        STATE,
        collections.OrderedDict(STATE),
        {"state_dict": STATE, "epoch": 3, "lr": np.float64(0.01), "milestones": collections.Counter([1, 2])},
        {"model_state": STATE, "optimizer": {"param_groups": [{"lr": np.float32(0.1), "n": np.int64(2)}]}},
        {"state_dict": {f"module.{key}": value for key, value in STATE.items()}},
        {"model": STATE, "epoch": 3},
        {"module": STATE, "ds_version": "0.8.3"},
    ],
    ids=["bare", "ordered", "training", "model_state", "parallel", "model", "deepspeed"],
)
def test_checkpoints_are_unwrapped_to_plain_tensors(tmp_path, wrapped, zipped):
    torch.save(wrapped, tmp_path / "net.pt", _use_new_zipfile_serialization=zipped)
    assert_is_state(load_state_dict(tmp_path / "net.pt"))


def test_numbers_pickled_by_numpy_1_pass(tmp_path):
    torch.save(
        {"state_dict": STATE, "lr": np.float64(0.5)},
        tmp_path / "net.pt",
        _use_new_zipfile_serialization=False,
    )
    old = (
        (tmp_path / "net.pt").read_bytes().replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")
    )
    assert b"numpy.core.multiarray" in old
    (tmp_path / "net.pt").write_bytes(old)
    assert_is_state(load_state_dict(tmp_path / "net.pt"))


def test_safetensors_load(tmp_path):
    save_file(STATE, tmp_path / "net.safetensors")
    assert_is_state(load_state_dict(tmp_path / "net.safetensors"))


def test_a_prefix_that_only_some_names_have_is_part_of_them(tmp_path):
    torch.save({"module.a": torch.ones(1), "b": torch.ones(1)}, tmp_path / "net.pt")
    assert set(load_state_dict(tmp_path / "net.pt")) == {"module.a", "b"}


@FORMATS
@pytest.mark.parametrize("function", [os.system, exec])
def test_a_malicious_pickle_runs_nothing(tmp_path, function, zipped):
    victim = tmp_path / "victim"
    argument = f"touch '{victim}'" if function is os.system else f"open({str(victim)!r}, 'w').close()"
    torch.save(
        {"a": torch.ones(1), "b": Runs(function, argument)},
        tmp_path / "net.pt",
        _use_new_zipfile_serialization=zipped,
    )
    with pytest.raises(
        WeightsError, match=rf"was refused.* uses \S*{'posix.system' if function is os.system else 'exec'}\."
    ):
        load_state_dict(tmp_path / "net.pt")
    assert not victim.exists()
    function(argument)  # the attack works where it is let through: the test can fail
    assert victim.exists()


def test_a_plain_malicious_pickle_runs_nothing(tmp_path):
    victim = tmp_path / "victim"
    (tmp_path / "net.pt").write_bytes(pickle.dumps(Runs(os.system, f"touch '{victim}'"), protocol=2))
    with pytest.raises(WeightsError, match="was refused"):
        load_state_dict(tmp_path / "net.pt")
    assert not victim.exists()


def test_a_whole_module_is_refused_with_advice(tmp_path):
    torch.save(torch.nn.Linear(2, 2), tmp_path / "net.pt")
    with pytest.raises(
        WeightsError, match=r"torch.nn.modules.linear.Linear.*Save only the model's state_dict"
    ):
        load_state_dict(tmp_path / "net.pt")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty: download or copy it again"),
        (b"\n<!DOCTYPE html><html></html>", "is a web page, not a checkpoint"),
        (b"no checkpoint at all", "is damaged or not a checkpoint"),
        (bytes(1000), "is damaged or not a checkpoint"),
    ],
)
def test_what_is_no_checkpoint_is_reported(tmp_path, content, message):
    (tmp_path / "net.pt").write_bytes(content)
    with pytest.raises(WeightsError, match=message):
        load_state_dict(tmp_path / "net.pt")


@FORMATS
@pytest.mark.parametrize("kept", [0.3, 0.99])
def test_a_cut_checkpoint_is_damaged(tmp_path, zipped, kept):
    torch.save({"a": torch.ones(10_000)}, tmp_path / "net.pt", _use_new_zipfile_serialization=zipped)
    whole = (tmp_path / "net.pt").read_bytes()
    (tmp_path / "net.pt").write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(WeightsError, match="is damaged or not a checkpoint"):
        load_state_dict(tmp_path / "net.pt")


def test_a_damaged_safetensors_file_is_reported(tmp_path):
    (tmp_path / "net.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}{}{}{}")
    with pytest.raises(WeightsError, match="cannot be read as safetensors"):
        load_state_dict(tmp_path / "net.safetensors")


@pytest.mark.parametrize(
    "tensor",
    [
        torch.ones(1).expand(10**9, 10**6),
        torch.empty(10**9, 10**6, device="meta"),
        torch.eye(3).to_sparse(),
    ],
)
@pytest.mark.filterwarnings("ignore:Validating sparse")
def test_a_tensor_that_is_not_all_there_is_reported_before_anybody_copies_it(tmp_path, tensor):
    torch.save({**STATE, "huge": tensor}, tmp_path / "net.pt")
    with pytest.raises(WeightsError, match=r"net\.pt (holds tensors with more numbers.*: huge|was refused)"):
        load_state_dict(tmp_path / "net.pt")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (torch.ones(2), "holds Tensor, expected tensors by name"),
        ({}, "holds dict, expected tensors by name"),
        ({"epoch": 3, "weights": STATE}, r"more than tensors by name: \['epoch', 'weights'\]"),
    ],
)
def test_other_contents_are_reported(tmp_path, content, message):
    torch.save(content, tmp_path / "net.pt")
    with pytest.raises(WeightsError, match=message):
        load_state_dict(tmp_path / "net.pt")


def test_a_missing_file_is_reported(tmp_path):
    with pytest.raises(WeightsError, match="no checkpoint at"):
        load_state_dict(tmp_path / "nowhere.pt")
