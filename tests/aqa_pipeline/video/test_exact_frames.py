"""Every sampled frame is the frame shown at that time: files of every kind, read from their pixels."""

from bisect import bisect_right
from fractions import Fraction
from importlib.util import find_spec

import av
import numpy as np
import pytest

from aqa_pipeline.errors import VideoError
from aqa_pipeline.records import Video
from aqa_pipeline.video import open_video, probe, sample_by_time

DECORD = {
    "closed_gop.mp4",
    "closed_gop_audio.mp4",
    "long_gop.mov",
    "no_b_frames.mp4",
    "one_second_late.mp4",
    "variable_rate.mp4",
    "ntsc_film.mp4",
    "hevc_closed.mp4",
    "h264_full_range.mp4",
    "one_frame.mp4",
    "two_frames.mp4",
    "cover_art.mp4",
    "fragments.mp4",
    "cut_no_edit_list.mp4",
}
HEVC = "log-level=none:keyint=20:min-keyint=20:scenecut=0:bframes=3:b-adapt=0"
# WebM rounds to milliseconds, MPEG-TS to 1/90000 s.
CONTAINER_ROUNDING_SECONDS = 0.001


def as_shown(picture, video):
    """Turn a picture as players do, with functions of NumPy."""
    picture = np.rot90(picture, video.turns)
    return picture[:, ::-1] if video.mirrored else picture


def read(path, indices=None, reader="auto", **window):
    with open_video(Video("v", path, **window), reader=reader) as opened:
        indices = range(opened.timeline.num_frames) if indices is None else indices
        return [picture for _, picture in opened.frames(indices)]


def test_the_whole_file_equals_a_sequential_decode(videos, video_name, decode_all):
    video = videos[video_name]
    expected = decode_all(video.path)
    with open_video(Video("v", video.path)) as opened:
        assert opened.timeline.num_frames == len(expected)
        pictures = opened.frames(range(len(expected)))
        for (index, picture), reference in zip(pictures, expected, strict=True):
            assert picture.shape == (opened.height, opened.width, 3)
            assert picture.flags.c_contiguous
            np.testing.assert_array_equal(picture, as_shown(reference, video), err_msg=f"frame {index}")


def test_bar_codes_and_times_are_those_that_were_drawn(videos, video_name, read_number):
    video = videos[video_name]
    if not video.numbers:
        pytest.skip("which frames come out of this file is the decoder's affair; see the sequential test")
    with open_video(Video("v", video.path)) as opened:
        seconds = opened.timeline.pts_seconds
        numbers = [read_number(picture) for _, picture in opened.frames(range(opened.timeline.num_frames))]
    assert numbers == [number % 1024 for number in video.numbers]
    np.testing.assert_allclose(seconds, video.seconds, rtol=0, atol=CONTAINER_ROUNDING_SECONDS)


@pytest.mark.parametrize("reader", ["auto", "decord"])
def test_samples_show_the_frame_of_their_time(videos, video_name, read_number, reader):
    video = videos[video_name]
    if reader == "decord" and (video_name not in DECORD or find_spec("decord") is None):
        pytest.skip("decord is not installed, or is refused for this file")
    if not video.numbers:
        pytest.skip("which frames come out of this file is the decoder's affair; see the sequential test")
    with open_video(Video("v", video.path), reader=reader) as opened:
        for rate in (1, 7.3, 23.976):
            samples = sample_by_time(opened.timeline, rate)
            shown = {i: read_number(p) for i, p in opened.frames(np.unique(samples.frame_index))}
            for index, middle in zip(samples.frame_index, samples.pts_seconds.mean(axis=1), strict=True):
                # at a rounded time the frame before or after is as right as its neighbor
                right = {
                    video.numbers[max(0, bisect_right(video.seconds, middle + nudge) - 1)]
                    for nudge in (-CONTAINER_ROUNDING_SECONDS, 0, CONTAINER_ROUNDING_SECONDS)
                }
                assert shown[int(index)] in right


def test_decord_reads_exactly_where_it_is_proved_and_who_names_none_gets_pyav(videos, video_name, decode_all):
    pytest.importorskip("decord")
    video = Video("v", videos[video_name].path)
    with open_video(video) as opened:
        assert opened.reader == "pyav"
    if video_name not in DECORD:
        with pytest.raises(VideoError, match="decord may read wrong frames of this file"):
            open_video(video, reader="decord")
        return
    with open_video(video, reader="decord") as opened:
        assert opened.reader == "decord"
    pictures, expected = read(video.path, reader="decord"), decode_all(video.path)
    for picture, reference in zip(pictures, expected, strict=True):
        np.testing.assert_array_equal(picture, as_shown(reference, videos[video_name]))


def test_sparse_reading_equals_full_decoding_bit_by_bit(videos, video_name, decode_all):
    """The decoder may drop frames that nobody wants and nothing refers to: the others must not change."""
    video = videos[video_name]
    expected = decode_all(video.path)
    for stride, offset in [(2, 1), (3, 0), (5, 2), (25, 13)]:
        indices = range(min(offset, len(expected) - 1), len(expected), stride)
        pictures = read(video.path, indices, reader="pyav")
        assert len(pictures) == len(indices)
        for index, picture in zip(indices, pictures, strict=True):
            np.testing.assert_array_equal(
                picture, as_shown(expected[index], video), err_msg=f"{index} of every {stride}"
            )


def test_windows_equal_the_same_frames_of_the_whole(videos, video_name, decode_all):
    video = videos[video_name]
    expected = decode_all(video.path)
    total = len(expected)
    for start in sorted({min(1, total - 1), total // 2, total - 1}):
        stop = min(total, start + 7)
        pictures = read(video.path, start_frame=start, stop_frame=stop)
        assert len(pictures) == stop - start
        for index, picture in enumerate(pictures, start):
            np.testing.assert_array_equal(picture, as_shown(expected[index], video))


def test_several_threads_decode_the_same(videos, decode_all):
    for name in ("closed_gop.mp4", "open_gop.mp4", "transport.ts", "vp9.webm"):
        path = videos[name].path
        with open_video(Video("v", path), reader="pyav", num_threads=4) as opened:
            indices = range(1, opened.timeline.num_frames, 3)
            for index, picture in opened.frames(indices):
                np.testing.assert_array_equal(picture, decode_all(path)[index])


SEEKING = {
    "h264": {},
    "hevc": {"codec": "libx265", "options": {"x265-params": HEVC + ":open-gop=1"}},
    "vp9": {"codec": "libvpx-vp9", "options": {"deadline": "realtime", "cpu-used": "8", "g": "20"}},
    "av1": {"codec": "libsvtav1", "options": {"preset": "12", "g": "20"}},
}


@pytest.mark.parametrize("codec", SEEKING)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_window_begins_to_decode_near_its_start(videos, monkeypatch, codec, suffix):
    """Twenty performances in an hour of broadcast must not decode the hour twenty times."""
    from aqa_pipeline.video.readers import pyav_reader

    name = f"broadcast_{codec}{suffix}"
    path = videos.encode(name, suffix=suffix, num_frames=130, **SEEKING[codec]).path
    assert probe(path).codec == codec
    decoded = []
    frame_tick = pyav_reader.frame_tick

    def watch(frame):
        decoded.append(frame.pts)
        return frame_tick(frame)

    monkeypatch.setattr(pyav_reader, "frame_tick", watch)
    assert len(read(path, reader="pyav", start_frame=110, stop_frame=115)) == 5
    with open_video(Video("v", path)) as opened:
        # a key frame every 20 frames; SVT-AV1 makes groups of 16 and one frame more
        assert min(decoded) >= opened.timeline.pts[80]


def test_where_seeking_misses_the_file_is_read_from_its_start(videos, monkeypatch, decode_all):
    from aqa_pipeline.video.readers import pyav_reader

    path = videos["closed_gop.mp4"].path
    monkeypatch.setattr(pyav_reader, "_packets_from", lambda *arguments: None)
    pictures = read(path, reader="pyav", start_frame=45, stop_frame=50)
    np.testing.assert_array_equal(pictures, decode_all(path)[45:50])


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("open_gop.mp4", "open groups of pictures"),
        ("intra_refresh.mp4", "recovery points"),
        ("cut.mp4", "an edit list hides 7 of 40 stored frames"),
        ("xvid.avi", "packets of a avi container"),
        ("vp9.webm", "vp9 in matroska"),
        ("transport.ts", "packets of a mpegts container"),
        ("h264_10_bit.mp4", "pixel format yuv420p10le"),
        ("turned_90.mp4", "turned by metadata"),
        ("open_cut.mkv", "before the first key frame"),
    ],
)
def test_decord_is_refused_where_it_is_wrong(videos, name, reason):
    pytest.importorskip("decord")
    path = videos[name].path
    with pytest.raises(VideoError, match=f"decord may read wrong frames of this file: .*({reason})"):
        open_video(Video("v", path), reader="decord")


def test_rotation_swaps_the_sides(videos):
    with open_video(Video("v", videos["turned_90.mp4"].path)) as opened:
        assert (opened.width, opened.height) == (120, 160)
    with open_video(Video("v", videos["turned_180.mp4"].path)) as opened:
        assert (opened.width, opened.height) == (160, 120)


def test_a_recording_that_changes_its_size_keeps_the_first(videos, tmp_path, read_number):
    first, second = videos["transport.ts"], videos.encode("large.ts", suffix=".ts", size=(320, 240))
    path = tmp_path / "sizes.ts"
    path.write_bytes(first.path.read_bytes() + second.path.read_bytes())
    numbers = [read_number(picture) for picture in read(path)]
    assert numbers == first.numbers + second.numbers
    assert {picture.shape for picture in read(path)} == {(120, 160, 3)}


CLIPS = {
    "weightlifting.mp4": 355,
    "football_juggling.mp4": 247,
    "basketball.mp4": 300,
}


@pytest.mark.parametrize("clip", CLIPS)
def test_real_clips(shared, decode_all, clip):
    path = shared / "clips" / clip
    expected = decode_all(path)
    assert len(expected) == CLIPS[clip]
    for reader in ("auto", "pyav"):
        with open_video(Video("v", path), reader=reader) as opened:
            assert opened.timeline.num_frames == len(expected)
            appears = np.append(opened.timeline.pts_seconds, opened.timeline.duration_seconds)
            wanted = set()
            for rate in (1, 5, Fraction(24000, 1001)):
                samples = sample_by_time(opened.timeline, rate)
                middle = samples.pts_seconds.mean(axis=1)
                assert np.all(appears[samples.frame_index] <= middle)
                assert np.all(middle < appears[samples.frame_index + 1])
                wanted |= set(samples.frame_index.tolist())
            for index, picture in opened.frames(sorted(wanted)):
                assert np.array_equal(picture, expected[index]), index


def test_a_real_clip_of_pixels_that_are_not_square(shared):
    """340x256 pixels of 64:51 are a picture of 5:3."""
    path = shared / "clips" / "arm_wrestling.mp4"
    with av.open(str(path)) as container:
        expected = [
            frame.reformat(width=427, height=256, format="rgb24", interpolation="BICUBIC").to_ndarray()
            for frame in container.decode(video=0)
        ]
    pictures = read(path)
    assert len(pictures) == len(expected) == 280
    np.testing.assert_array_equal(pictures, expected)
