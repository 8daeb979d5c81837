"""Image encoders of the library transformers; a feature is what the encoder gives for the whole image.

* SigLIP 2: Tschannen et al., "SigLIP 2: Multilingual Vision-Language Encoders", 2025. Original code:
  google-research/big_vision (Apache-2.0). Its text encoder is not built.
* DINOv3: Simeoni et al., "DINOv3", 2025. Original code: facebookresearch/dinov3 (DINOv3 License).
"""

from typing import Any

from torch import Tensor, nn
from transformers import (
    DINOv3ViTConfig,
    DINOv3ViTModel,
    PreTrainedModel,
    SiglipVisionConfig,
    SiglipVisionModel,
)

NUM_REGISTERS = 4  # tokens of DINOv3 that belong to no patch, beside the one for the image


class OfWholeImage(nn.Module):
    """An image encoder of transformers, with its pooled output."""

    def __init__(self, encoder: PreTrainedModel) -> None:
        super().__init__()
        self.encoder = encoder
        encoder.loss_function = None  # a tracer asks for every attribute, and this one warns of its default

    def forward(self, images: Tensor) -> Tensor:
        """Return features (batch, dim) of RGB images (batch, 3, height, width)."""
        pooled: Tensor = self.encoder(pixel_values=images).pooler_output
        return pooled


def build_siglip2(**config: Any) -> OfWholeImage:
    """Return SigLIP 2's image encoder with its pooling; `config` changes the numbers of the base model."""
    return OfWholeImage(SiglipVisionModel(SiglipVisionConfig(**config)))


def build_dinov3(*, width: int, depth: int, num_heads: int, **config: Any) -> OfWholeImage:
    """Return DINOv3's vision transformer; its feature is the normalized class token."""
    sizes = {"hidden_size": width, "num_hidden_layers": depth, "num_attention_heads": num_heads}
    inner = {"intermediate_size": 4 * width, "num_register_tokens": NUM_REGISTERS}
    return OfWholeImage(DINOv3ViTModel(DINOv3ViTConfig(**{**sizes, **inner, **config})))
