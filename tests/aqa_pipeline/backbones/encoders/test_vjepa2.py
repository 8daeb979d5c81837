"""V-JEPA 2 is the encoder of transformers, with its files and its preprocessing."""

import sys

import pytest
import torch
from safetensors.torch import save_file

from aqa_pipeline.backbones import BACKBONES
from aqa_pipeline.backbones.preprocess import get_preprocess
from aqa_pipeline.backbones.with_weights import network_with_weights
from aqa_pipeline.errors import AqaError, WeightsError
from tiny_encoders import VJEPA2, tiny

NAME = "vjepa2-l"
CLIP = torch.randn(2, 3, 16, 32, 32, generator=torch.Generator().manual_seed(0))


def loaded(path):
    backbone, size = tiny(NAME)
    return network_with_weights(backbone, str(path), size=size)[1]().eval()


@torch.inference_mode()
@pytest.mark.parametrize("kind", ["VJEPA2Model", "VJEPA2ForVideoClassification"])
def test_a_file_of_the_hub_gives_the_mean_of_the_librarys_tokens(transformers, tmp_path, kind):
    theirs = getattr(transformers, kind)(transformers.VJEPA2Config(**VJEPA2)).eval()
    save_file(theirs.state_dict(), tmp_path / "model.safetensors")
    model = getattr(theirs, "vjepa2", theirs)
    tokens = model(pixel_values_videos=CLIP.transpose(1, 2), skip_predictor=True).last_hidden_state
    assert tokens.shape == (2, 8 * 2 * 2, 48)
    torch.testing.assert_close(loaded(tmp_path / "model.safetensors")(CLIP), tokens.mean(dim=1))


def test_a_file_without_one_of_the_weights_is_refused(transformers, tmp_path):
    state = transformers.VJEPA2Model(transformers.VJEPA2Config(**VJEPA2)).state_dict()
    del state["encoder.layer.1.mlp.fc2.weight"]
    save_file(state, tmp_path / "model.safetensors")
    with pytest.raises(WeightsError, match=r"does not fit.*encoder.layer.1.mlp.fc2.weight"):
        loaded(tmp_path / "model.safetensors")


def test_the_whole_network_has_the_weights_of_the_published_file(transformers):
    with torch.device("meta"):
        theirs = transformers.VJEPA2Model(transformers.VJEPA2Config())
        ours = BACKBONES[NAME].build()
    published = {name: value.shape for name, value in theirs.state_dict().items()}
    used = {name: shape for name, shape in published.items() if not name.startswith("predictor.")}
    assert {name: value.shape for name, value in ours.state_dict().items()} == used


def test_frames_are_those_of_the_librarys_processor(transformers, real_frames, levels_apart):
    videos = torch.from_numpy(real_frames).permute(0, 3, 1, 2)
    processed = transformers.VJEPA2VideoProcessor()(videos, return_tensors="pt").pixel_values_videos[0]
    apart = levels_apart(real_frames, get_preprocess("vjepa2-256"), processed)
    assert apart.max() < 1.01  # torchvision's filter for tensors rounds otherwise than Pillow's
    assert (apart > 0.5).mean() < 0.002


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.delitem(sys.modules, "aqa_pipeline.backbones.networks.transformers_video", raising=False)
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(AqaError, match=r"'vjepa2-l' needs transformers.*pip install .*\[transformers\]"):
        BACKBONES[NAME].build()
