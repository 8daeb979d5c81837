"""Reading a checkpoint into plain tensors without ever running code that it carries."""

import pickle
import re
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aqa_pipeline.errors import WeightsError
from aqa_pipeline.opcodes import excess_of_checkpoint

if TYPE_CHECKING:
    from torch import Tensor

MOST_BYTES_OF_A_VIEW = 1 << 30  # the largest tensor of the networks here has 134 MB
WRAPPERS = ("state_dict", "model_state")  # training checkpoints; pytorchvideo's zoo


def load_state_dict(path: Path) -> "dict[str, Tensor]":
    """The tensors of a checkpoint by name, on the CPU: safetensors, or a pickle of tensors and numbers.

    Unwraps `state_dict` and `model_state` and strips the prefix `module.` of parallel training.
    Raises `WeightsError` for everything else, first of all for pickles that would run code.
    """
    if not path.is_file():
        raise WeightsError(f"no checkpoint at {path}")
    content = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)
    return _plain(_unwrapped(content), path)


def _read_safetensors(path: Path) -> Any:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except SafetensorError as error:
        raise WeightsError(f"{path} is no safetensors file, or a damaged one: {error}") from error


def _read_pickle(path: Path) -> Any:
    import torch

    try:
        excess = excess_of_checkpoint(path)
        with _number_types():
            if not excess:
                return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged bytes become errors of many kinds
        raise WeightsError(_refusal(path, error)) from error
    raise WeightsError(f"{path} was refused: {excess}. Get the file again from where it is trusted")


def _number_types() -> AbstractContextManager[None]:
    """Lets NumPy's numbers pass, as saved learning rates often are, by their names of NumPy 1 and 2."""
    import numpy as np
    import torch

    scalar: Any = np.float64(0).__reduce__()[0]
    dtypes = [type(np.dtype(kind)) for kind in ("f8", "f4", "i8", "i4", "?")]
    return torch.serialization.safe_globals(
        [
            (scalar, "numpy.core.multiarray.scalar"),
            (scalar, "numpy._core.multiarray.scalar"),
            np.dtype,
            *dtypes,
        ]
    )


def _refusal(path: Path, error: Exception) -> str:
    head = _head(path)
    if head.startswith((b"<!doctype", b"<html", b"<?xml")):
        return f"{path} is a web page, not a checkpoint: download the file itself"
    if not head:
        return f"{path} is empty: get the file again"
    if stranger := re.search(r"GLOBAL ([\w.]+)", str(error)):
        return (
            f"{path} was refused: it holds more than tensors and numbers ({stranger[1]}) that "
            "could run code. Save only the model's state_dict, best as .safetensors"
        )
    if isinstance(error, pickle.UnpicklingError):  # torch's own message advises to load it unsafely
        return f"{path} is damaged, or no checkpoint: get the file again"
    reason = str(error).strip().partition(". ")[0][:200]
    return f"{path} is damaged, or no checkpoint ({reason}): get the file again"


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(256).lstrip().lower()


def _unwrapped(content: Any) -> Any:
    if isinstance(content, dict):
        for key in WRAPPERS:
            if isinstance(content.get(key), dict):
                return content[key]
    return content


def _plain(content: Any, path: Path) -> "dict[str, Tensor]":
    import torch

    if not isinstance(content, dict) or not content:
        raise WeightsError(f"{path} holds {type(content).__name__}, expected tensors by name (a state_dict)")
    strangers = [key for key, value in content.items() if not isinstance(value, torch.Tensor)]
    if strangers:
        raise WeightsError(
            f"{path} holds more than tensors by name: {strangers[:5]}. Expected a state_dict, "
            f"or a checkpoint with one under {' or '.join(map(repr, WRAPPERS))}"
        )
    if hollow := [key for key, value in content.items() if not _can_be_copied(value)]:
        raise WeightsError(
            f"{path} holds tensors that claim more numbers than are in the file, or no plain ones: "
            f"{', '.join(hollow[:5])}. Save them with .contiguous()"
        )
    prefix = "module." if all(key.startswith("module.") for key in content) else ""
    return {key.removeprefix(prefix): value for key, value in content.items()}


def _can_be_copied(tensor: "Tensor") -> bool:
    """Whether it is plain numbers that fit into memory: a view shows one number as often as it likes."""
    import torch

    if tensor.layout != torch.strided or tensor.is_meta:
        return False
    return tensor.numel() * tensor.element_size() <= max(
        tensor.untyped_storage().nbytes(), MOST_BYTES_OF_A_VIEW
    )
