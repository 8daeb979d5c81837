"""Winograd's F(4, 3) along time: four frames of a 3x3x3 convolution with six products instead of twelve.

    y = A [(G g) * (B d)]      four neighbouring frames y from the six frames d around them, and the kernel g

(Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2015, section 4.1, along one axis.) Each
product is a convolution over height and width, so nearly half of the work is spared; the sums before and
behind are of whole frames, and cheap beside it. The rounding is that of float32: a few 1e-6 of the largest.
"""

from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import openvino
    from openvino import Node, Output

B = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
)
G = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 24
A = np.array(
    [
        [1, 1, 1, 1, 1, 0],
        [0, 1, -1, 2, -2, 0],
        [0, 1, 1, 4, 4, 0],
        [0, 1, -1, 8, -8, 1],
    ]
)
TIME = 2  # the axis of it, in maps and in kernels
LEAST_GAIN = 100  # multiplications spared for each number that the sums before and behind move


def spare_products(model: "openvino.Model") -> None:
    """Every 3x3x3 convolution of a model in float32 that gains by it becomes smaller ones, in place."""
    for node in model.get_ordered_ops():
        if node.get_type_name() == "Convolution" and _is_plain(node) and _gain(node) >= LEAST_GAIN:
            followers = _followers(node)
            readers = [node, *followers][-1].output(0).get_target_inputs()
            frames = _frames(node, followers)
            for reader in readers:
                reader.replace_source_output(frames)


def _is_plain(node: "Node") -> bool:
    """Three taps on each of three axes, step by step, as many frames as before."""
    attributes, kernel = node.get_attributes(), node.input_value(1)
    expected = {"strides": 1, "dilations": 1, "pads_begin": 1, "pads_end": 1}
    return (
        kernel.get_node().get_type_name() == "Constant"
        and list(kernel.shape[TIME:]) == [3, 3, 3]
        and all(set(attributes[name]) == {value} for name, value in expected.items())
    )


def _gain(node: "Node") -> float:
    """Multiplications spared for each number moved; the zeros beyond the ends cost nothing either way."""
    num_out, num_in, *_ = node.input_value(1).shape
    num_frames = node.input_value(0).shape[TIME]
    num_direct, num_products = 3 * num_frames - 2, len(B) * -(-num_frames // len(A))
    spared = 9 * num_in * num_out * (num_direct - num_products)
    return float(spared / (num_products * (num_in + num_out)))


def _followers(node: "Node") -> "list[Node]":
    """The bias and the ReLU right behind a convolution, where nothing else reads it."""
    followers: list[Node] = []
    for kind in ("Add", "Relu"):
        readers = [each.get_node() for each in [node, *followers][-1].output(0).get_target_inputs()]
        if len(readers) == 1 and readers[0].get_type_name() == kind and _is_per_channel(readers[0]):
            followers += readers
    return followers


def _is_per_channel(follower: "Node") -> bool:
    """Whether it does the same to all frames."""
    return all(
        summand.get_node().get_type_name() == "Constant" and list(summand.shape[TIME:]) == [1, 1, 1]
        for summand in follower.input_values()[1:]
    )


def _frames(node: "Node", followers: "Sequence[Node]") -> "Output":
    """What the convolution and its followers give, four frames at once; None is a frame beyond the ends."""
    from openvino import opset14

    source, kernel = node.input_values()
    num_frames = source.shape[TIME]
    kernels = [opset14.constant(each).output(0) for each in _kernels(kernel.get_node().data)]
    inputs: list[Output | None] = [None, *opset14.split(source, TIME, num_frames).outputs(), *[None] * len(A)]
    outputs = []
    for start in range(0, num_frames, len(A)):
        window = inputs[start : start + len(B)]
        products = [_product(_sum(row, window), kernel) for row, kernel in zip(B, kernels, strict=True)]
        outputs += [_followed(_sum(row, products), followers) for row in A]
    return opset14.concat(outputs[:num_frames], TIME).output(0)


def _kernels(kernel: np.ndarray) -> np.ndarray:
    """The six kernels over height and width, (6, out, in, 1, 3, 3)."""
    combined = np.einsum("pt,oithw->poihw", G, kernel.astype(np.float64))
    return np.expand_dims(combined, 1 + TIME).astype(np.float32)


def _product(frame: "Output", kernel: "Output") -> "Output":
    from openvino import opset14

    step, margin = [1, 1, 1], [0, 1, 1]
    return opset14.convolution(frame, kernel, step, margin, margin, step).output(0)


def _sum(row: np.ndarray, frames: "Sequence[Output | None]") -> "Output":
    """The sum of the frames, each times its factor."""
    from openvino import opset14

    def times(factor: float, frame: "Output") -> "Output":
        return frame if factor == 1 else opset14.multiply(frame, np.float32(factor)).output(0)

    terms = zip(row.tolist(), frames, strict=True)
    summands = [times(factor, frame) for factor, frame in terms if factor and frame is not None]
    return reduce(lambda total, summand: opset14.add(total, summand).output(0), summands)


def _followed(frame: "Output", followers: "Sequence[Node]") -> "Output":
    from openvino import opset14

    for follower in followers:
        _, *summands = follower.input_values()
        frame = (opset14.add(frame, *summands) if summands else opset14.relu(frame)).output(0)
    return frame
