"""Zero padding is folded into the max-pooling after it only where the function stays the same."""

from collections import Counter

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

openvino = pytest.importorskip("openvino", reason="needs the extra `openvino`")

from aqa_pipeline.backbones.networks.i3d import InceptionI3d  # noqa: E402
from extract.runtimes.openvino.fold_padding import fold_padding  # noqa: E402

SHAPE = (1, 3, 5, 9, 9)
pytestmark = [
    pytest.mark.filterwarnings("ignore:.torch.jit:FutureWarning"),
    pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning"),
]


class Pooled(nn.Module):
    def __init__(self, *, before, margins, value=0.0):
        super().__init__()
        self.before, self.margins, self.value = before, margins, value

    def forward(self, x):
        both = torch.cat([self.before(x), self.before(x + 1)], dim=1)
        padded = F.pad(both, self.margins, value=self.value)
        return F.max_pool3d(padded, (1, 3, 3), (1, 2, 2))


def kinds(model):
    return Counter(node.get_type_name() for node in model.get_ordered_ops())


def outputs(model, x):
    (output,) = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(x).values()
    return output


@pytest.mark.parametrize(
    ("before", "margins", "value", "num_left"),
    [
        (F.relu, (0, 1, 1, 1), 0.0, 0),
        (F.relu, (1, 0, 2, 1), 0.0, 0),
        (F.relu, (1, 0, 2, 1, 0, 1), 0.0, 1),  # the last window in time covers zeros alone
        (F.relu, (0, 1, 0, 1), 2.0, 1),  # the padding is not zero
        (F.relu, (0, 1, 0, 1, 0, 0, 0, 2), 0.0, 1),  # channels are padded
        (torch.neg, (0, 1, 0, 1), 0.0, 1),  # a zero may be the largest number
    ],
)
def test_it_is_the_same_function(before, margins, value, num_left):
    x = torch.randn(SHAPE, generator=torch.Generator().manual_seed(0))
    module = Pooled(before=before, margins=margins, value=value)
    model = openvino.convert_model(torch.jit.trace(module, x), example_input=x)
    model.reshape(list(SHAPE))
    assert kinds(model)["Pad"] == 1
    fold_padding(model)
    assert kinds(model)["Pad"] == num_left
    np.testing.assert_array_equal(outputs(model, x.numpy()), module(x).numpy())


def test_i3d_pads_nowhere_else():
    network, clip = InceptionI3d().eval(), torch.rand(1, 3, 16, 64, 64)
    with torch.inference_mode():
        model = openvino.convert_model(torch.jit.trace(network, clip), example_input=clip)
    model.reshape(list(clip.shape))
    before, expected = kinds(model), outputs(model, clip.numpy())
    fold_padding(model)
    assert (before["Pad"], kinds(model)["Pad"]) == (12, 0)
    np.testing.assert_array_equal(outputs(model, clip.numpy()), expected)
