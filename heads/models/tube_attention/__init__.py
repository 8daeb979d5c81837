"""Attention within the athlete's tube, between the two stages of I3D."""

from heads.models.tube_attention.blocks import BLOCKS, build_blocks
from heads.models.tube_attention.paper import TubeAttention
from heads.models.tube_attention.released import ReleasedTubeAttention

__all__ = ["BLOCKS", "ReleasedTubeAttention", "TubeAttention", "build_blocks"]
