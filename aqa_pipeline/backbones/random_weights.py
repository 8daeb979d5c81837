"""Give a network random weights: the same seed gives the same weights, and features stay useful.

Kernels are He-normal (He et al., ICCV 2015). Normalization layers do nothing. In a residual network, this
alone would double the variance with every block. Every layer is therefore scaled to an output deviation near
1 on seeded noise (after Mishkin & Matas, "All you need is a good init", ICLR 2016). The scales are powers of
two, which are exact in floating point and do not depend on the last bits, in which machines differ.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

KERNELS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)


def build_random(
    build: Callable[[], nn.Module], *, seed: int, calibration_shape: tuple[int, ...]
) -> nn.Module:
    """Return the network of `build` in eval mode, with weights that depend on `seed` alone.

    The state of torch's global generator does not change. `calibration_shape` is the shape of one input,
    without the batch.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # for all other weights, such as position embeddings
        network = build().eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, KERNELS):
                _he_normal(module, generator)
            elif isinstance(module, _BatchNorm | nn.LayerNorm | nn.GroupNorm):
                _neutral(module)
        _scale_layers(network, _noise(calibration_shape, generator))
    return network


def _he_normal(module: nn.Module, generator: torch.Generator) -> None:
    weight = module.get_parameter("weight")
    fan_in = weight[0].numel()
    weight.normal_(0, math.sqrt(2 / fan_in), generator=generator)
    if isinstance(module.bias, Tensor):
        module.bias.zero_()


def _neutral(module: nn.Module) -> None:
    neutral = {"weight": 1.0, "bias": 0.0, "running_mean": 0.0, "running_var": 1.0}
    for name, value in neutral.items():
        tensor = getattr(module, name, None)
        if isinstance(tensor, Tensor):
            tensor.fill_(value)


def _noise(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Return noise that changes slowly like pictures, deviation 0.5: (1, 3, [frame,] height, width)."""
    coarse = [max(2, size // 16) for size in shape[1:]]
    smooth = torch.randn(1, shape[0], *coarse, generator=generator)
    mode = {2: "bilinear", 3: "trilinear"}[len(coarse)]
    noise = nn.functional.interpolate(smooth, size=shape[1:], mode=mode, align_corners=False)
    return noise * (0.5 / noise.std())


def _scale_layers(network: nn.Module, example: Tensor) -> None:
    def scale(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        deviation = output.std().item()
        if deviation == 0:
            return output
        factor = 2.0 ** -round(math.log2(deviation))
        module.get_parameter("weight").mul_(factor)
        return output * factor  # the biases are zero

    hooks = [m.register_forward_hook(scale) for m in network.modules() if isinstance(m, KERNELS)]
    try:
        network(example)
    finally:
        for hook in hooks:
            hook.remove()
