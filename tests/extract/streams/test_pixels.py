"""Stream `pixels`: stored frames are the video's, resized by Pillow, and hold the windows of training."""

import io

import av
import numpy as np
import pytest
from PIL import Image

from aqa_pipeline.backbones.jpeg import decode_jpeg, encode_jpeg
from aqa_pipeline.errors import AqaError
from aqa_pipeline.records import Video
from aqa_pipeline.spec_facts import typed_facts
from aqa_pipeline.store import Store
from extract.run.extraction import Extraction
from extract.run.stage import extract
from extract.streams import PixelSampling, StoredPicture
from extract.streams.pixels import Pixels

FPS = 25.0
SMALL = StoredPicture(5, 3)


def by_hand(video: Video, number: int, *, width: int, height: int) -> np.ndarray:
    with Image.open(sorted(video.path.iterdir())[number]) as picture:
        return np.asarray(picture.convert("RGB").resize((width, height), Image.Resampling.BILINEAR))


def test_the_last_frames_are_stored_as_pillow_resizes_them(numbered_video, record_here):
    video = numbered_video("a", 300)
    record = record_here(video, Pixels(PixelSampling(), SMALL))
    assert (record.features.shape, record.features.dtype) == ((109, 3, 5, 3), np.uint8)
    assert record.extras["frame_index"].tolist() == list(range(191, 300))
    for row, number in enumerate(range(191, 300)):
        np.testing.assert_array_equal(record.features[row], by_hand(video, number, width=5, height=3))
    np.testing.assert_allclose(record.pts_seconds, np.arange(191, 300)[:, None] / FPS + [0, 1 / FPS])
    assert record.counts == {"num_steps": 109, "num_steps_without_person": 0, "num_repeated_frames": 0}
    assert record.pictures.field_of_view == (0, 0, 8, 6)


def test_every_shift_of_the_recipes_can_be_cut_from_it(numbered_video, record_here):
    """Both halves of a frame show its number, and the picture has the frame's own size."""
    record = record_here(numbered_video("a", 130), Pixels(PixelSampling(), StoredPicture(8, 6)))
    numbers = record.features[:, 0, 0, :2] @ np.array([250, 1])
    for num_frames, shifts in ((103, 7), (100, 7), (96, 6)):
        for shift in range(shifts):
            stop = len(numbers) - shift
            window = numbers[stop - num_frames : stop]
            assert window.tolist() == list(range(130 - shift - num_frames, 130 - shift))


def test_a_map_of_it_is_a_read_only_view_of_the_file(tmp_path, numbered_video, record_here):
    stream, video, store = (
        Pixels(PixelSampling(num_frames=20), SMALL),
        numbered_video("a", 30),
        Store(tmp_path / "s"),
    )
    report = extract(Extraction("toy", store, [stream]), [video], progress=lambda **_: None)
    assert not report.failures
    record = store.read("toy", "a", stream.spec)
    np.testing.assert_array_equal(record.features, record_here(video, stream).features)
    mapped = store.map("toy", "a", stream.spec)
    assert isinstance(mapped.features, np.memmap)
    assert mapped.features.flags.c_contiguous
    assert not mapped.features.flags.writeable
    np.testing.assert_array_equal(mapped.features, record.features)


@pytest.mark.parametrize("num_frames", [1, 7, 109])
def test_a_short_video_begins_with_copies_of_its_first_frame(numbered_video, record_here, num_frames):
    video = numbered_video("a", num_frames)
    record = record_here(video, Pixels(PixelSampling(), SMALL))
    expected = [max(0, number) for number in range(num_frames - 109, num_frames)]
    assert record.extras["frame_index"].tolist() == expected
    assert record.counts["num_repeated_frames"] == 109 - num_frames
    first = by_hand(video, 0, width=5, height=3)
    assert (record.features[: 110 - num_frames] == first).all()
    assert record.pts_seconds[0].tolist() == [0, 1 / FPS]


def test_the_whole_video_at_a_rate(numbered_video, record_here):
    video = numbered_video("a", 50)
    record = record_here(video, Pixels(PixelSampling(rate_fps=5.0), SMALL))
    assert record.extras["frame_index"].tolist() == list(range(2, 50, 5))  # the middle of each fifth
    np.testing.assert_allclose(record.pts_seconds[:, 0], np.arange(10) / 5)
    for row, number in enumerate(range(2, 50, 5)):
        np.testing.assert_array_equal(record.features[row], by_hand(video, number, width=5, height=3))
    assert "num_repeated_frames" not in record.counts


def test_jpeg_files_are_near_the_frames_and_end_with_zeros(record_here, tmp_path):
    """Frames become busier, so that files become longer from frame to frame."""
    folder = tmp_path / "busy"
    folder.mkdir()
    noise = np.random.default_rng(0)
    smooth = np.linspace(0, 200, 48)[:, None, None] + np.linspace(0, 50, 64)[None, :, None] + np.zeros(3)
    for number in range(12):
        picture = smooth + noise.normal(0, number / 3, (48, 64, 1))
        Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(folder / f"{number:02d}.png")
    video = Video("a", folder, fps=FPS)
    stream = Pixels(PixelSampling(num_frames=10), StoredPicture(64, 48, jpeg_quality=90))
    record = record_here(video, stream)
    lengths = record.extras["num_bytes"]
    assert (lengths.dtype, record.features.shape) == (np.int32, (10, lengths.max()))
    assert len(set(lengths.tolist())) == 10
    for row, number in enumerate(range(2, 12)):
        file = record.features[row, : lengths[row]]
        assert not record.features[row, lengths[row] :].any()
        with Image.open(io.BytesIO(file.tobytes())) as picture:
            decoded = np.asarray(picture)
        np.testing.assert_array_equal(decode_jpeg(record.features[row]), decoded)
        assert psnr(decoded, by_hand(video, number, width=64, height=48)) > 38


def psnr(picture: np.ndarray, other: np.ndarray) -> float:
    error = np.mean((picture.astype(float) - other) ** 2)
    return float(10 * np.log10(255**2 / error))


def test_jpeg_keeps_the_full_resolution_of_colors():
    """Red and blue columns in turn: halved colors would be the same purple everywhere."""
    stripes = np.zeros((16, 16, 3), np.uint8)
    stripes[:, ::2, 0], stripes[:, 1::2, 2] = 200, 200
    decoded = decode_jpeg(encode_jpeg(stripes, quality=95)).astype(int)
    assert (decoded[:, ::2, 0] - decoded[:, 1::2, 0]).min() > 150
    with pytest.raises(OSError, match="20 bytes are no JPEG file"):
        decode_jpeg(np.zeros(20, np.uint8))


def test_frames_of_a_real_file_are_those_that_pyav_decodes(shared, record_here):
    path = shared / "clips" / "weightlifting.mp4"
    record = record_here(Video("lift", path), Pixels(PixelSampling(num_frames=20), StoredPicture()))
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)][-20:]
    expected = [Image.fromarray(frame).resize((171, 128), Image.Resampling.BILINEAR) for frame in frames]
    np.testing.assert_array_equal(record.features, np.stack([np.asarray(each) for each in expected]))


def test_the_quality_of_a_jpeg_decides_how_near_it_is(shared, record_here):
    path = shared / "clips" / "weightlifting.mp4"
    raw, fine, coarse = (
        record_here(
            Video("lift", path), Pixels(PixelSampling(num_frames=4), StoredPicture(jpeg_quality=quality))
        )
        for quality in (None, 90, 40)
    )
    near, far = (np.stack([decode_jpeg(each) for each in jpeg.features]) for jpeg in (fine, coarse))
    assert psnr(near, raw.features) > 40
    assert psnr(far, raw.features) < psnr(near, raw.features) - 5
    assert coarse.features.nbytes < fine.features.nbytes < raw.features.nbytes / 5


def test_the_spec_says_how_frames_were_chosen_and_stored():
    raw = Pixels(PixelSampling(), StoredPicture())
    assert dict(raw.spec.facts) == {
        "num_frames": 109,
        "width": 171,
        "height": 128,
        "resize": "antialiased",
        "encoding": "uint8",
        "dtype": "uint8",
    }
    assert raw.spec.in_words == "extracted pixels (171x128)"
    facts = typed_facts(Pixels(PixelSampling(rate_fps=5.0), StoredPicture(455, 256, 90)).spec)
    assert (facts.rate_fps, facts.num_frames, facts.width, facts.height) == (5.0, None, 455, 256)
    assert (facts.encoding, facts.quality, facts.subsampling) == ("jpeg", 90, "4:4:4")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: StoredPicture(0, 3), "pictures of 1 to 4096 pixels a side, such as 171x128; got 0x3"),
        (lambda: StoredPicture(3, 5000), "got 3x5000"),
        (lambda: StoredPicture(3, 3, 0), "a number from 1 to 100; got 0"),
        (lambda: PixelSampling(0), "one frame or more; got 0"),
        (lambda: PixelSampling(rate_fps=0.0), "more than 0 frames a second; got 0.0"),
        (lambda: PixelSampling(rate_fps=float("inf")), "more than 0 frames a second; got inf"),
    ],
)
def test_numbers_out_of_range_are_refused(make, message):
    with pytest.raises(AqaError, match=message):
        make()
