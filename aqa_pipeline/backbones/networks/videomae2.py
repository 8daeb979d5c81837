"""VideoMAE V2's video transformer (ViT) up to its pooled features.

Paper: Wang et al., "VideoMAE V2: Scaling Video Masked Autoencoders with Dual Masking", CVPR 2023. Original
code: OpenGVLab/VideoMAEv2 (MIT), written anew. The names are those of its checkpoints. They also hold `head`,
the classifier, which is not built. The positions are a fixed table of sines, which no checkpoint holds.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

NUM_FRAMES, SIZE = 16, 224
TUBELET = (2, 16, 16)  # frames, rows and columns of a patch
NUM_TOKENS = 8 * 14 * 14
EPS = 1e-6


class VideoViT(nn.Module):
    """A transformer over the tubelets of RGB clips (batch, 3, 16, 224, 224).

    Smaller clips have fewer tokens, and take the first positions.
    """

    positions: Tensor

    def __init__(self, *, width: int, depth: int, num_heads: int) -> None:
        super().__init__()
        self.patch_embed = Tubelets(width)
        self.register_buffer("positions", sinusoids(NUM_TOKENS, width), persistent=False)
        self.blocks = nn.ModuleList(Block(width, num_heads) for _ in range(depth))
        self.fc_norm = nn.LayerNorm(width, eps=EPS)

    def forward(self, clips: Tensor) -> Tensor:
        """Return the normalized mean over all tokens, (batch, width)."""
        tokens = self.patch_embed(clips)
        tokens = tokens + self.positions[: tokens.shape[1]]
        for block in self.blocks:
            tokens = block(tokens)
        features: Tensor = self.fc_norm(tokens.mean(dim=1))
        return features


class Tubelets(nn.Module):
    """The projection of each tubelet to a token."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv3d(3, width, TUBELET, stride=TUBELET)

    def forward(self, clips: Tensor) -> Tensor:
        """Return tokens (batch, token, width), in the order of time, rows and columns."""
        maps: Tensor = self.proj(clips)
        return maps.flatten(2).transpose(1, 2)  # (B, D, T, H, W) -> (B, T * H * W, D)


class Block(nn.Module):
    """Attention and a network per token, each behind a normalization and added to its input."""

    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=EPS), nn.LayerNorm(width, eps=EPS)
        self.attn = Attention(width, num_heads)
        self.mlp = Mlp(width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens (batch, token, width)."""
        tokens = tokens + self.attn(self.norm1(tokens))
        added: Tensor = self.mlp(self.norm2(tokens))
        return tokens + added


class Attention(nn.Module):
    """Attention between all tokens. Queries and values have a bias, keys have none."""

    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.q_bias, self.v_bias = nn.Parameter(torch.zeros(width)), nn.Parameter(torch.zeros(width))
        self.proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens (batch, token, width)."""
        bias = torch.cat([self.q_bias, torch.zeros_like(self.v_bias), self.v_bias])
        qkv = (self.qkv(tokens) + bias).unflatten(-1, (3, self.num_heads, -1))
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # (B, N, 3, H, D / H) -> three of (B, H, N, D / H)
        attended = F.scaled_dot_product_attention(q, k, v)
        mixed: Tensor = self.proj(attended.transpose(1, 2).flatten(2))
        return mixed


class Mlp(nn.Module):
    """Two layers per token, the inner one four times as wide."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens (batch, token, width)."""
        projected: Tensor = self.fc2(F.gelu(self.fc1(tokens)))
        return projected


def sinusoids(num_positions: int, width: int) -> Tensor:
    """Return a position's sines (even columns) and cosines (odd ones), (num_positions, width)."""
    column = torch.arange(width, dtype=torch.float64)
    rate = 10_000 ** (-2 * torch.div(column, 2, rounding_mode="floor") / width)
    angle = torch.arange(num_positions, dtype=torch.float64)[:, None] * rate
    return torch.where(column % 2 == 0, angle.sin(), angle.cos()).float()
