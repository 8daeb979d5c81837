"""Read a checkpoint into plain tensors without running code that it contains."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aqa_pipeline.errors import WeightsError
from aqa_pipeline.untrusted.bounded_files import check_bounded, open_bounded

if TYPE_CHECKING:
    from torch import Tensor

MOST_BYTES_OF_A_VIEW = 1 << 30  # the largest tensor of the networks here has 134 MB
# Training checkpoints; pytorchvideo's zoo; VideoMAE V2, the latter trained by DeepSpeed.
WRAPPERS = ("state_dict", "model_state", "model", "module")


def load_state_dict(path: Path, *, part: str | None = None) -> "dict[str, Tensor]":
    """Return the tensors of a checkpoint by name, on the CPU, from safetensors or a pickle of tensors.

    Unwraps one of `WRAPPERS`, and strips the prefix `module.` of parallel training. If the
    checkpoint holds several networks, `part` names one of them. Raises `WeightsError` for any other content,
    such as pickles that would run code.
    """
    if not path.exists():
        raise WeightsError(f"no checkpoint at {path}: give the path of a file that exists")
    try:
        check_bounded(path)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read as a checkpoint: {error.strerror or error}") from error
    content = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path, part)
    return _plain(content, path)


def _read_safetensors(path: Path) -> Any:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except SafetensorError as error:
        raise WeightsError(
            f"{path} cannot be read as safetensors: {error}. Download or copy the file again"
        ) from error


def check_checkpoint(path: Path) -> None:
    """Raise `WeightsError` for a damaged checkpoint, or one that asks for far more memory than it has bytes.

    The check is for files that another library will read. Objects of that library's classes are allowed.
    """
    with _explained(path):
        from aqa_pipeline.weights.checkpoints import opened_checkpoint

        with opened_checkpoint(path, foreign=True):
            pass


def _read_pickle(path: Path, part: str | None) -> Any:
    with _explained(path):
        from aqa_pipeline.weights.checkpoints import StoredTensor, opened_checkpoint

        with opened_checkpoint(path) as (content, build):
            found = _unwrapped(content, part)
            if not isinstance(found, dict):
                return found
            return {key: build(v) if isinstance(v, StoredTensor) else v for key, v in found.items()}


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn the errors of reading that file into `WeightsError`s."""
    from aqa_pipeline.untrusted.pickle_limits import Excess

    try:
        yield
    except Excess as excess:
        raise WeightsError(
            f"{path} was refused: {excess}. Download the file again from a source that you trust"
        ) from excess
    except Exception as error:  # damaged bytes raise errors of many types
        raise WeightsError(_refusal(path, error)) from error


def _refusal(path: Path, error: Exception) -> str:
    from aqa_pipeline.untrusted.pickle_builders import Refused

    head = _head(path)
    if head.startswith((b"<!doctype", b"<html", b"<?xml")):
        return f"{path} is a web page, not a checkpoint: download the file itself"
    if not head:
        return f"{path} is empty: download or copy it again"
    if isinstance(error, Refused):
        return (
            f"{path} was refused: {error}. Expected only tensors and numbers, because other content could "
            "run code. Save only the model's state_dict, best as .safetensors"
        )
    reason = str(error).strip().partition(". ")[0][:200]
    return f"{path} is damaged or not a checkpoint ({reason}): download or copy it again"


def _head(path: Path) -> bytes:
    with open_bounded(path) as file:
        return file.read(256).lstrip().lower()


def _unwrapped(content: Any, part: str | None) -> Any:
    if isinstance(content, dict):
        for key in WRAPPERS if part is None else (part, *WRAPPERS):
            if isinstance(content.get(key), dict):
                return content[key]
    return content


def _plain(content: Any, path: Path) -> "dict[str, Tensor]":
    import torch

    if not isinstance(content, dict) or not content:
        raise WeightsError(f"{path} holds {_kind(content)}, expected tensors by name (a state_dict)")
    others = [key for key, value in content.items() if not isinstance(value, torch.Tensor)]
    if others:
        raise WeightsError(
            f"{path} holds more than tensors by name: {others[:5]}. Expected a state_dict, "
            f"or a checkpoint with one under {' or '.join(map(repr, WRAPPERS))}"
        )
    if broken := [key for key, value in content.items() if not _can_be_copied(value)]:
        raise WeightsError(
            f"{path} holds tensors with more numbers than the file has, or sparse tensors: "
            f"{', '.join(broken[:5])}. Save dense copies (.contiguous())"
        )
    prefix = "module." if all(key.startswith("module.") for key in content) else ""
    return {key.removeprefix(prefix): value for key, value in content.items()}


def _kind(content: object) -> str:
    from aqa_pipeline.untrusted.pickle_builders import Ordered
    from aqa_pipeline.weights.checkpoints import StoredTensor

    names = {StoredTensor: "Tensor", Ordered: "dict"}
    return names.get(type(content), type(content).__name__)


def _can_be_copied(tensor: "Tensor") -> bool:
    """Return whether a tensor is dense and fits into memory; a view can repeat one number without end."""
    import torch

    if tensor.layout != torch.strided or tensor.is_meta:
        return False
    return tensor.numel() * tensor.element_size() <= max(
        tensor.untyped_storage().nbytes(), MOST_BYTES_OF_A_VIEW
    )
