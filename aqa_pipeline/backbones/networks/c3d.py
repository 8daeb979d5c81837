"""C3D up to its first fully connected layer, whose outputs (fc6) are the features that papers use.

Paper: Tran et al., "Learning Spatiotemporal Features with 3D Convolutional Networks", ICCV 2015. The original
is in Caffe. The parameter names are those of the port DavideA/c3d-pytorch (MIT). Convolutions have biases and
no batch normalization. Checkpoints also hold fc7 and fc8, the classifier of Sports-1M, which is not built.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# (output channels of the convolutions of a stage, kernel and stride of the pool after it, padding)
_STAGES = (
    ({"conv1": 64}, (1, 2, 2), 0),
    ({"conv2": 128}, (2, 2, 2), 0),
    ({"conv3a": 256, "conv3b": 256}, (2, 2, 2), 0),
    ({"conv4a": 512, "conv4b": 512}, (2, 2, 2), 0),
    ({"conv5a": 512, "conv5b": 512}, (2, 2, 2), (0, 1, 1)),
)
POOL5_SIZE = 512 * 1 * 4 * 4
FEATURE_SIZE = 4096


class C3D(nn.Module):
    """C3D for RGB clips (batch, 3, 16, 112, 112). Other sizes do not fit fc6."""

    def __init__(self) -> None:
        super().__init__()
        channels = 3
        for convolutions, _, _ in _STAGES:
            for name, width in convolutions.items():
                self.add_module(name, nn.Conv3d(channels, width, 3, padding=1))
                channels = width
        self.fc6 = nn.Linear(POOL5_SIZE, FEATURE_SIZE)

    def forward(self, clips: Tensor) -> Tensor:
        """Return fc6 after its ReLU, (batch, 4096)."""
        return F.relu(self.fc6(self.pool5(clips)))

    def pool5(self, clips: Tensor) -> Tensor:
        """Return the last pooled map, flattened in the order channel, time, height, width: (batch, 8192).

        MTL-AQA trains on it.
        """
        x = clips
        for convolutions, kernel, padding in _STAGES:
            for name in convolutions:
                x = F.relu(self.get_submodule(name)(x), inplace=True)
            x = F.max_pool3d(x, kernel, kernel, padding)
        return torch.flatten(x, 1)
