"""torch without a compiler: batch normalisation folded, channels last, on a CPU 3D convolutions by oneDNN."""

from copy import deepcopy

import numpy as np
import torch
from torch import Tensor, nn

from aqa_pipeline.backbones.onednn import by_onednn
from extract.full_precision import full_float32
from extract.runtimes.fold_batchnorm import folded
from extract.runtimes.normalise import DTYPES, FromBytes, as_array, in_precision, on_device
from extract.runtimes.program import Program, Run, on_cpu

CAST_BY_AUTOCAST = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)


def prepare_eager(program: Program, example: np.ndarray) -> Run:
    """The program by torch's own kernels, on any device."""
    network = weights_cast(program, folded(program.network()))
    module = FromBytes(program, by_onednn(network) if on_cpu(program.device) else network).to(program.device)

    def run(batch: np.ndarray) -> np.ndarray:
        with torch.inference_mode(), in_precision(program):
            output: Tensor = module(on_device(batch, program.device))
        return as_array(output)

    return run


def prepare_as_built(program: Program, example: np.ndarray) -> Run:
    """The network without folding, in fp32 whatever the precision: what all others are measured against."""
    module = FromBytes(program, program.network()).to(program.device)

    def run(batch: np.ndarray) -> np.ndarray:
        with torch.inference_mode(), full_float32():
            output: Tensor = module(on_device(batch, program.device))
        return as_array(output)

    return run


def weights_cast(program: Program, network: nn.Module) -> nn.Module:
    """The network with the weights of its products in the program's precision: autocast would cast them anew
    with every batch."""
    if program.precision == "fp32":
        return network
    network = deepcopy(network)
    for module in network.modules():
        if isinstance(module, CAST_BY_AUTOCAST):
            module.to(DTYPES[program.precision])
    return network
