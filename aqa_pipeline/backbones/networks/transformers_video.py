"""Video encoders of the library transformers, without their heads; a feature is the mean over all tokens.

* V-JEPA 2: Assran et al., "V-JEPA 2: Self-Supervised Video Models Enable Understanding, Prediction and
  Planning", 2025. Original code: facebookresearch/vjepa2 (MIT). Its predictor is not built.
* VideoPrism: Zhao et al., "VideoPrism: A Foundational Visual Encoder for Video Understanding", ICML 2024.
  Original code: google-deepmind/videoprism (Apache-2.0).

Both papers read the tokens with an attentive probe that is trained with the labels. The mean needs no labels,
so it can be stored.
"""

from typing import Any

from torch import Tensor, nn
from transformers import VideoPrismVisionConfig, VideoPrismVisionModel, VJEPA2Config, VJEPA2Model


class MeanOfTokens(nn.Module):
    """A video encoder of transformers, with the mean over its tokens as its output."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, clips: Tensor) -> Tensor:
        """Return features (batch, dim) of RGB clips (batch, 3, frame, height, width)."""
        tokens: Tensor = self.encoder(pixel_values_videos=clips.transpose(1, 2)).last_hidden_state
        return tokens.mean(dim=1)  # (B, N, D) -> (B, D)


def build_vjepa2(**config: Any) -> MeanOfTokens:
    """Return the encoder of V-JEPA 2; `config` changes the numbers of ViT-L, which are the defaults."""
    model = VJEPA2Model(VJEPA2Config(**{"pred_num_hidden_layers": 0, **config}))
    return MeanOfTokens(model.encoder)


def build_videoprism(**config: Any) -> MeanOfTokens:
    """Return VideoPrism's video encoder; `config` changes the numbers of the base model."""
    model = VideoPrismVisionModel(VideoPrismVisionConfig(**config))
    model.loss_function = None  # a tracer asks for every attribute, and this one warns of its default
    return MeanOfTokens(model)
