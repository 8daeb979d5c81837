"""Which device `auto` is, and what is said of one that is not there."""

import subprocess
import sys

import pytest
import torch

from aqa_pipeline.commands import options
from aqa_pipeline.commands.options import pick_device
from aqa_pipeline.errors import AqaError


def test_auto_is_what_torch_would_take():
    assert pick_device("auto") == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("found", [True, False])
def test_with_a_driver_torch_is_asked(monkeypatch, found):
    monkeypatch.setattr(options, "_has_driver", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: found)
    assert pick_device("auto") == ("cuda" if found else "cpu")


def test_a_device_that_is_not_there_is_reported():
    with pytest.raises(AqaError, match=r"device 'cuda:99' cannot be used: .* Try --device cpu"):
        pick_device("cuda:99")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("device", ["cpu", "auto"])
def test_without_a_gpu_torch_is_not_imported(device):
    code = (
        "import sys; from aqa_pipeline.commands.options import pick_device;"
        f" print(pick_device({device!r}), 'torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["cpu", "False"]
