"""Attention within the athlete's tube, between the two stages of I3D."""

from heads.tube_attention.paper import TubeAttention
from heads.tube_attention.released import ReleasedTubeAttention
from heads.tube_attention.stack import BLOCKS, build_blocks

__all__ = ["BLOCKS", "ReleasedTubeAttention", "TubeAttention", "build_blocks"]
