"""JPEG files, decoded by torchcodec and by Pillow."""

import io
import sys
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from PIL import Image

from aqa_pipeline.backbones import jpeg
from aqa_pipeline.backbones.jpeg import decode_jpeg, decode_jpegs, decodes_on, encode_jpeg

CPU = torch.device("cpu")


@pytest.fixture(params=["torchcodec", "pillow"])
def decoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Decode with the one or the other, and forget the choice afterwards."""
    jpeg.torchcodec_decoder.cache_clear()
    if request.param == "torchcodec":
        pytest.importorskip("torchcodec")
    else:
        monkeypatch.setitem(sys.modules, "torchcodec.decoders", None)
    assert (jpeg.torchcodec_decoder() is not None) == (request.param == "torchcodec")
    yield request.param
    jpeg.torchcodec_decoder.cache_clear()


def pictures(num: int = 3) -> list[np.ndarray]:
    """Return pictures of smooth color with a little noise, 128 rows of 171."""
    random = np.random.default_rng(0)
    coarse = [Image.fromarray(random.integers(0, 255, (12, 16, 3), dtype=np.uint8)) for _ in range(num)]
    return [
        np.asarray(each.resize((171, 128), Image.Resampling.BICUBIC))
        ^ random.integers(0, 4, (128, 171, 3), np.uint8)
        for each in coarse
    ]


def halved_colors(picture: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=80, subsampling="4:2:0")
    return np.frombuffer(file.getvalue(), np.uint8)


def test_both_decoders_give_the_bytes_of_pillow(decoder: str) -> None:
    for picture in pictures():
        for file in (encode_jpeg(picture, quality=90), halved_colors(picture)):
            expected = np.asarray(Image.open(io.BytesIO(file.tobytes())).convert("RGB"))
            np.testing.assert_array_equal(decode_jpeg(file), expected)


def test_several_files_are_decoded_like_each_alone(decoder: str) -> None:
    padded = [np.pad(encode_jpeg(each, quality=90), (0, 100)) for each in pictures()]
    found = decode_jpegs(padded, device=CPU)
    assert found.dtype == torch.uint8
    np.testing.assert_array_equal(found.numpy(), [decode_jpeg(each) for each in padded])


def test_a_gray_file_has_three_equal_colors(decoder: str) -> None:
    file = io.BytesIO()
    Image.fromarray(pictures(1)[0][..., 0]).save(file, "JPEG")
    found = decode_jpeg(np.frombuffer(file.getvalue(), np.uint8))
    assert found.shape == (128, 171, 3)
    assert (found == found[..., :1]).all()


@pytest.mark.parametrize("content", [np.zeros(20, np.uint8), encode_jpeg(pictures(1)[0], quality=90)[:400]])
def test_other_bytes_are_no_picture(decoder: str, content: np.ndarray) -> None:
    with pytest.raises(OSError, match=r"JPEG|(?i:truncated)"):
        decode_jpeg(content)


def test_a_gpu_decodes_with_torchcodec_alone(decoder: str) -> None:
    assert decodes_on(CPU)
    assert decodes_on(torch.device("cuda")) == (decoder == "torchcodec")
    assert not decodes_on(torch.device("mps"))


@pytest.mark.gpu
def test_a_gpu_decodes_the_same_pictures_but_for_rounding() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    pytest.importorskip("torchcodec")
    files = [encode_jpeg(each, quality=90) for each in pictures()]
    on_cpu, on_gpu = (decode_jpegs(files, device=torch.device(name)).cpu().int() for name in ("cpu", "cuda"))
    assert (on_cpu - on_gpu).abs().max() <= 3
