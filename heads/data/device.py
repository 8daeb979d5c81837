"""To a GPU without waiting for it: copies queue up behind the work there, and the next batch is got ready."""

import torch
from torch import Tensor


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """The tensor on that device. Only from pinned memory do large ones travel while the GPU works."""
    if device.type == "cuda" and tensor.device.type == "cpu":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)
