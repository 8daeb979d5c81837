"""An image network on the frames of a clip: what they show, how much that varies, how fast it changes."""

import torch
from torch import Tensor, nn


class FrameMotion(nn.Module):
    """Statistics over time of an image network's features.

    `image` turns images (batch, 3, height, width) into features (batch, dim).
    """

    def __init__(self, image: nn.Module) -> None:
        super().__init__()
        self.image = image

    def forward(self, clips: Tensor) -> Tensor:
        """Return features (batch, 3 * dim) of clips (batch, 3, frame, height, width), at least two frames.

        They are the mean over the frames, the standard deviation, and the mean absolute difference between
        consecutive frames.
        """
        frames = clips.movedim(2, 1)  # (B, T, 3, H, W)
        features = self.image(frames.flatten(0, 1)).unflatten(0, frames.shape[:2])  # (B, T, D)
        mean = features.mean(dim=1)
        deviation = (features - mean[:, None]).square().mean(dim=1).sqrt()
        change = (features[:, 1:] - features[:, :-1]).abs().mean(dim=1)
        return torch.cat([mean, deviation, change], dim=1)
