"""VideoPrism is the video encoder of transformers, with its files and its preprocessing."""

import pytest
import torch
from safetensors.torch import save_file

from aqa_pipeline.backbones import BACKBONES
from aqa_pipeline.backbones.preprocess import get_preprocess
from aqa_pipeline.backbones.with_weights import network_with_weights
from aqa_pipeline.errors import WeightsError
from tiny_encoders import VIDEOPRISM, tiny

NAME = "videoprism-b"


@pytest.fixture
def theirs(transformers):
    """Return a tiny VideoPrism of the library whose normalizations do something."""
    model = transformers.VideoPrismVisionModel(transformers.VideoPrismVisionConfig(**VIDEOPRISM)).eval()
    generator = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        parameter.data.normal_(0, 0.1, generator=generator)
    return model


def loaded(path):
    backbone, size = tiny(NAME)
    return network_with_weights(backbone, str(path), size=size)[1]().eval()


@torch.inference_mode()
def test_a_file_of_the_hub_gives_the_mean_of_the_librarys_tokens(theirs, tmp_path):
    save_file(theirs.state_dict(), tmp_path / "model.safetensors")
    clip = torch.rand(2, 3, 16, 36, 36, generator=torch.Generator().manual_seed(1))
    tokens = theirs(pixel_values_videos=clip.transpose(1, 2)).last_hidden_state
    assert tokens.shape == (2, 16 * 2 * 2, 48)
    torch.testing.assert_close(loaded(tmp_path / "model.safetensors")(clip), tokens.mean(dim=1))


def test_a_file_with_a_weight_too_many_is_refused(theirs, tmp_path):
    save_file(theirs.state_dict() | {"head.weight": torch.zeros(3)}, tmp_path / "model.safetensors")
    with pytest.raises(WeightsError, match=r"does not fit.*head\.weight"):
        loaded(tmp_path / "model.safetensors")


def test_the_whole_network_has_the_weights_of_the_published_file(transformers):
    with torch.device("meta"):
        theirs = transformers.VideoPrismVisionModel(transformers.VideoPrismVisionConfig())
        ours = BACKBONES[NAME].build()
    published = {f"encoder.{name}": value.shape for name, value in theirs.state_dict().items()}
    assert {name: value.shape for name, value in ours.state_dict().items()} == published


def test_frames_are_those_of_the_librarys_processor(transformers, real_frames, levels_apart):
    settings = {**transformers.VideoPrismProcessor.video_kwargs, "do_sample_frames": False}
    processor = transformers.LlavaOnevisionVideoProcessor(**settings)
    videos = torch.from_numpy(real_frames).permute(0, 3, 1, 2)
    processed = processor(videos, return_tensors="pt").pixel_values_videos[0]
    apart = levels_apart(real_frames, get_preprocess("videoprism-288"), processed)
    # torchvision's filter for tensors rounds otherwise than Pillow's, and a bicubic one does so twice.
    assert apart.max() < 2.01
    assert (apart > 0.5).mean() < 0.005
    assert (apart > 1.5).mean() < 1e-5
