"""Operations right after a 3D convolution that treat every frame alike: bias, ReLU and pooling.

A convolution that is split into frames applies them to each frame before it joins the frames. Pixels that a
pooling drops are then never copied.
"""

from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openvino import Node, Output

TIME = 2  # the axis of time, in maps and in kernels


def per_frame_ops_after(node: "Node") -> "list[Node]":
    """Return the bias, ReLU and pooling right after a convolution that nothing else reads."""
    ops: list[Node] = []
    for kind in ("Add", "Relu", "MaxPool"):
        readers = [each.get_node() for each in [node, *ops][-1].output(0).get_target_inputs()]
        if len(readers) == 1 and readers[0].get_type_name() == kind and _is_per_frame(readers[0]):
            ops += readers
    return ops


def _is_per_frame(op: "Node") -> bool:
    """Return True if the operation treats each frame alone and all frames alike."""
    if op.get_type_name() == "MaxPool":
        attributes = op.get_attributes()
        names = ("kernel", "strides", "pads_begin", "pads_end")
        return [attributes[name][0] for name in names] == [1, 1, 0, 0]
    return all(
        summand.get_node().get_type_name() == "Constant" and list(summand.shape[TIME:]) == [1, 1, 1]
        for summand in op.input_values()[1:]
    )


def apply_ops(frame: "Output", ops: "Sequence[Node]") -> "Output":
    """Return one frame after all the operations, applied in order."""
    return reduce(_apply, ops, frame)


def _apply(frame: "Output", op: "Node") -> "Output":
    from openvino import opset14

    kind, attributes = op.get_type_name(), op.get_attributes()
    if kind == "Add":
        return opset14.add(frame, op.input_value(1)).output(0)
    if kind == "Relu":
        return opset14.relu(frame).output(0)
    names = ("strides", "dilations", "pads_begin", "pads_end", "kernel")
    sizes = [attributes[name] for name in names]
    return opset14.max_pool(frame, *sizes, attributes["rounding_type"], attributes["auto_pad"]).output(0)
