"""The backbone of a run that trained it, as a checkpoint for extraction."""

from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from aqa_pipeline.backbones.registry import get_backbone
from aqa_pipeline.errors import RunError
from aqa_pipeline.store import write_whole
from heads.models.fine_tuned import FineTuned
from heads.runs.config import read_config
from heads.scoring.ensemble import load_cell


def write_tuned_backbone(run_dir: Path, out: Path, *, split: str, seed: int) -> str:
    """Write the weights of one trained cell's backbone as safetensors, and return the backbone's name.

    The names are the backbone's own, so that `aqa extract --weights` takes the file. A classifier, which
    fine-tuning does not train and features do not need, is zero. Raise `RunError` for a run that trained no
    backbone, and as `load_cell`.
    """
    config = read_config(run_dir)
    if config.head.backbone is None:
        raise RunError(
            f"{run_dir} trained {config.head.name} on stored features, and no backbone: expected a run of "
            "`aqa fit --fine-tune`."
        )
    module = load_cell(run_dir, config, split=split, seed=seed).module
    assert isinstance(module, FineTuned), "a run with a backbone has a network of backbone and head"
    name = config.head.backbone.name
    whole = get_backbone(name).build().state_dict()
    state = {each: torch.zeros_like(tensor) for each, tensor in whole.items()} | _weights(module)
    if unknown := sorted(state.keys() - whole.keys()):
        raise RunError(f"{run_dir} has weights that {name} does not know: {', '.join(unknown[:3])}.")
    write_whole(out, save({each: tensor.contiguous() for each, tensor in state.items()}))
    return name


def _weights(module: FineTuned) -> dict[str, Tensor]:
    """Return the weights of all stages by the names that they have in the whole backbone."""
    return {
        name.removeprefix("network.") if part is module.backbone else name: tensor
        for part in module.pretrained
        for name, tensor in part.state_dict().items()
    }
