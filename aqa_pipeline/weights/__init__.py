"""Pretrained weights: the known files, their sources, and the check of their digests."""

from aqa_pipeline.weights.cache import (
    WeightsStatus,
    add,
    aqa_home,
    check_weights,
    find_weights,
    missing_weights,
    status,
    verify,
    weights_folder,
)
from aqa_pipeline.weights.download import Progress
from aqa_pipeline.weights.fetch import fetch
from aqa_pipeline.weights.identity import Identity, git_blob_of, sha256_of
from aqa_pipeline.weights.loading import check_checkpoint, load_state_dict
from aqa_pipeline.weights.registry import WEIGHTS, get_weights_file
from aqa_pipeline.weights.sizes import size_text, total_text
from aqa_pipeline.weights.weights_file import Package, WeightsFile

__all__ = [
    "WEIGHTS",
    "Identity",
    "Package",
    "Progress",
    "WeightsFile",
    "WeightsStatus",
    "add",
    "aqa_home",
    "check_checkpoint",
    "check_weights",
    "fetch",
    "find_weights",
    "get_weights_file",
    "git_blob_of",
    "load_state_dict",
    "missing_weights",
    "sha256_of",
    "size_text",
    "status",
    "total_text",
    "verify",
    "weights_folder",
]
