"""VideoMAE V2 equals the network of transformers; its files and pictures are those of the authors' code."""

import re
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from aqa_pipeline.backbones import BACKBONES
from aqa_pipeline.backbones.networks.videomae2 import VideoViT
from aqa_pipeline.backbones.preprocess import get_preprocess
from aqa_pipeline.backbones.with_weights import network_with_weights
from aqa_pipeline.errors import WeightsError

WIDTH, DEPTH, HEADS, NUM_CLASSES, SIZE = 48, 2, 3, 7, 32

# Names of the authors' files -> names of transformers' VideoMAEForVideoClassification. Each has one layer for
# queries, keys and values.
LIBRARY_NAMES = (
    (r"^patch_embed\.proj", "videomae.embeddings.patch_embeddings.projection"),
    (r"^blocks\.", "videomae.encoder.layer."),
    (r"\.norm1\.", ".layernorm_before."),
    (r"\.norm2\.", ".layernorm_after."),
    (r"\.attn\.proj\.", ".attention.output.dense."),
    (r"\.attn\.q_bias", ".attention.attention.query.bias"),
    (r"\.attn\.v_bias", ".attention.attention.value.bias"),
    (r"\.mlp\.fc1\.", ".intermediate.dense."),
    (r"\.mlp\.fc2\.", ".output.dense."),
    (r"^head\.", "classifier."),
)


def authors_state():
    """Return random numbers for every entry of a file of the authors, of a tiny network."""
    shapes = {"patch_embed.proj.weight": (WIDTH, 3, 2, 16, 16), "patch_embed.proj.bias": (WIDTH,)}
    for block in range(DEPTH):
        inner = {
            "norm1.weight": (WIDTH,),
            "norm1.bias": (WIDTH,),
            "attn.q_bias": (WIDTH,),
            "attn.v_bias": (WIDTH,),
            "attn.qkv.weight": (3 * WIDTH, WIDTH),
            "attn.proj.weight": (WIDTH, WIDTH),
            "attn.proj.bias": (WIDTH,),
            "norm2.weight": (WIDTH,),
            "norm2.bias": (WIDTH,),
            "mlp.fc1.weight": (4 * WIDTH, WIDTH),
            "mlp.fc1.bias": (4 * WIDTH,),
            "mlp.fc2.weight": (WIDTH, 4 * WIDTH),
            "mlp.fc2.bias": (WIDTH,),
        }
        shapes |= {f"blocks.{block}.{name}": shape for name, shape in inner.items()}
    shapes |= {"fc_norm.weight": (WIDTH,), "fc_norm.bias": (WIDTH,)}
    shapes |= {"head.weight": (NUM_CLASSES, WIDTH), "head.bias": (NUM_CLASSES,)}
    generator = torch.Generator().manual_seed(0)
    return {name: torch.randn(shape, generator=generator) / 5 for name, shape in shapes.items()}


def in_names_of_the_library(state):
    renamed = {}
    for name, value in state.items():
        for pattern, replacement in LIBRARY_NAMES:
            name = re.sub(pattern, replacement, name)
        if name.endswith("attn.qkv.weight"):
            start = name.removesuffix("attn.qkv.weight")
            for part, weight in zip(("query", "key", "value"), value.chunk(3), strict=True):
                renamed[f"{start}attention.attention.{part}.weight"] = weight
        else:
            renamed[name] = value
    return renamed


def librarys_network(transformers, state):
    sizes = {"hidden_size": WIDTH, "num_hidden_layers": DEPTH, "num_attention_heads": HEADS}
    inputs = {"image_size": SIZE, "intermediate_size": 4 * WIDTH, "layer_norm_eps": 1e-6}
    config = transformers.VideoMAEConfig(**sizes, **inputs, num_labels=NUM_CLASSES)
    network = transformers.VideoMAEForVideoClassification(config).eval()
    network.fc_norm.eps = 1e-6  # the library has 1e-5 here, the authors 1e-6
    network.load_state_dict(in_names_of_the_library(state))
    return network


def loaded(path):
    backbone = replace(
        BACKBONES["videomae2-b"], build=lambda: VideoViT(width=WIDTH, depth=DEPTH, num_heads=HEADS)
    )
    return network_with_weights(backbone, str(path), size=SIZE)[1]().eval()


@torch.inference_mode()
@pytest.mark.parametrize("wrapper", ["model", "module"])
def test_a_file_of_the_authors_makes_the_librarys_output_of_our_features(transformers, tmp_path, wrapper):
    state = authors_state()
    torch.save({wrapper: state}, tmp_path / "vit.pth")
    clip = torch.randn(2, 3, 16, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
    classes = F.linear(loaded(tmp_path / "vit.pth")(clip), state["head.weight"], state["head.bias"])
    expected = librarys_network(transformers, state)(pixel_values=clip.transpose(1, 2)).logits
    torch.testing.assert_close(classes, expected, rtol=1e-4, atol=1e-5)
    assert expected.std() > 0.1


def test_a_file_in_half_precision_is_read_into_full_precision(tmp_path):
    torch.save(
        {"module": {name: value.half() for name, value in authors_state().items()}}, tmp_path / "v.pth"
    )
    network = loaded(tmp_path / "v.pth")
    assert {value.dtype for value in network.state_dict().values()} == {torch.float32}
    torch.testing.assert_close(network.fc_norm.bias, authors_state()["fc_norm.bias"], rtol=1e-3, atol=1e-4)


def test_a_file_without_a_bias_is_refused(tmp_path):
    state = authors_state()
    del state["blocks.1.attn.v_bias"]
    torch.save({"module": state}, tmp_path / "vit.pth")
    with pytest.raises(WeightsError, match=r"does not fit.*blocks\.1\.attn\.v_bias"):
        loaded(tmp_path / "vit.pth")


def test_positions_are_those_of_the_whole_network_of_the_library(transformers):
    from transformers.models.videomae.modeling_videomae import get_sinusoid_encoding_table

    ours = VideoViT(width=WIDTH, depth=1, num_heads=HEADS).positions
    torch.testing.assert_close(ours, get_sinusoid_encoding_table(8 * 14 * 14, WIDTH)[0])


def test_the_papers_pictures_are_cut_out_of_the_authors_resized_frame(real_frames):
    frame = real_frames[0]
    height, width = frame.shape[:2]
    resized = cv2.resize(frame, (int(224 * width / height), 224), interpolation=cv2.INTER_LINEAR)
    start = round((resized.shape[1] - 224) / 2)
    expected = resized[:, start : start + 224]
    np.testing.assert_array_equal(get_preprocess("videomae2-224").geometry(frame), expected)


def test_the_released_pictures_are_the_authors_whole_frames(real_frames, levels_apart):
    """The authors' code resizes decimals without averaging over dropped pixels, and does not normalize."""
    pixels = torch.from_numpy(real_frames).permute(0, 3, 1, 2).float() / 255
    expected = F.interpolate(pixels, size=(224, 224), mode="bilinear", align_corners=False)
    apart = levels_apart(real_frames, get_preprocess("released-videomae2-224"), expected)
    # OpenCV rounds to whole levels, which alone is a quarter of a level on average, and half of one at most.
    assert apart.mean() < 0.27
    assert apart.max() < 1.01
