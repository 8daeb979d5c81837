"""The features of torchvision's video models feed their classifiers, and their files load strictly."""

import pytest
import torch
from torchvision.models import get_model

from aqa_pipeline.backbones import BACKBONES
from aqa_pipeline.backbones.entries.torchvision_video import TORCHVISION_VIDEO


def official(name):
    return get_model(name, weights=None)


@pytest.mark.parametrize("name", [backbone.name for backbone in TORCHVISION_VIDEO])
def test_the_official_file_is_the_network_and_its_classifier(name):
    backbone = BACKBONES[name]
    with torch.device("meta"):
        theirs, ours = official(name).state_dict(), backbone.build().state_dict()
    kept = {
        key: value.shape for key, value in theirs.items() if not key.startswith(backbone.checkpoint.unused)
    }
    assert {key: value.shape for key, value in ours.items()} == kept
    assert len(theirs) > len(ours)


@torch.inference_mode()
@pytest.mark.parametrize(
    ("name", "head"), [("r3d_18", "fc"), ("r2plus1d_18", "fc"), ("mc3_18", "fc"), ("swin3d_t", "head")]
)
def test_the_classifier_makes_the_official_output_of_our_features(quick_build, name, head):
    whole, ours = quick_build(lambda: official(name)), quick_build(BACKBONES[name].build)
    ours.load_state_dict(
        {key: value for key, value in whole.state_dict().items() if not key.startswith(f"{head}.")}
    )
    clip = torch.randn(1, 3, 8, 32, 32, generator=torch.Generator().manual_seed(1))
    expected = whole(clip)
    torch.testing.assert_close(whole.get_submodule(head)(ours(clip)), expected, rtol=1e-4, atol=1e-4)
    assert expected.std() > 0


@torch.inference_mode()
def test_s3ds_feature_is_the_mean_of_what_its_classifier_sees(quick_build, global_windows):
    whole, ours = quick_build(lambda: official("s3d")), quick_build(BACKBONES["s3d"].build)
    ours.load_state_dict(
        {key: v for key, v in whole.state_dict().items() if not key.startswith("classifier.")}
    )
    clip = torch.randn(1, 3, 16, 64, 64, generator=torch.Generator().manual_seed(1))
    with global_windows(whole), global_windows(ours):
        expected, features = whole(clip), ours(clip)
    classified = whole.classifier(features[:, :, None, None, None]).flatten(1)
    torch.testing.assert_close(classified, expected, rtol=1e-4, atol=1e-4)
