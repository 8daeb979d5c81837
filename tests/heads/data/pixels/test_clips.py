"""Clips cut from stored pictures, against plain slicing; views, JPEG and tubes."""

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from aqa_pipeline.athlete.tube_masks import PictureGeometry, paper_frame_masks, union_of_frames
from aqa_pipeline.errors import RunError
from aqa_pipeline.records import StreamSpec
from heads.data.large_streams import Reading
from heads.data.pixels.clips import PixelClips, View, views_of
from heads.data.tube_maps import OpenedRecord
from heads.recipes import FineTuning

CUT = FineTuning(8, (0, 8, 12), 20, 16, "imagenet", 1e-5, shifts=(0, -1, -2), flip=True)
REFERENCE = View(0)
SIZE = (24, 31)  # height, width


def pictures(num_frames: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (num_frames, *SIZE, 3), dtype=np.uint8)


def record(rows: np.ndarray, **extras: np.ndarray) -> OpenedRecord:
    return OpenedRecord(StreamSpec("pixels", {"height": SIZE[0], "width": SIZE[1]}), rows, extras, "sum")


def opened(*records: OpenedRecord, cutting: FineTuning = CUT, needs_tube: bool = False) -> PixelClips:
    clips = Reading(fine_tuning=cutting, needs_tube=needs_tube).open("pixels", records)
    assert isinstance(clips, PixelClips)
    return clips


def one(clips: PixelClips, *, view: View, video: int = 0) -> np.ndarray:
    """Return the clips of one video, (clip, frame, height, width, 3)."""
    at = clips.views.index(view)
    cut = clips.cut(torch.tensor([video]), starts=torch.tensor([0]), views=torch.tensor([at]), num_steps=3)
    assert cut.mask.all()
    return cut.maps[0].permute(0, 2, 3, 4, 1).numpy()


@pytest.mark.parametrize("shift", [0, -1, -2])
def test_a_shifted_window_ends_earlier(shift: int) -> None:
    rows = pictures(23)
    found = one(opened(record(rows)), view=View(shift))
    first = 23 - 20 + shift
    for clip, start in zip(found, (0, 8, 12), strict=True):
        expected = rows[first + start : first + start + 8, 4:20, 8:24]  # 7.5 is rounded to the even 8
        np.testing.assert_array_equal(clip, expected)


def test_a_mirrored_view_shows_the_same_pixels() -> None:
    clips = opened(record(pictures(23)))
    np.testing.assert_array_equal(
        one(clips, view=View(-1, mirrored=True)), one(clips, view=View(-1))[:, :, :, ::-1]
    )


def test_a_short_video_repeats_its_first_frame() -> None:
    rows = pictures(5)
    found = one(opened(record(rows)), view=View(-2))
    assert (found[0] == rows[0, 4:20, 8:24]).all()
    np.testing.assert_array_equal(found[2, -2:], rows[1:3, 4:20, 8:24])


def test_views_are_all_combinations_and_the_reference_is_first() -> None:
    cutting = replace(CUT, clip_starts=(0,), num_frames=8, shifts=(0, -1), random_crop=True)
    assert len(views_of(cutting)) == len(set(views_of(cutting))) == 2 * 2 * 9
    assert views_of(cutting)[0] == REFERENCE
    assert opened(record(pictures(9)), cutting=cutting).num_views == 36


def test_the_corners_of_a_random_crop_are_those_of_the_picture() -> None:
    rows = pictures(8)
    cutting = replace(CUT, clip_starts=(0,), num_frames=8, shifts=(0,), random_crop=True)
    clips = opened(record(rows), cutting=cutting)
    for place, corner in (((0, 0), (0, 0)), ((2, 2), (8, 15)), ((0, 2), (0, 15))):
        at = views_of(cutting).index(View(0, place=place))
        cut = clips.cut(torch.tensor([0]), starts=torch.tensor([0]), views=torch.tensor([at]), num_steps=1)
        top, left = corner
        expected = rows[:, top : top + 16, left : left + 16]
        np.testing.assert_array_equal(cut.maps[0, 0].permute(1, 2, 3, 0).numpy(), expected)


def test_a_whole_video_is_cut_into_clips_side_by_side() -> None:
    cutting = replace(CUT, clip_starts=(), num_frames=None, shifts=(0,))
    rows = pictures(19)
    clips = opened(record(rows), record(pictures(8, seed=1)), cutting=cutting)
    seconds = clips.clip_seconds([np.stack([np.arange(n), np.arange(n) + 1], axis=1) for n in (19.0, 8.0)])
    np.testing.assert_array_equal(seconds[0], [[0, 8], [8, 16], [11, 19]])
    cut = clips.cut(
        torch.tensor([0, 1]), starts=torch.zeros(2).long(), views=torch.zeros(2).long(), num_steps=3
    )
    assert cut.mask.tolist() == [[True, True, True], [True, False, False]]
    np.testing.assert_array_equal(cut.maps[0, 2].permute(1, 2, 3, 0).numpy(), rows[11:19, 4:20, 8:24])
    assert not cut.maps[1, 1:].any()


def jpeg(picture: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=90)
    return file.getvalue()


def test_jpeg_pictures_are_those_of_the_decoder() -> None:
    smooth = np.repeat(np.linspace(0, 255, 31).astype(np.uint8)[None, :, None], 24, axis=0).repeat(3, axis=2)
    files = [jpeg(smooth), jpeg(smooth[:, ::-1])]
    rows = np.zeros((2, max(map(len, files))), np.uint8)
    for row, content in zip(rows, files, strict=True):
        row[: len(content)] = np.frombuffer(content, np.uint8)
    clips = opened(
        record(rows, num_bytes=np.array(list(map(len, files)), np.int32)),
        cutting=replace(CUT, frames_per_clip=2, clip_starts=(0,), num_frames=2),
    )
    cut = clips.cut(torch.tensor([0]), starts=torch.tensor([0]), views=torch.tensor([0]), num_steps=1)
    expected = [np.asarray(Image.open(io.BytesIO(content))) for content in files]
    found = cut.maps[0, 0].permute(1, 2, 3, 0).numpy()
    np.testing.assert_array_equal(found, np.stack(expected)[:, 4:20, 8:24])


@pytest.mark.parametrize("mirrored", [False, True])
def test_tubes_are_those_of_the_crop(mirrored: bool) -> None:
    """The quads beside pictures of 455x256 give what a 640x360 frame's quads give in TSA-Net's crop."""
    corners = np.array([[200, 100], [300, 100], [300, 260], [200, 260]], np.float64)
    in_frame = corners + 2 * np.arange(16)[:, None, None] * np.array([1, 0])
    geometry = PictureGeometry((640, 360))
    rows = np.zeros((16, 256, 455, 3), np.uint8)
    quads = in_frame * (455 / 640, 256 / 360)
    extras = {"quads": quads, "frame_quads": in_frame, "frame_size": np.array([[640, 360]] * 16)}
    cutting = replace(CUT, frames_per_clip=16, clip_starts=(0,), num_frames=16, crop=224, shifts=(0,))
    clips = opened(record(rows, **extras), cutting=cutting, needs_tube=True)
    at = views_of(cutting).index(View(0, mirrored=mirrored))
    cut = clips.cut(torch.tensor([0]), starts=torch.tensor([0]), views=torch.tensor([at]), num_steps=1)
    expected = union_of_frames(paper_frame_masks(geometry.in_picture(in_frame, flipped=mirrored)))
    assert expected.any()
    np.testing.assert_array_equal(cut.tubes[0, 0].numpy(), expected)


def test_a_head_with_tubes_asks_for_quads() -> None:
    with pytest.raises(RunError, match="1 of 1 records of pixels have no quads"):
        opened(record(pictures(23)), needs_tube=True)


def test_pictures_smaller_than_the_network_takes_are_refused() -> None:
    with pytest.raises(RunError, match="pictures are 31x24, the network takes 32x32"):
        one(opened(record(pictures(23)), cutting=replace(CUT, crop=32)), view=REFERENCE)


def test_features_are_no_pictures() -> None:
    with pytest.raises(RunError, match="expected pictures, uint8"):
        opened(record(np.zeros((4, 512), np.float32)))


def test_the_mean_color_stands_for_a_clip() -> None:
    rows = pictures(23)
    found = opened(record(rows)).reference(0)
    expected = [rows[start : start + 8].mean(axis=(0, 1, 2)) for start in (3, 11, 15)]
    np.testing.assert_allclose(found[:, 0], expected)
