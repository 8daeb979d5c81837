"""Fold zero padding into the max-pooling after it: OpenVINO's own padding is a slow scalar loop.

OpenVINO's max-pooling pads with minus infinity. The function stays the same only if no number of the map is
negative and every window covers a part of the map.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import openvino
    from openvino import Node, Output

KEEP_SIGN = ("Concat", "MaxPool", "Pad")  # operations that give no negative number unless they get one


def fold_padding(model: "openvino.Model") -> None:
    """Replace, in place, each zero padding with a max-pooling after it by a max-pooling that pads."""
    for node in model.get_ordered_ops():
        if node.get_type_name() != "MaxPool":
            continue
        pad = node.input_value(0).get_node()
        if _puts_zeros_around(pad) and _is_never_negative(pad) and _always_sees_the_map(node, pad):
            for reader in node.output(0).get_target_inputs():
                reader.replace_source_output(_pooling(node, pad))


def _pooling(node: "Node", pad: "Node") -> "Output":
    from openvino import opset14

    attributes = node.get_attributes()
    begin, end = _margins(pad)
    pooling = opset14.max_pool(
        pad.input_value(0),
        attributes["strides"],
        attributes["dilations"],
        begin[2:],
        end[2:],
        attributes["kernel"],
        rounding_type=attributes["rounding_type"],
    )
    return pooling.output(0)


def _puts_zeros_around(node: "Node") -> bool:
    """Return True for zero padding of the axes of time and space alone, which pooling can pad."""
    if node.get_type_name() != "Pad" or node.get_attributes()["pad_mode"] != "constant":
        return False
    *_, value = (each.get_node() for each in node.input_values())
    begin, end = _margins(node)
    return not any(begin[:2] + end[:2]) and value.get_type_name() == "Constant" and not value.data.any()


def _always_sees_the_map(pooling: "Node", pad: "Node") -> bool:
    attributes = pooling.get_attributes()
    if any(dilation > 1 for dilation in attributes["dilations"]):
        return False
    margins = [max(pair) for pair in zip(*_margins(pad), strict=True)][2:]
    return all(margin < size for margin, size in zip(margins, attributes["kernel"], strict=True))


def _margins(pad: "Node") -> tuple[list[int], list[int]]:
    begin, end = (pad.input_value(at).get_node().data.tolist() for at in (1, 2))
    return begin, end


def _is_never_negative(node: "Node") -> bool:
    kind = node.get_type_name()
    if kind not in KEEP_SIGN:
        return bool(kind == "Relu")
    inputs = node.input_values()[:1] if kind != "Concat" else node.input_values()
    return all(_is_never_negative(each.get_node()) for each in inputs)
