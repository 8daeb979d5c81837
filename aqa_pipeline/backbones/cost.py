"""What a network costs: multiply-adds of one input, and parameters."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.func import functional_call
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True)
class Cost:
    """`gflops` counts a multiply-add as one, as papers on video networks do."""

    gflops: float
    num_parameters: int


def measure_cost(network: nn.Module, input_shape: tuple[int, ...]) -> Cost:
    """The cost of one input of `input_shape`, without the batch. Only shapes are computed, no values.

    Convolutions and matrix products count; normalization, activations and pooling do not.
    """
    tensors = [*network.named_parameters(), *network.named_buffers()]
    shapes_only = {name: tensor.to("meta") for name, tensor in tensors}
    example = torch.empty(1, *input_shape, device="meta")
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        functional_call(network, shapes_only, (example,))
    num_parameters = sum(parameter.numel() for parameter in network.parameters())
    return Cost(counter.get_total_flops() / 2 / 1e9, num_parameters)  # torch counts both operations
