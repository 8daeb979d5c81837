"""Video-Swin of the authors' files is torchvision's network; its pictures are those of MMAction2 and GDLT."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torchvision import transforms
from torchvision.models.video import SwinTransformer3d
from torchvision.models.video.swin_transformer import ShiftedWindowAttention3d

from aqa_pipeline.backbones import BACKBONES
from aqa_pipeline.backbones.preprocess import get_preprocess
from aqa_pipeline.backbones.with_weights import _our_name, network_with_weights
from aqa_pipeline.errors import WeightsError

BACKBONE = BACKBONES["swin3d_b_k600"]
WINDOW = (8, 7, 7)
NUM_IN_WINDOW = 8 * 7 * 7
BIAS_ROWS = 15 * 13 * 13
MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)  # of the authors' configuration
SIZES = [(360, 640), (240, 426), (336, 598), (480, 854), (720, 1280), (256, 340), (300, 300), (640, 360)]


def authors_shapes(*, width, depths, heads, num_classes):
    """Return the shape of every entry of a file of the authors, by MMAction2's name."""
    names = {"backbone.patch_embed.proj.weight": (width, 3, 2, 4, 4)}
    names |= {f"backbone.patch_embed.{name}": (width,) for name in ("proj.bias", "norm.weight", "norm.bias")}
    for stage, (depth, num_heads) in enumerate(zip(depths, heads, strict=True)):
        dim = width * 2**stage
        for block in range(depth):
            names |= {
                f"backbone.layers.{stage}.blocks.{block}.{name}": shape
                for name, shape in {
                    "norm1.weight": (dim,),
                    "norm1.bias": (dim,),
                    "attn.relative_position_bias_table": (BIAS_ROWS, num_heads),
                    "attn.relative_position_index": (NUM_IN_WINDOW, NUM_IN_WINDOW),
                    "attn.qkv.weight": (3 * dim, dim),
                    "attn.qkv.bias": (3 * dim,),
                    "attn.proj.weight": (dim, dim),
                    "attn.proj.bias": (dim,),
                    "norm2.weight": (dim,),
                    "norm2.bias": (dim,),
                    "mlp.fc1.weight": (4 * dim, dim),
                    "mlp.fc1.bias": (4 * dim,),
                    "mlp.fc2.weight": (dim, 4 * dim),
                    "mlp.fc2.bias": (dim,),
                }.items()
            }
        if stage < len(depths) - 1:
            between = f"backbone.layers.{stage}.downsample"
            names |= {f"{between}.reduction.weight": (2 * dim, 4 * dim)}
            names |= {f"{between}.norm.weight": (4 * dim,), f"{between}.norm.bias": (4 * dim,)}
    last = width * 2 ** (len(depths) - 1)
    names |= {"backbone.norm.weight": (last,), "backbone.norm.bias": (last,)}
    names |= {"cls_head.fc_cls.weight": (num_classes, last), "cls_head.fc_cls.bias": (num_classes,)}
    return names


def authors_index():
    """Return MMAction2's row of the bias table for each pair of positions in a window, written anew."""
    position = np.indices(WINDOW).reshape(3, -1)  # time, row, column of each position
    apart = position[:, :, None] - position[:, None, :] + np.array([7, 6, 6])[:, None, None]
    return torch.from_numpy(apart[0] * 13 * 13 + apart[1] * 13 + apart[2])


def authors_state(shapes):
    generator = torch.Generator().manual_seed(0)
    return {
        name: authors_index()
        if name.endswith("index")
        else torch.randn(shape, generator=generator) * (1 / 5 if len(shape) > 1 else 1)
        for name, shape in shapes.items()
    }


TINY = {"width": 8, "depths": (1, 2, 1, 1), "heads": (1, 2, 2, 4)}


def tiny_network(num_classes=400):
    return SwinTransformer3d(
        patch_size=[2, 4, 4],
        embed_dim=TINY["width"],
        depths=list(TINY["depths"]),
        num_heads=list(TINY["heads"]),
        window_size=list(WINDOW),
        num_classes=num_classes,
    ).eval()


def tiny_without_head():
    network = tiny_network()
    network.head = nn.Identity()
    return network


def loaded(path):
    return network_with_weights(replace(BACKBONE, build=tiny_without_head), str(path), size=224)[1]().eval()


def in_torchvisions_order(state):
    """Return torchvision's network with the authors' numbers: both list their layers in the same order."""
    network = tiny_network(num_classes=3)
    names = {name: value.shape for name, value in network.state_dict().items()}
    assert [*names.values()] == [value.shape for value in state.values()]
    network.load_state_dict(dict(zip(names, state.values(), strict=True)))
    return network


@torch.inference_mode()
def test_a_file_of_the_authors_gives_torchvisions_output_of_our_features(tmp_path):
    state = authors_state(authors_shapes(**TINY, num_classes=3))
    torch.save(
        {"meta": {"epoch": 30, "mmaction_version": "0.15"}, "state_dict": state}, tmp_path / "swin.pth"
    )
    clip = torch.randn(1, 3, 32, 64, 64, generator=torch.Generator().manual_seed(1))
    features = loaded(tmp_path / "swin.pth")(clip)
    classes = features @ state["cls_head.fc_cls.weight"].T + state["cls_head.fc_cls.bias"]
    expected = in_torchvisions_order(state)(clip)
    torch.testing.assert_close(classes, expected, rtol=1e-4, atol=1e-4)
    assert expected.std() > 0.1


def test_every_entry_of_the_whole_file_has_its_place():
    shapes = authors_shapes(width=128, depths=(2, 2, 18, 2), heads=(4, 8, 16, 32), num_classes=600)
    with torch.device("meta"):
        ours = {name: tuple(value.shape) for name, value in BACKBONE.build().state_dict().items()}
    renamed = {_our_name(name, BACKBONE): shape for name, shape in shapes.items()}
    assert {name: shape for name, shape in renamed.items() if not name.startswith("cls_head.")} == ours
    assert len(renamed) == len(shapes) == len(ours) + 2


def test_a_file_without_a_bias_table_is_refused(tmp_path):
    state = authors_state(authors_shapes(**TINY, num_classes=3))
    del state["backbone.layers.1.blocks.1.attn.relative_position_bias_table"]
    torch.save({"state_dict": state}, tmp_path / "swin.pth")
    with pytest.raises(
        WeightsError, match=r"does not fit.*features\.2\.1\.attn\.relative_position_bias_table"
    ):
        loaded(tmp_path / "swin.pth")


def test_pairs_of_positions_have_the_same_row_of_the_bias_table_as_in_mmaction2():
    index = tiny_network().state_dict()["features.0.0.attn.relative_position_index"]
    assert torch.equal(index, authors_index())
    assert index.max() == BIAS_ROWS - 1


def attention_pair_by_pair(layer, maps, shift):
    """Return MMAction2's attention in shifted windows, written anew over all pairs of positions.

    After the shift, two positions see each other if they are in one window, on the same side of the borders
    that the shift brought together. `maps` are (1, time, row, column, dim).
    """
    sizes, dim = maps.shape[1:4], maps.shape[-1]
    shifted = [
        (np.indices(sizes)[axis].ravel() - shift[axis]) % size for axis, size in enumerate(sizes)
    ]  # position of each token after the shift, per axis
    sees = np.ones((maps[0, ..., 0].numel(),) * 2, bool)
    row = np.zeros_like(sees, int)
    for at, size, window, moved in zip(shifted, sizes, WINDOW, shift, strict=True):
        side = (at >= size - window).astype(int) + (at >= size - moved)
        for label in (at // window, side):
            sees &= label[:, None] == label[None]
        apart = at[:, None] % window - at[None] % window + window - 1
        row = row * (2 * window - 1) + apart
    heads = layer.num_heads
    q, k, v = layer.qkv(maps).view(-1, 3, heads, dim // heads).permute(1, 2, 0, 3)
    scores = q @ k.mT / (dim // heads) ** 0.5 + layer.relative_position_bias_table[row].permute(2, 0, 1)
    weights = scores.masked_fill(~torch.from_numpy(sees), -torch.inf).softmax(dim=-1)
    return layer.proj((weights @ v).transpose(0, 1).reshape(maps.shape))


@torch.inference_mode()
@pytest.mark.parametrize("shift", [(0, 0, 0), (4, 3, 3)])
def test_windows_are_those_of_mmaction2(shift):
    torch.manual_seed(0)
    layer = ShiftedWindowAttention3d(8, [*WINDOW], [*shift], num_heads=2).eval()
    layer.relative_position_bias_table.normal_()
    maps = torch.randn(1, 16, 14, 7, 8)
    kept = tuple(
        0 if size <= window else by for size, window, by in zip((16, 14, 7), WINDOW, shift, strict=True)
    )
    torch.testing.assert_close(layer(maps), attention_pair_by_pair(layer, maps, kept), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[1]}x{size[0]}")
def test_the_papers_pictures_are_those_of_mmaction2s_test_pipeline(size):
    """Resize(-1, 256), CenterCrop(224) and Normalize of the authors' configuration, written anew."""
    frame = np.random.default_rng(size).integers(0, 256, (*size, 3), np.uint8)
    scale = 256 / min(size)
    height, width = (int(side * scale + 0.5) for side in size)
    resized = cv2.resize(frame, (width, height), interpolation=cv2.INTER_LINEAR)
    top, left = (height - 224) // 2, (width - 224) // 2
    expected = (resized[top : top + 224, left : left + 224].astype(np.float32) - MEAN) / STD
    preprocess = get_preprocess(BACKBONE.preprocess["paper"])
    seen = preprocess.geometry(frame)
    np.testing.assert_array_equal(seen, resized[top : top + 224, left : left + 224])
    np.testing.assert_allclose((seen / 255 - preprocess.mean) / preprocess.std, expected, atol=1e-5)


@pytest.mark.parametrize("size", [*SIZES, (224, 224)], ids=lambda size: f"{size[1]}x{size[0]}")
def test_the_released_pictures_are_those_of_gdlts_code(size):
    frame = np.random.default_rng(size).integers(0, 256, (*size, 3), np.uint8)
    chain = transforms.Resize(256), transforms.CenterCrop((224, 300)), transforms.Resize((224, 224))
    expected = np.asarray(transforms.Compose(chain)(Image.fromarray(frame)))
    np.testing.assert_array_equal(get_preprocess(BACKBONE.preprocess["released"]).geometry(frame), expected)
