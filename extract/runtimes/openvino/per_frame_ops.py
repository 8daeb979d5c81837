"""What comes right behind a 3D convolution and does the same to every frame: bias, ReLU and pooling.

A convolution that is taken apart into frames has them done before the frames are put together again: of what
a pooling leaves out, nothing is copied.
"""

from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openvino import Node, Output

TIME = 2  # the axis of it, in maps and in kernels


def followers_of(node: "Node") -> "list[Node]":
    """The bias, the ReLU and the pooling right behind a convolution, where nothing else reads it."""
    followers: list[Node] = []
    for kind in ("Add", "Relu", "MaxPool"):
        readers = [each.get_node() for each in [node, *followers][-1].output(0).get_target_inputs()]
        if len(readers) == 1 and readers[0].get_type_name() == kind and _is_per_frame(readers[0]):
            followers += readers
    return followers


def _is_per_frame(follower: "Node") -> bool:
    """Whether it does the same to all frames, and to each alone."""
    if follower.get_type_name() == "MaxPool":
        attributes = follower.get_attributes()
        names = ("kernel", "strides", "pads_begin", "pads_end")
        return [attributes[name][0] for name in names] == [1, 1, 0, 0]
    return all(
        summand.get_node().get_type_name() == "Constant" and list(summand.shape[TIME:]) == [1, 1, 1]
        for summand in follower.input_values()[1:]
    )


def followed(frame: "Output", followers: "Sequence[Node]") -> "Output":
    """The frame after all of them."""
    return reduce(_behind, followers, frame)


def _behind(frame: "Output", follower: "Node") -> "Output":
    from openvino import opset14

    kind, attributes = follower.get_type_name(), follower.get_attributes()
    if kind == "Add":
        return opset14.add(frame, follower.input_value(1)).output(0)
    if kind == "Relu":
        return opset14.relu(frame).output(0)
    names = ("strides", "dilations", "pads_begin", "pads_end", "kernel")
    sizes = [attributes[name] for name in names]
    return opset14.max_pool(frame, *sizes, attributes["rounding_type"], attributes["auto_pad"]).output(0)
