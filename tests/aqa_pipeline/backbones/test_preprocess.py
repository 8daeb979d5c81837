"""Each geometry gives what the libraries in the papers' code give."""

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch.nn import functional
from torchvision import transforms
from torchvision.models import get_model_weights
from torchvision.transforms.v2 import functional as F

from aqa_pipeline.backbones import resizing
from aqa_pipeline.backbones.preprocess import PREPROCESS, get_preprocess
from aqa_pipeline.backbones.resizing import antialiased, antialiased_center, bicubic, bicubic_center, center
from aqa_pipeline.errors import UnknownName

SIZES = [
    (360, 640),
    (240, 320),
    (181, 97),
    (720, 1280),
    (100, 80),
    (256, 340),
    (1, 7),
    (224, 224),
    (225, 301),
]
ALL_SIZES = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[1]}x{size[0]}")


def picture(size):
    return np.random.default_rng(size).integers(0, 256, (*size, 3), np.uint8)


def through(frame, *steps):
    return np.asarray(transforms.Compose(steps)(Image.fromarray(frame)))


@ALL_SIZES
@pytest.mark.parametrize("name", ["short-side-256-crop-224", "imagenet"])
def test_short_side_and_crop_are_those_of_torchvision(size, name):
    expected = through(picture(size), transforms.Resize(256), transforms.CenterCrop(224))
    np.testing.assert_array_equal(get_preprocess(name).geometry(picture(size)), expected)


@ALL_SIZES
@pytest.mark.parametrize("side", [224, 240, 260])
def test_efficientnet_lite_sees_the_center_of_a_bicubic_picture(size, side):
    chain = transforms.Resize(side + 32, transforms.InterpolationMode.BICUBIC), transforms.CenterCrop(side)
    ours = get_preprocess(f"efficientnet-lite-{side}")
    np.testing.assert_array_equal(ours.geometry(picture(size)), through(picture(size), *chain))
    levels = np.array([0, 51, 255])
    np.testing.assert_allclose((levels / 255 - ours.mean) / ours.std, levels / 127.5 - 1)


@pytest.mark.parametrize(
    "size", [(1080, 1920), (480, 854), (576, 720), (640, 360), (144, 176), (96, 64), (512, 912), (90, 4096)]
)
@pytest.mark.parametrize(
    ("part", "resize"),
    [(antialiased_center, antialiased), (bicubic_center, bicubic)],
    ids=["bilinear", "bicubic"],
)
def test_resizing_the_center_alone_changes_no_bit(size, part, resize):
    for width, height, side in [
        (455, 256, 224),
        (256, 455, 224),
        (171, 128, 112),
        (64, 48, 48),
        (40, 30, 50),
    ]:
        whole = center(resize(picture(size), width, height), side, side)
        np.testing.assert_array_equal(part(picture(size), width, height, side), whole)


@settings(deadline=None)
@given(
    st.tuples(*[st.integers(1, 30)] * 2),
    st.tuples(*[st.sampled_from([(1, 1), (2, 3), (3, 2), (5, 4), (45, 32), (1, 4)])] * 2),
    st.integers(1, 60),
)
def test_any_part_has_the_weights_of_the_whole(periods, ratios, side):
    size = tuple(num * ratio[0] for num, ratio in zip(periods, ratios, strict=True))
    height, width = (num * ratio[1] for num, ratio in zip(periods, ratios, strict=True))
    for part, resize in ((antialiased_center, antialiased), (bicubic_center, bicubic)):
        whole = center(resize(picture(size), width, height), side, side)
        np.testing.assert_array_equal(part(picture(size), width, height, side), whole)


@pytest.mark.parametrize(("size", "num_columns"), [((720, 1280), 768), ((240, 320), 320), ((1280, 720), 720)])
def test_only_columns_near_the_center_are_resized(size, num_columns, monkeypatch):
    seen = []

    def watched(frame, width, height):
        seen.append(frame.shape[:2])
        return antialiased(frame, width, height)

    monkeypatch.setattr(resizing, "antialiased", watched)
    PREPROCESS["short-side-256-crop-224"].geometry(picture(size))
    assert seen == [(size[0], num_columns)]


@ALL_SIZES
def test_the_tensor_route_of_torchvision_differs_by_one_level_at_most(size):
    tensor = torch.from_numpy(picture(size)).permute(2, 0, 1)
    expected = F.center_crop(F.resize(tensor, [256], antialias=True), [224, 224]).permute(1, 2, 0).numpy()
    ours = PREPROCESS["short-side-256-crop-224"].geometry(picture(size))
    difference = np.abs(ours.astype(int) - expected)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.01


@ALL_SIZES
def test_released_segments_are_those_of_the_authors_chain(size):
    bgr = picture(size)[:, :, ::-1]
    height, width = size
    resized = cv2.resize(np.ascontiguousarray(bgr), (max(1, int(width / height * 224 + 0.5)), 224))
    rgb = cv2.cvtColor(resized, cv2.COLOR_BGR2RGB)
    expected = through(rgb, transforms.CenterCrop((224, 300)), transforms.Resize((224, 224)))
    np.testing.assert_array_equal(PREPROCESS["released-segments"].geometry(picture(size)), expected)


@ALL_SIZES
def test_squash_is_torchvisions_resize_to_both_sides(size):
    expected = through(picture(size), transforms.Resize((224, 224)))
    np.testing.assert_array_equal(PREPROCESS["squash-224"].geometry(picture(size)), expected)


# The model -> the preprocessing with which its weights were evaluated.
TORCHVISION = {
    "r3d_18": "kinetics-112",
    "s3d": "kinetics-224",
    "mvit_v1_b": "pyslowfast-224",
    "mvit_v2_s": "pyslowfast-224",
    "swin3d_t": "swin3d-224",
    "swin3d_b": "swin3d-224",
}


@ALL_SIZES
@pytest.mark.parametrize("model", TORCHVISION)
def test_video_preprocessing_is_that_of_torchvisions_weights(size, model):
    ours = get_preprocess(TORCHVISION[model])
    frames = torch.from_numpy(picture(size)).permute(2, 0, 1)[None]  # (frame, channel, height, width)
    expected = get_model_weights(model).DEFAULT.transforms()(frames)[:, 0].permute(1, 2, 0).numpy()
    made = (ours.geometry(picture(size)) / 255 - np.array(ours.mean)) / np.array(ours.std)
    levels = np.abs(made - expected) * np.array(ours.std) * 255
    assert levels.max() < 1.01  # OpenCV's fixed point against torch's, both rounded
    assert (levels > 0.01).mean() < 0.2


@ALL_SIZES
@pytest.mark.parametrize(
    ("name", "filter"),
    [("hara-112", Image.Resampling.BILINEAR), ("released-wd-112", Image.Resampling.BILINEAR)],
)
def test_weight_deciders_geometry_is_pillows_171x128_and_the_center(size, name, filter):
    resized = Image.fromarray(picture(size)).resize((171, 128), filter)
    expected = np.asarray(transforms.CenterCrop(112)(resized))
    np.testing.assert_array_equal(get_preprocess(name).geometry(picture(size)), expected)


@pytest.mark.parametrize(("name", "size"), [("pyslowfast-256", 256), ("pyslowfast-182", 182)])
def test_the_zoos_test_crop_is_the_center_of_the_scaled_frame(name, size):
    frame = picture((360, 640))
    tensor = torch.from_numpy(frame).permute(2, 0, 1)[None].float()
    height, width = size, int(size * 640 / 360)
    scaled = functional.interpolate(tensor, (height, width), mode="bilinear", align_corners=False)
    left = round((width - size) / 2)
    expected = scaled[0, :, :, left : left + size].permute(1, 2, 0).numpy()
    assert np.abs(get_preprocess(name).geometry(frame) - expected).max() < 1.01


def test_c3d_sees_pixels_less_their_mean():
    ours = get_preprocess("c3d-sports1m")
    pixels = np.array([104.0, 117.0, 228.0])
    np.testing.assert_allclose((pixels / 255 - ours.mean) / ours.std, [0, 0, 100], atol=1e-9)


@pytest.mark.parametrize("name", PREPROCESS)
@ALL_SIZES
def test_every_geometry_gives_what_backbones_take_and_leaves_the_frame_alone(name, size):
    frame = picture(size)
    frame.setflags(write=False)
    made = PREPROCESS[name].geometry(frame)
    assert made.shape == (PREPROCESS[name].size, PREPROCESS[name].size, 3)
    assert made.dtype == np.uint8
    assert made.flags.c_contiguous
    assert PREPROCESS[name].name == name
    assert PREPROCESS[name].source


def test_a_frame_that_is_not_contiguous_is_fine():
    frame = picture((300, 400))
    turned = frame[::-1, ::-1]
    made = PREPROCESS["squash-224"].geometry(turned)
    np.testing.assert_array_equal(made, PREPROCESS["squash-224"].geometry(turned.copy()))


def test_an_unknown_name_lists_the_known():
    with pytest.raises(UnknownName, match=r"unknown preprocessing 'squash'. Did you mean 'squash-224'"):
        get_preprocess("squash")
