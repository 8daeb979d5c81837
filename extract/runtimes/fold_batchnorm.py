"""Batch normalisation folded into the convolution before it: the same function, a pass over the maps less."""

from copy import deepcopy
from typing import Protocol, runtime_checkable

from torch import nn
from torch.fx import GraphModule, Node, Tracer
from torch.fx.proxy import TraceError
from torch.nn.utils.fusion import fuse_conv_bn_eval

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)

# What tracing runs into: control flow that depends on values or shapes, and demands on the kind of an input.
NOT_TRACED = (TraceError, AssertionError, AttributeError, RuntimeError, TypeError, ValueError)


@runtime_checkable
class Foldable(Protocol):
    """A module that knows its folded form, for its `forward` cannot be traced."""

    def folded(self) -> nn.Module: ...


def folded(network: nn.Module) -> nn.Module:
    """A network in eval mode without the normalisations that follow a convolution; other weights are shared.

    torch.fx traces it whole, or, where control flow forbids that, the largest parts that it can.
    """
    weights = {id(each): each for each in (*network.parameters(), *network.buffers())}
    return _folded(deepcopy(network, weights))


def _folded(module: nn.Module) -> nn.Module:
    if isinstance(module, Foldable):
        return module.folded()
    if not any(isinstance(each, NORMALISATIONS) for each in module.modules()):
        return module
    try:
        graph = _Tracer().trace(module)
    except NOT_TRACED:
        for name, child in list(module.named_children()):
            module.set_submodule(name, _folded(child))
        return module
    return _fold_graph(GraphModule(module, graph))


class _Tracer(Tracer):
    """Also sees subclasses of convolutions, such as torchvision's, as one step."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, (*CONVOLUTIONS, *NORMALISATIONS)) or super().is_leaf_module(
            m, module_qualified_name
        )


def _fold_graph(traced: GraphModule) -> GraphModule:
    modules = dict(traced.named_modules())
    calls = [node.target for node in traced.graph.nodes if node.op == "call_module"]
    for node in list(traced.graph.nodes):
        if node.op != "call_module" or not isinstance(modules[node.target], NORMALISATIONS):
            continue
        before = node.args[0]
        if not isinstance(before, Node) or before.op != "call_module" or len(before.users) > 1:
            continue
        convolution, normalisation = modules[str(before.target)], modules[node.target]
        if not isinstance(convolution, CONVOLUTIONS) or calls.count(before.target) > 1:
            continue
        traced.set_submodule(str(before.target), fuse_conv_bn_eval(convolution, normalisation))
        node.replace_all_uses_with(before)
        traced.graph.erase_node(node)
    traced.delete_all_unused_submodules()
    traced.recompile()
    return traced
