"""Pictures whose stored pixels are not square are shown as wide as they were meant."""

from fractions import Fraction

import av
import numpy as np
import pytest

from aqa_pipeline.errors import VideoError
from aqa_pipeline.records import Video
from aqa_pipeline.video import open_video, probe
from aqa_pipeline.video.plain import sample_aspect, square_width


def disk(width, height, aspect):
    """(H, W, 3) a bright disk in the middle, round on a screen whose pixels have this aspect."""
    rows, columns = np.mgrid[:height, :width]
    inside = ((columns - width / 2) * float(aspect)) ** 2 + (rows - height / 2) ** 2 < (height / 3) ** 2
    return np.where(inside[..., None], 220, 30).astype(np.uint8).repeat(3, axis=2)


def encode(path, *, size, aspect, codec="libx264", rotation=None):
    width, height = size
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.sample_aspect_ratio = aspect
        if rotation is not None:
            stream.set_display_rotation(rotation)
        for _ in range(5):
            picture = disk(width, height, aspect)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def read(path):
    with open_video(Video("v", path)) as opened:
        return [picture for _, picture in opened.frames(range(opened.timeline.num_frames))], opened


def sides_of_the_disk(picture):
    bright = picture[..., 0] > 125
    return np.count_nonzero(bright.any(axis=0)), np.count_nonzero(bright.any(axis=1))


@pytest.mark.parametrize(
    ("size", "aspect", "shown"),
    [
        ((480, 360), Fraction(4, 3), (640, 360)),  # HDV
        ((720, 576), Fraction(64, 45), (1024, 576)),  # PAL 16:9
        ((720, 576), Fraction(16, 15), (768, 576)),  # PAL 4:3
        ((720, 480), Fraction(8, 9), (640, 480)),  # NTSC 4:3
        ((720, 480), Fraction(32, 27), (853, 480)),  # NTSC 16:9
        ((240, 480), Fraction(2, 1), (480, 480)),
    ],
)
@pytest.mark.parametrize(
    ("suffix", "codec"), [(".mp4", "libx264"), (".mkv", "libx264"), (".ts", "mpeg2video")]
)
def test_a_disk_is_round(tmp_path, size, aspect, shown, suffix, codec):
    if codec == "mpeg2video" and shown[0] * 9 != shown[1] * 16 and shown[0] * 3 != shown[1] * 4:
        pytest.skip("MPEG-2 knows 4:3 and 16:9 only")
    path = encode(tmp_path / f"a{suffix}", size=size, aspect=aspect, codec=codec)
    pictures, opened = read(path)
    assert (opened.width, opened.height) == shown
    assert {picture.shape for picture in pictures} == {(shown[1], shown[0], 3)}
    wide, high = sides_of_the_disk(pictures[2])
    assert wide == pytest.approx(high, abs=3)
    facts = probe(path)
    assert (facts.width, facts.height) == shown
    assert facts.picture == opened.picture == {"sample_aspect": f"{aspect.numerator}:{aspect.denominator}"}


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_pixels_are_stretched_as_they_are_stored_and_then_turned(tmp_path, rotation):
    path = encode(tmp_path / "a.mp4", size=(480, 360), aspect=Fraction(4, 3), rotation=rotation)
    pictures, opened = read(path)
    shown = (640, 360) if rotation == 180 else (360, 640)
    assert (opened.width, opened.height) == shown == (probe(path).width, probe(path).height)
    assert pictures[0].shape == (shown[1], shown[0], 3)
    wide, high = sides_of_the_disk(pictures[0])
    assert wide == pytest.approx(high, abs=3)


@pytest.mark.parametrize(
    "aspect", [Fraction(1), Fraction(639, 640), Fraction(1281, 1280), Fraction(101, 100)]
)
def test_a_rounding_of_the_encoder_is_no_stretch(tmp_path, aspect):
    """Scaling to sides that do not divide leaves such numbers; the pixels stay bit for bit."""
    path = encode(tmp_path / "a.mp4", size=(320, 180), aspect=aspect)
    pictures, opened = read(path)
    assert opened.picture == {}
    with av.open(str(path)) as container:
        expected = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    np.testing.assert_array_equal(pictures, expected)


def test_an_absurd_stretch_is_taken_for_damage(tmp_path, caplog):
    path = encode(tmp_path / "a.mp4", size=(320, 180), aspect=Fraction(20))
    pictures, opened = read(path)
    assert (opened.width, opened.height) == (320, 180)
    assert pictures[0].shape == (180, 320, 3)
    assert opened.picture == {}
    assert "the pixel ratio 20:1 is wrong: pixels are taken as square" in caplog.text


@pytest.mark.parametrize("stated", [None, Fraction(0), Fraction(-4, 3)])
def test_what_is_not_stated_is_square(tmp_path, stated):
    class Stream:
        sample_aspect_ratio = stated

    assert sample_aspect(Stream(), tmp_path) == 1
    assert square_width(1, Fraction(1, 4)) == 1


def test_decord_is_refused(tmp_path):
    pytest.importorskip("decord")
    path = encode(tmp_path / "a.mp4", size=(480, 360), aspect=Fraction(4, 3))
    with pytest.raises(VideoError, match="the pictures must be scaled to square pixels from 4:3"):
        open_video(Video("v", path), reader="decord")


def test_a_real_video(shared):
    path = shared / "cases" / "hdv.mp4"
    if not path.exists():
        pytest.skip(f"no {path}")
    pictures, opened = read(path)
    assert (opened.width, opened.height) == (640, 360)
    ordinary, _ = read(shared / "cases" / "sdr.mp4")  # the same content in square pixels
    difference = np.mean([np.abs(a.astype(int) - b).mean() for a, b in zip(pictures, ordinary, strict=True)])
    assert difference < 5
