"""The stream `clips` from pictures to the store: every view of every clip names the frames that it saw."""

import weakref
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

from aqa_pipeline.errors import SpecMismatch
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Record, Source, Video
from aqa_pipeline.store import Store
from aqa_pipeline.video import Timeline, open_video
from extract.clock import Clock
from extract.run.collector import Collector
from extract.run.extraction import Extraction
from extract.run.stage import ExtractReport, extract

RIGHT = 1000  # as the frames are painted
FOOTAGE = Footage(8, 6, 300, 0, 300, 25.0)


def silent(**_: object) -> None:
    pass


def run(folder: Path, videos: list[Video], *streams, **options: object) -> tuple[Store, ExtractReport]:
    store = Store(folder)
    report = extract(
        Extraction(dataset="toy", store=store, streams=streams, **options), videos, progress=silent
    )
    assert not report.failures
    return store, report


def record_of(folder: Path, video: Video, stream) -> Record:
    store, _ = run(folder, [video], stream)
    return store.read("toy", video.video_id, stream.spec)


def expected_features(num_frames: int, num_clips: int, frames: int) -> np.ndarray:
    """(clip, view, 2 * frames): numbers on the left, then on the right; mirrored views swap them."""
    rows = []
    for clip in range(num_clips):
        shown = [
            [max(0, num_frames - k - (num_clips - clip) * frames + at) for at in range(frames)]
            for k in range(6)
        ]
        plain = [[*numbers, *(number + RIGHT for number in numbers)] for numbers in shown]
        mirrored = [[*(number + RIGHT for number in numbers), *numbers] for numbers in shown]
        rows.append(plain + mirrored)
    return np.array(rows)


@pytest.mark.parametrize("frames", [8, 16, 32])
@pytest.mark.parametrize("num_frames", [1, 60, 101, 130])
def test_every_view_of_every_clip_saw_its_frames(tmp_path, numbered_video, clips_stream, num_frames, frames):
    record = record_of(tmp_path / "s", numbered_video("a", num_frames), clips_stream(frames))
    np.testing.assert_array_equal(record.features, expected_features(num_frames, 96 // frames, frames))
    assert record.counts == {
        "num_steps": 96 // frames,
        "num_steps_without_person": 0,
        "num_repeated_frames": max(0, 101 - num_frames),
    }
    np.testing.assert_array_equal(record.extras["frame_index"], record.features[:, 0, :frames])


def test_a_performance_cut_out_of_a_longer_file_does_not_see_what_was_before(
    tmp_path, numbered_video, clips_stream
):
    video = numbered_video("a", 130, start_frame=20, stop_frame=90)
    record = record_of(tmp_path / "s", video, clips_stream())
    in_file = record.features[:, :6, :32]
    assert in_file.min() == 20
    assert in_file[-1, :, -1].tolist() == [89, 88, 87, 86, 85, 84]
    assert record.counts["num_repeated_frames"] == 31


def test_a_mirrored_view_is_the_network_on_mirrored_pixels(tmp_path, clips_stream):
    def every_pixel(clips: Tensor) -> Tensor:
        return clips.movedim(1, -1).flatten(1)  # (B, T * H * W * 3)

    stream = clips_stream(8, network=every_pixel, feature_size=8 * 4 * 4 * 3)
    frames = list(np.random.default_rng(0).integers(0, 255, (13, 6, 8, 3), np.uint8))
    encode = stream.encoder(Video("a", tmp_path), FOOTAGE, Clock())
    encoded = encode([stream.intake.prepare(frame) for frame in frames], np.arange(13)[None])
    pixels = np.stack([stream.backbone.preprocess.geometry(frame) for frame in frames])
    for offset in range(6):
        clip = pixels[5 - offset : 13 - offset]
        np.testing.assert_array_equal(encoded.features[0, offset], clip.ravel())
        np.testing.assert_array_equal(encoded.features[0, 6 + offset], np.flip(clip, axis=2).ravel())


def test_the_reference_alone_is_the_first_of_all_views(tmp_path, numbered_video, clips_stream):
    video = numbered_video("a", 98)
    every, one = clips_stream(16), clips_stream(16, views="reference")
    store, _ = run(tmp_path / "s", [video], every, one)
    of_every, of_one = (store.read("toy", "a", stream.spec) for stream in (every, one))
    assert of_one.features.shape == (6, 1, 32)
    np.testing.assert_array_equal(of_one.features[:, 0], of_every.features[:, 0])
    np.testing.assert_array_equal(of_one.pts_seconds, of_every.pts_seconds)
    assert (of_one.counts["num_repeated_frames"], of_every.counts["num_repeated_frames"]) == (0, 3)


@pytest.mark.parametrize("num_frames", [1, 15, 16, 50])
def test_whole_videos_plain_and_mirrored(tmp_path, numbered_video, clips_stream, num_frames):
    record = record_of(tmp_path / "s", numbered_video("a", num_frames), clips_stream(16, span="whole"))
    plain, flip = record.features[:, 0], record.features[:, 1]
    repeated = -num_frames % 16
    assert plain[:, :16].ravel().tolist() == [0] * repeated + list(range(num_frames))
    np.testing.assert_array_equal(flip, np.roll(plain, 16, axis=1))
    assert record.counts["num_repeated_frames"] == repeated


@pytest.mark.parametrize(("clips_per_call", "calls"), [(1, [1] * 36), (5, [5, 5, 2] * 3), (100, [36])])
def test_the_network_sees_no_more_clips_at_once_than_asked(
    tmp_path, numbered_video, clips_stream, clips_per_call, calls
):
    video, seen = numbered_video("a", 120), []

    def count(clips: Tensor) -> Tensor:
        seen.append(len(clips))
        return clips.flatten(1)[:, :64]

    stream = clips_stream(clips_per_call=clips_per_call, network=count)
    usual = clips_stream(network=lambda clips: clips.flatten(1)[:, :64])
    paths = [
        run(tmp_path / name, [video], each)[0].path("toy", "a", each.spec)
        for name, each in (("one", stream), ("other", usual))
    ]
    assert seen == calls
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_beside_another_stream_the_record_is_the_same(tmp_path, numbered_video, clips_stream, brightness):
    video, clips, other = numbered_video("a", 120), clips_stream(), brightness()
    alone, _ = run(tmp_path / "alone", [video], clips)
    both, _ = run(tmp_path / "both", [video], other, clips)
    paths = [store.path("toy", "a", clips.spec) for store in (alone, both)]
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_what_is_there_is_not_made_again_and_other_views_are_another_stream(
    tmp_path, numbered_video, clips_stream
):
    videos = [numbered_video("a", 30), numbered_video("b", 30)]
    run(tmp_path / "s", videos[:1], clips_stream())
    _, report = run(tmp_path / "s", videos, clips_stream())
    assert [row.video_id for row in report.written] == ["b"]
    _, report = run(tmp_path / "s", videos, clips_stream(views="reference"))
    assert [row.video_id for row in report.written] == ["a", "b"]
    assert report.num_already_there == 0


def test_a_failure_in_the_middle_leaves_no_record_and_the_next_run_makes_it(
    tmp_path, numbered_video, clips_stream
):
    video, calls = numbered_video("a", 120), []

    def fail_late(clips: Tensor) -> Tensor:
        calls.append(len(clips))
        if len(calls) == 4:
            raise RuntimeError("the machine lost its power")
        return clips.flatten(1)[:, :64]

    store = Store(tmp_path / "s")
    broken, sound = clips_stream(network=fail_late), clips_stream()
    report = extract(Extraction("toy", store, [broken]), [video], progress=silent)
    assert [failure.reason for failure in report.failures] == ["RuntimeError: the machine lost its power"]
    assert not store.has("toy", "a", sound.spec)
    np.testing.assert_array_equal(
        record_of(tmp_path / "s", video, sound).features, expected_features(120, 3, 32)
    )


def test_the_spec_says_span_views_and_frames(clips_stream):
    assert dict(clips_stream(16, views="reference", dtype="float16").spec.facts) == {
        "span": "last-96",
        "frames_per_step": 16,
        "views": "end-0",
        "backbone": "numbers",
        "weights": "random:0",
        "preprocess": "pixels",
        "precision": "fp32",
        "dtype": "float16",
    }
    assert clips_stream(span="whole").spec.views == ("plain", "flip")
    assert len(clips_stream().spec.views) == 12


def test_another_span_is_an_error_that_shows_both(tmp_path, numbered_video, clips_stream):
    store, _ = run(tmp_path / "s", [numbered_video("a", 40)], clips_stream())
    with pytest.raises(SpecMismatch, match=r"span: whole != last-96; views: plain,flip != end-0,end-1"):
        store.read("toy", "a", clips_stream(span="whole").spec)


def test_half_precision_on_disk(tmp_path, numbered_video, clips_stream):
    record = record_of(tmp_path / "s", numbered_video("a", 120), clips_stream(dtype="float16"))
    assert record.features.dtype == np.float16
    np.testing.assert_array_equal(record.features, expected_features(120, 3, 32))  # whole numbers fit


@pytest.mark.parametrize("views", ["all", "reference"])
@pytest.mark.parametrize("span", ["last-96", "whole"])
def test_frames_in_memory_are_bounded_by_a_step_and_a_batch(tmp_path, clips_stream, span, views):
    pushed, gone, held = [], [], []

    def count(clips: Tensor) -> Tensor:
        held.append(len(pushed) - len(gone))
        return clips.flatten(1)[:, :32]

    stream = clips_stream(16, span=span, views=views, clips_per_call=24, network=count)
    steps = stream.intake.plan(Timeline(np.arange(3000), Fraction(1, 25), 3000))
    collector = Collector(stream, Video("a", tmp_path), FOOTAGE, steps, Clock())
    for index in np.unique(steps.frame_index).tolist():
        prepared = np.zeros((4, 4, 3), np.uint8)
        weakref.finalize(prepared, gone.append, index)
        pushed.append(index)
        collector.push(index, prepared)
        del prepared
        held.append(len(pushed) - len(gone))
    frames_per_step = steps.frame_index.shape[1]  # 21 with all views of the last frames, else 16
    assert max(held) <= stream.batch_size * 16 + frames_per_step
    assert len(collector.record("toy", source=Source(""), picture={}).features) == len(steps)
    del collector
    assert sorted(gone) == pushed


def test_frames_come_out_of_a_real_file(shared, tmp_path, clips_stream):
    """The last frames of a real video, found by seeking: pixels of a full decode."""

    def first_row(clips: Tensor) -> Tensor:
        return clips[:, :, :, 0].movedim(1, 2).flatten(1)  # (B, T * 3 * W)

    video = Video("a", shared / "clips" / "basketball.mp4")
    stream = clips_stream(32, network=first_row, feature_size=32 * 12)
    record, seen = record_of(tmp_path / "s", video, stream), stream.backbone.preprocess.geometry
    with open_video(video) as opened:
        assert opened.timeline.num_frames == 300
        frames = [
            seen(frame)[0].T for _, frame in opened.frames(range(300))
        ]  # (3, W) of the crop's first row
    for view, offset in ((0, 0), (3, 3), (5, 5)):
        whole = np.concatenate([clip.reshape(32, 3, 4) for clip in record.features[:, view]])
        np.testing.assert_array_equal(whole, frames[300 - 96 - offset : 300 - offset])
    mirrored = record.features[:, 6].reshape(96, 3, 4)[..., ::-1]
    np.testing.assert_array_equal(mirrored, frames[204:])
