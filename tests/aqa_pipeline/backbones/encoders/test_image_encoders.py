"""SigLIP 2 and DINOv3 are the image encoders of transformers, with their files and preprocessing."""

import sys

import pytest
import torch
from safetensors.torch import save_file

from aqa_pipeline.backbones import BACKBONES
from aqa_pipeline.backbones.motion import motion_of
from aqa_pipeline.backbones.preprocess import get_preprocess
from aqa_pipeline.backbones.registry import get_backbone
from aqa_pipeline.backbones.with_weights import network_with_weights
from aqa_pipeline.errors import AqaError, WeightsError
from aqa_pipeline.weights import load_state_dict
from tiny_encoders import SIGLIP2, WIDTH, tiny

IMAGES = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
DINOV3 = {"num_hidden_layers": 2, "num_attention_heads": 3, "num_register_tokens": 4}


@pytest.fixture
def siglip2(transformers):
    """Return a tiny model of the library with both of its encoders, as the hub's files hold them."""
    text = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = transformers.SiglipConfig(text_config={**text, "vocab_size": 9}, vision_config=SIGLIP2)
    return scattered(transformers.SiglipModel(config))


@pytest.fixture
def dinov3(transformers):
    """Return a tiny model of the library."""
    config = transformers.DINOv3ViTConfig(hidden_size=WIDTH, intermediate_size=4 * WIDTH, **DINOV3)
    return scattered(transformers.DINOv3ViTModel(config))


def scattered(model):
    """Return the model with random numbers everywhere, so that no scale or bias does nothing."""
    generator = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        parameter.data.normal_(0, 0.3, generator=generator)
    return model.eval()


def loaded(name, folder):
    backbone, size = tiny(name)
    return network_with_weights(backbone, str(folder / "model.safetensors"), size=size)[1]().eval()


@torch.inference_mode()
def test_a_file_of_siglip2_gives_the_librarys_pooled_output(siglip2, tmp_path):
    siglip2.save_pretrained(tmp_path)
    names = [*load_state_dict(tmp_path / "model.safetensors")]
    assert {name.partition(".")[0] for name in names} == {
        "vision_model",
        "text_model",
        "logit_scale",
        "logit_bias",
    }
    expected = siglip2.vision_model(pixel_values=IMAGES).pooler_output
    torch.testing.assert_close(loaded("siglip2-b", tmp_path)(IMAGES), expected)
    assert expected.std() > 0.1


@torch.inference_mode()
def test_a_file_of_dinov3_gives_the_librarys_class_token(dinov3, tmp_path):
    dinov3.save_pretrained(tmp_path)
    assert "layer.1.mlp.up_proj.weight" in load_state_dict(tmp_path / "model.safetensors")  # as on the hub
    expected = dinov3(pixel_values=IMAGES).last_hidden_state[:, 0]
    torch.testing.assert_close(loaded("dinov3-b", tmp_path)(IMAGES), expected)
    assert expected.std() > 0.1


def test_dinov3_without_registers_is_refused(transformers, tmp_path):
    config = transformers.DINOv3ViTConfig(
        hidden_size=WIDTH, intermediate_size=4 * WIDTH, **{**DINOV3, "num_register_tokens": 0}
    )
    transformers.DINOv3ViTModel(config).save_pretrained(tmp_path)
    with pytest.raises(WeightsError, match=r"does not fit.*register_tokens"):
        loaded("dinov3-b", tmp_path)


@torch.inference_mode()
def test_the_weights_of_the_motion_network_load_again(tmp_path):
    backbone, size = tiny("dinov3-s")
    motion = motion_of(backbone)
    network = motion.build().eval()
    save_file(network.state_dict(), tmp_path / "tuned.safetensors")
    again = network_with_weights(motion, str(tmp_path / "tuned.safetensors"), size=size)[1]().eval()
    clip = torch.randn(1, 3, 8, size, size, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(again(clip), network(clip))


def test_frames_of_siglip2_are_those_of_the_librarys_processor(transformers, real_frames, levels_apart):
    processor = transformers.SiglipImageProcessor(
        resample=2
    )  # as in SigLIP 2's file; 3 is of the first SigLIP
    pictures = torch.from_numpy(real_frames).permute(0, 3, 1, 2)
    processed = processor([*pictures], return_tensors="pt").pixel_values
    preprocess = get_preprocess(BACKBONES["siglip2-b"].preprocess["paper"])
    apart = levels_apart(real_frames, preprocess, processed)
    assert apart.max() < 1.01
    assert (apart > 0.5).mean() < 0.002


def test_frames_of_dinov3_are_those_of_the_librarys_processor(transformers, real_frames, levels_apart):
    """The processor resizes decimals and does not round: half a gray level is all that can differ."""
    pictures = torch.from_numpy(real_frames).permute(0, 3, 1, 2)
    processed = transformers.DINOv3ViTImageProcessor()([*pictures], return_tensors="pt").pixel_values
    apart = levels_apart(real_frames, get_preprocess("dinov3-224"), processed)
    assert apart.max() < 1.01
    assert apart.mean() < 0.27


@pytest.mark.parametrize("name", ["siglip2-b", "dinov3-b"])
def test_without_the_package_the_extra_is_named(monkeypatch, name):
    monkeypatch.delitem(sys.modules, "aqa_pipeline.backbones.networks.transformers_image", raising=False)
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(AqaError, match=rf"'{name}' needs transformers.*pip install .*\[transformers\]"):
        get_backbone(name).build()
