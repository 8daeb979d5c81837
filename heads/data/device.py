"""Copying tensors to a GPU without waiting: the copy queues up while the CPU prepares the next batch."""

import torch
from torch import Tensor


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """Return the tensor on that device, pinned first: only pinned memory is copied asynchronously."""
    if device.type == "cuda" and tensor.device.type == "cpu":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)
