"""The size of stored frames is told before they are extracted, and a disk without room is refused."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aqa_pipeline.errors import StoreError
from aqa_pipeline.records import StreamSpec, Video
from aqa_pipeline.store import Store
from extract.run import expected_sizes as sizes
from extract.run.expected_sizes import ExpectedSize, check_room, expected_sizes
from extract.run.extraction import Extraction
from extract.run.stage import extract
from extract.streams import PixelSampling, StoredPicture
from extract.streams.pixels import Pixels


@pytest.fixture
def videos(tmp_path: Path) -> list[Video]:
    """Write four videos of 20 noisy pictures, of which the last cannot be read."""
    noise = np.random.default_rng(0)
    for name in "abc":
        (tmp_path / name).mkdir()
        for number in range(20):
            picture = noise.integers(0, 255, (48, 64, 3), np.uint8)
            Image.fromarray(picture).save(tmp_path / name / f"{number:02d}.png")
    (tmp_path / "d.mp4").write_bytes(b"\0" * 64)
    folders = [Video(name, tmp_path / name, fps=25.0) for name in "abc"]
    return [*folders, Video("d", tmp_path / "d.mp4")]


def extraction_of(tmp_path: Path, stream: Pixels) -> Extraction:
    return Extraction("toy", Store(tmp_path / "s"), [stream], workers=1)


def test_the_size_of_mtl_aqa_is_the_one_that_was_planned_for():
    whole = ExpectedSize("pixels", 1412, 1412 * 109 * 171 * 128 * 3, is_exact=True)
    assert str(whole) == "pixels: 7.2 MB a video, 10.1 GB for 1,412 videos"
    assert str(ExpectedSize("pixels", 1, 2_000_000, is_exact=False)) == (
        "pixels: about 2.0 MB a video, 2.0 MB for 1 video"
    )


def test_raw_last_frames_have_an_exact_size_and_no_video_is_opened(tmp_path, videos):
    stream = Pixels(PixelSampling(num_frames=16), StoredPicture(8, 6))
    absent = [Video(f"v{number}", tmp_path / "nowhere.mp4") for number in range(10)]
    (size,) = expected_sizes(extraction_of(tmp_path, stream), [stream.spec], absent)
    assert size == ExpectedSize("pixels", 10, 10 * 16 * 8 * 6 * 3, is_exact=True)


def test_at_a_rate_the_lengths_of_a_few_videos_are_measured(tmp_path, videos):
    stream = Pixels(PixelSampling(rate_fps=5.0), StoredPicture(32, 24))
    (size,) = expected_sizes(extraction_of(tmp_path, stream), [stream.spec], videos)
    assert size == ExpectedSize("pixels", 4, 4 * 4 * 32 * 24 * 3, is_exact=False)  # 0.8 s: four frames each


def test_the_size_of_jpeg_files_is_measured_on_a_few_frames(tmp_path, videos):
    stream = Pixels(PixelSampling(num_frames=16), StoredPicture(32, 24, 80))
    extraction = extraction_of(tmp_path, stream)
    (size,) = expected_sizes(extraction, [stream.spec], videos)
    assert (size.num_videos, size.is_exact) == (4, False)
    report = extract(extraction, videos[:3], progress=lambda **_: None)
    assert not report.failures
    stored = [extraction.store.read("toy", name, stream.spec).features.nbytes for name in "abc"]
    assert size.num_bytes == pytest.approx(4 * np.mean(stored), rel=0.05)
    assert expected_sizes(extraction, [stream.spec], videos[:3]) == []  # all are stored


def test_what_cannot_be_read_and_other_streams_have_no_size(tmp_path, videos):
    stream = Pixels(PixelSampling(rate_fps=5.0), StoredPicture(8, 6))
    assert expected_sizes(extraction_of(tmp_path, stream), [stream.spec], videos[3:]) == []
    features = StreamSpec("segments", {"dtype": "float32"})
    assert expected_sizes(extraction_of(tmp_path, stream), [features], videos) == []


def test_a_disk_without_room_is_refused(tmp_path, monkeypatch):
    needed = ExpectedSize("pixels", 100, 5_000_000_000, is_exact=True)
    monkeypatch.setattr(sizes, "free_bytes", lambda place: 5_000_000_000)
    check_room([needed], tmp_path)
    monkeypatch.setattr(sizes, "free_bytes", lambda place: 4_900_000_000)
    with pytest.raises(
        StoreError, match=r"has room for 4.9 GB, less than the frames take \(pixels: 50.0 MB a"
    ):
        check_room([needed], tmp_path)
    check_room([], tmp_path)
