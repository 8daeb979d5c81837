"""Pretrained weights: what exists, where it comes from, whether a file is what its name promises."""

from aqa_pipeline.weights.cache import (
    WeightsStatus,
    add,
    aqa_home,
    find_weights,
    status,
    verify,
    weights_folder,
)
from aqa_pipeline.weights.download import Progress, fetch
from aqa_pipeline.weights.identity import Identity, git_blob_of, sha256_of
from aqa_pipeline.weights.loading import load_state_dict
from aqa_pipeline.weights.registry import WEIGHTS, WeightsFile, get_weights_file

__all__ = [
    "WEIGHTS",
    "Identity",
    "Progress",
    "WeightsFile",
    "WeightsStatus",
    "add",
    "aqa_home",
    "fetch",
    "find_weights",
    "get_weights_file",
    "git_blob_of",
    "load_state_dict",
    "sha256_of",
    "status",
    "verify",
    "weights_folder",
]
