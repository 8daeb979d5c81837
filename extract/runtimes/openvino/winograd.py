"""Apply Winograd's algorithm along time: compute four frames of a 3D convolution with fewer 2D convolutions.

The algorithm of `winograd_matrices` multiplies numbers. Here each of its products is a convolution of a frame
over height and width. Three taps need six products instead of twelve. The sums before and after the products
are sums of whole frames, and cheap in comparison. The result differs by float32 rounding: a few 1e-6 of the
largest value.

With a stride, an output does not see consecutive frames, and more than four taps would need matrices whose
entries differ too much in size. The taps are therefore split into trains: taps with equal distance, at most
four each. All trains share each product: their frames are stacked as channels. The seven taps of I3D's first
layer, which has stride two, make two trains.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from extract.runtimes.openvino.per_frame_ops import TIME, apply_ops, per_frame_ops_after
from extract.runtimes.openvino.winograd_matrices import MOST_TAPS, NUM_OUTPUTS, Transforms, transforms

if TYPE_CHECKING:
    import openvino
    from openvino import Node, Output

LEAST_GAIN = 100  # saved multiplications per number that the additional sums read or write


def spare_products(model: "openvino.Model") -> None:
    """Replace, in place, each 3D convolution of a float32 model by 2D ones where that is faster."""
    for node in model.get_ordered_ops():
        if node.get_type_name() == "Convolution" and (conv := _over_time(node)) and conv.gain >= LEAST_GAIN:
            ops = per_frame_ops_after(node)
            readers = [node, *ops][-1].output(0).get_target_inputs()
            frames = _frames(conv, ops)
            for reader in readers:
                reader.replace_source_output(frames)


@dataclass(frozen=True, eq=False)
class _OverTime:
    """A 3D convolution with its taps, stride and padding along time."""

    node: "Node"
    num_taps: int
    stride: int
    margin: int  # frames of zeros before the first frame

    @property
    def trains(self) -> list[range]:
        """The taps, split into trains of equal distance and at most `MOST_TAPS` taps."""
        by_phase = [range(first, self.num_taps, self.stride) for first in range(self.stride)]
        return [taps[at : at + MOST_TAPS] for taps in by_phase for at in range(0, len(taps), MOST_TAPS)]

    @property
    def transforms(self) -> Transforms:
        """The matrices for the longest train."""
        return transforms(max(map(len, self.trains)))

    @property
    def num_frames(self) -> tuple[int, int]:
        """The number of frames of the input, and of the output."""
        return self.node.input_value(0).shape[TIME], self.node.output(0).shape[TIME]

    @property
    def gain(self) -> float:
        """The saved multiplications per number moved; frames of zeros beyond the ends cost nothing."""
        num_before, num_behind = self.num_frames
        num_out, num_in, _, *taps = self.node.input_value(1).shape
        seen = np.add.outer(np.arange(num_behind) * self.stride, np.arange(self.num_taps)) - self.margin
        num_direct = np.count_nonzero((seen >= 0) & (seen < num_before))
        num_products = len(self.transforms.B) * -(-num_behind // NUM_OUTPUTS)
        num_in_all = num_in * len(self.trains)
        pixels_before, pixels_behind = (
            np.prod(each.shape[TIME + 1 :]) for each in (self.node.input_value(0), self.node.output(0))
        )
        products = num_direct * num_in - num_products * num_in_all
        moved = num_products * (num_in_all * pixels_before + num_out * pixels_behind)
        return float(np.prod(taps) * num_out * pixels_behind * products / moved)


def _over_time(node: "Node") -> _OverTime | None:
    """Return the convolution if the algorithm applies, else None.

    It applies to 3D convolutions with a constant kernel, without dilation, that pad at most half the taps.
    """
    attributes, kernel = node.get_attributes(), node.input_value(1)
    num_taps, *others = kernel.shape[TIME:]
    margins = [attributes[name][0] for name in ("pads_begin", "pads_end")]
    fits = (
        len(others) == 2
        and num_taps > 1
        and kernel.get_node().get_type_name() == "Constant"
        and set(attributes["dilations"]) == {1}
        and max(margins) <= num_taps // 2
    )
    return _OverTime(node, num_taps, attributes["strides"][0], margins[0]) if fits else None


def _frames(conv: _OverTime, ops: "Sequence[Node]") -> "Output":
    """Return the output of the convolution and the operations after it, computed four frames at a time.

    In the lists of frames, None stands for a frame of zeros beyond the ends.
    """
    from openvino import opset14

    source, kernel = conv.node.input_values()
    num_before, num_behind = conv.num_frames
    A, B = conv.transforms.A, conv.transforms.B
    kernels = [opset14.constant(each).output(0) for each in _kernels(conv, kernel.get_node().data)]
    real = opset14.split(source, TIME, num_before).outputs()
    beyond = [None] * (conv.num_taps + conv.stride * len(B))
    inputs: list[Output | None] = [*beyond[: conv.margin], *real, *beyond]
    outputs = []
    for start in range(0, num_behind, NUM_OUTPUTS):
        windows = [inputs[train.start :: conv.stride][start : start + len(B)] for train in conv.trains]
        products = [_product(conv, row, windows, kernel) for row, kernel in zip(B, kernels, strict=True)]
        outputs += [_sum(row, products) for row in A]
    return opset14.concat([apply_ops(each, ops) for each in outputs[:num_behind]], TIME).output(0)


def _kernels(conv: _OverTime, kernel: np.ndarray) -> np.ndarray:
    """Return the 2D kernels of each product: (product, out, train x in, 1, height, width)."""
    G = conv.transforms.G
    combined = [
        np.einsum("pt,oithw->poihw", G[:, : len(train)], kernel[:, :, train].astype(np.float64))
        for train in conv.trains
    ]
    return np.expand_dims(np.concatenate(combined, axis=2), 1 + TIME).astype(np.float32)


def _product(
    conv: _OverTime, row: np.ndarray, windows: "Sequence[Sequence[Output | None]]", kernel: "Output"
) -> "Output | None":
    """Return one product: the weighted sums of the trains' frames, stacked as channels, times the kernel."""
    from openvino import opset14

    sums = [_sum(row, window) for window in windows]
    some = next((each for each in sums if each is not None), None)
    if some is None:
        return None
    zero = opset14.constant(np.zeros(some.shape, np.float32)).output(0)
    frames = opset14.concat([zero if each is None else each for each in sums], 1).output(0)
    attributes = conv.node.get_attributes()
    step, begin, end = (attributes[name][1:] for name in ("strides", "pads_begin", "pads_end"))
    return opset14.convolution(frames, kernel, [1, *step], [0, *begin], [0, *end], [1, 1, 1]).output(0)


def _sum(row: np.ndarray, frames: "Sequence[Output | None]") -> "Output | None":
    """Return the sum of the frames, each times its factor; None if all are zero."""
    from openvino import opset14

    def times(factor: float, frame: "Output") -> "Output":
        return frame if factor == 1 else opset14.multiply(frame, np.float32(factor)).output(0)

    terms = zip(row.tolist(), frames, strict=True)
    summands = [times(factor, frame) for factor, frame in terms if factor and frame is not None]
    if not summands:
        return None
    return reduce(lambda total, summand: opset14.add(total, summand).output(0), summands)
