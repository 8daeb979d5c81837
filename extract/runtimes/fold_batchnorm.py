"""Fold batch normalization into the convolution before it: the same function without a pass over the maps."""

from copy import deepcopy
from typing import Protocol, runtime_checkable

from torch import nn
from torch.fx import GraphModule, Node, Tracer
from torch.fx.proxy import TraceError
from torch.nn.utils.fusion import fuse_conv_bn_eval

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
NORMALIZATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)

# Errors of tracing: control flow may depend on values or shapes, and code may check an input's type.
NOT_TRACED = (TraceError, AssertionError, AttributeError, RuntimeError, TypeError, ValueError)


@runtime_checkable
class Foldable(Protocol):
    """A module that makes its own folded form, because its `forward` cannot be traced."""

    def folded(self) -> nn.Module:
        """Return the folded form, for inference."""
        ...


def folded(network: nn.Module) -> nn.Module:
    """Return a copy of a network in eval mode whose normalizations after convolutions are folded.

    The copy shares all other weights. torch.fx traces the whole network or, if control flow forbids that,
    the largest submodules that it can.
    """
    weights = {id(each): each for each in (*network.parameters(), *network.buffers())}
    return _folded(deepcopy(network, weights))


def _folded(module: nn.Module) -> nn.Module:
    if isinstance(module, Foldable):
        return module.folded()
    if not any(isinstance(each, NORMALIZATIONS) for each in module.modules()):
        return module
    try:
        graph = _Tracer().trace(module)
    except NOT_TRACED:
        for name, child in list(module.named_children()):
            module.set_submodule(name, _folded(child))
        return module
    return _fold_graph(GraphModule(module, graph))


class _Tracer(Tracer):
    """A tracer that does not look inside subclasses of convolutions, such as torchvision's."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Return True for convolutions, normalizations and what torch.fx takes as leaves."""
        return isinstance(m, (*CONVOLUTIONS, *NORMALIZATIONS)) or super().is_leaf_module(
            m, module_qualified_name
        )


def _fold_graph(traced: GraphModule) -> GraphModule:
    modules = dict(traced.named_modules())
    calls = [node.target for node in traced.graph.nodes if node.op == "call_module"]
    for node in list(traced.graph.nodes):
        if node.op != "call_module" or not isinstance(modules[node.target], NORMALIZATIONS):
            continue
        before = node.args[0]
        if not isinstance(before, Node) or before.op != "call_module" or len(before.users) > 1:
            continue
        convolution, normalization = modules[str(before.target)], modules[node.target]
        if not isinstance(convolution, CONVOLUTIONS) or calls.count(before.target) > 1:
            continue
        traced.set_submodule(str(before.target), fuse_conv_bn_eval(convolution, normalization))
        node.replace_all_uses_with(before)
        traced.graph.erase_node(node)
    traced.delete_all_unused_submodules()
    traced.recompile()
    return traced
