"""Runtime `eager`: torch with folded batch normalization; on a CPU, oneDNN computes 3D convolutions."""

from copy import deepcopy

import numpy as np
import torch
from torch import Tensor, nn

from aqa_pipeline.backbones.onednn import by_onednn
from extract.full_precision import full_float32
from extract.runtimes.fold_batchnorm import folded
from extract.runtimes.normalize import DTYPES, FromBytes, as_array, in_precision, on_device
from extract.runtimes.program import Program, Run, on_cpu

CAST_BY_AUTOCAST = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)


def prepare_eager(program: Program, example: np.ndarray) -> Run:
    """Prepare the program for torch's own kernels, on any device."""
    network = weights_cast(program, folded(program.network()))
    module = FromBytes(program, by_onednn(network) if on_cpu(program.device) else network).to(program.device)

    def run(batch: np.ndarray) -> np.ndarray:
        with torch.inference_mode(), in_precision(program):
            output: Tensor = module(on_device(batch, program.device))
        return as_array(output)

    return run


def prepare_as_built(program: Program, example: np.ndarray) -> Run:
    """Prepare the unfolded network in fp32, the reference that `auto` compares all runtimes with."""
    module = FromBytes(program, program.network()).to(program.device)

    def run(batch: np.ndarray) -> np.ndarray:
        with torch.inference_mode(), full_float32():
            output: Tensor = module(on_device(batch, program.device))
        return as_array(output)

    return run


def weights_cast(program: Program, network: nn.Module) -> nn.Module:
    """Return the network with its products' weights in the program's precision.

    Autocast would cast these weights again for every batch.
    """
    if program.precision == "fp32":
        return network
    network = deepcopy(network)
    for module in network.modules():
        if isinstance(module, CAST_BY_AUTOCAST):
            module.to(DTYPES[program.precision])
    return network
