"""Stage 1 end to end with a stream whose features are known: one pass, resume, failures."""

import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aqa_pipeline.errors import StoreError
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Source, StreamSpec, Video
from aqa_pipeline.store import Store
from aqa_pipeline.video import OpenVideo
from extract.clock import Clock
from extract.decoding.decode import Job, decode
from extract.run.collector import Collector
from extract.run.extraction import Extraction
from extract.run.report import format_extract_report
from extract.run.stage import extract
from extract.streams import Encoded, Encoder, Steps

FOOTAGE = Footage(8, 6, 40, 0, 40, 10.0)


def silent(**_: object) -> None:
    pass


def run(store: Store, videos: list[Video], streams: list, **options):
    return extract(
        Extraction(dataset="toy", store=store, streams=streams, **options), videos, progress=silent
    )


def test_features_are_those_of_the_frames_shown_in_the_middle_of_each_sample(
    tmp_path, picture_video, brightness
):
    store, stream = Store(tmp_path / "s"), brightness()
    report = run(store, [picture_video("a", 40)], [stream])
    record = store.read("toy", "a", stream.spec)
    # 10 fps sampled at 5: sample k covers frames 2k and 2k + 1 and shows the second from its middle on.
    np.testing.assert_array_equal(record.features, np.arange(1, 40, 2).reshape(10, 2))
    np.testing.assert_allclose(record.pts_seconds[:3], [[0, 0.4], [0.4, 0.8], [0.8, 1.2]])
    assert (report.num_done, report.failures) == (1, [])
    assert report.video_seconds == pytest.approx(4.0)


def test_one_decoding_pass_feeds_every_stream(tmp_path, picture_video, brightness, monkeypatch):
    passes = []
    frames = OpenVideo.frames
    monkeypatch.setattr(
        OpenVideo, "frames", lambda self, index: passes.append(list(index)) or frames(self, index)
    )
    fast, slow = brightness(), brightness(name="slow", rate_fps=1.0, frames_per_step=1)
    store, video = Store(tmp_path / "s"), picture_video("a", 40)
    list(decode(Job(video, (fast.intake, slow.intake), "auto")))
    assert len(passes) == 1
    run(store, [video], [fast, slow])
    assert store.read("toy", "a", slow.spec).features.ravel().tolist() == [5, 15, 25, 35]
    assert len(store.read("toy", "a", fast.spec).features) == 10


def test_a_frame_shown_longer_than_a_sample_is_taken_again(tmp_path, picture_video, brightness):
    store, stream = Store(tmp_path / "s"), brightness(rate_fps=20.0, frames_per_step=4)
    run(store, [picture_video("a", 4)], [stream])
    record = store.read("toy", "a", stream.spec)
    assert record.features.tolist() == [[0, 0, 1, 1], [2, 2, 3, 3]]


def test_a_video_shorter_than_a_step_repeats_its_last_sample(tmp_path, picture_video, brightness):
    store, stream = Store(tmp_path / "s"), brightness(frames_per_step=4)
    run(store, [picture_video("a", 3)], [stream])
    record = store.read("toy", "a", stream.spec)
    assert record.features.tolist() == [[1, 1, 1, 1]]  # 0.3 s hold one sample, and its middle shows frame 1
    assert record.pts_seconds.shape == (1, 2)


def test_steps_without_a_person_are_dropped_and_counted(tmp_path, picture_video, brightness):
    store, stream = Store(tmp_path / "s"), brightness(rate_fps=10.0, frames_per_step=1, drop_odd=True)
    report = run(store, [picture_video("a", 7)], [stream])
    record = store.read("toy", "a", stream.spec)
    assert record.features.ravel().tolist() == [0, 2, 4, 6]
    np.testing.assert_allclose(record.pts_seconds[:, 0], [0, 0.2, 0.4, 0.6])
    assert record.counts == {"num_steps": 7, "num_steps_without_person": 3}
    assert report.written[0].num_steps_without_person == 3


def test_a_window_of_a_longer_file_is_a_video_of_its_own(tmp_path, picture_video, brightness):
    store, stream = Store(tmp_path / "s"), brightness()
    run(store, [picture_video("a", 40, start_frame=20, stop_frame=30)], [stream])
    record = store.read("toy", "a", stream.spec)
    assert record.features.tolist() == [[21, 23], [25, 27]]
    assert record.pts_seconds[0, 0] == 0


def test_a_bad_video_is_named_and_the_others_are_done(tmp_path, picture_video, brightness):
    text = tmp_path / "text.mp4"
    text.write_text("this is no video")
    videos = [
        picture_video("first"),
        Video("missing", tmp_path / "nowhere.mp4"),
        Video("text", text),
        picture_video("last"),
    ]
    store, stream = Store(tmp_path / "s"), brightness()
    report = run(store, videos, [stream])
    assert store.video_ids("toy", stream.spec) == ["first", "last"]
    reasons = {failure.video_id: failure.reason for failure in report.failures}
    assert set(reasons) == {"missing", "text"}
    assert "nowhere.mp4" in reasons["missing"]


def test_a_bug_in_one_video_does_not_stop_the_run(tmp_path, picture_video, brightness, monkeypatch, caplog):
    stream = brightness()

    def encoder(self, video, footage, clock):
        raise ZeroDivisionError("only with a")

    good = type(stream).encoder
    monkeypatch.setattr(
        type(stream), "encoder", lambda self, v, f, c: (encoder if v.video_id == "a" else good)(self, v, f, c)
    )
    report = run(Store(tmp_path / "s"), [picture_video("a"), picture_video("b")], [stream])
    assert [failure.reason for failure in report.failures] == ["ZeroDivisionError: only with a"]
    assert report.num_done == 1


def test_what_is_there_is_not_made_again_unless_asked(tmp_path, picture_video, brightness):
    store, stream = Store(tmp_path / "s"), brightness()
    videos = [picture_video("a"), picture_video("b")]
    run(store, videos[:1], [stream])
    path = store.path("toy", "a", stream.spec)
    before = path.stat().st_mtime_ns
    report = run(store, videos, [stream])
    assert (report.num_already_there, report.num_done) == (1, 1)
    assert path.stat().st_mtime_ns == before
    assert run(store, videos, [stream], overwrite=True).num_done == 2
    assert path.stat().st_mtime_ns > before


def a_wide_interlaced_film(path):
    """HDV as cameras write it: two fields a frame, pixels of 4:3."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"x264-params": "tff=1"})
        stream.width, stream.height, stream.pix_fmt = 96, 72, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        for shade in range(40, 65):
            picture = np.full((72, 96, 3), shade, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def test_a_record_keeps_how_its_pictures_were_made_plain(tmp_path, picture_video, brightness):
    a_wide_interlaced_film(tmp_path / "hdv.mp4")
    store, stream = Store(tmp_path / "s"), brightness()
    report = run(store, [Video("hdv", tmp_path / "hdv.mp4"), picture_video("plain")], [stream])
    assert report.failures == []
    record = store.read("toy", "hdv", stream.spec)
    assert record.pictures.conversions == {"deinterlaced": "bwdif", "sample_aspect": "4:3"}
    assert store.read("toy", "plain", stream.spec).pictures.conversions == {}
    told = format_extract_report(report)
    assert "Pictures of 1 of 2 videos (hdv) were deinterlaced by bwdif." in told
    assert "Pictures of 1 of 2 videos (hdv) were scaled to square pixels from 4:3." in told
    assert "Pictures of" not in format_extract_report(run(store, [picture_video("other")], [stream]))


def test_only_the_missing_stream_of_a_video_is_made(tmp_path, picture_video, brightness):
    store, one, other = Store(tmp_path / "s"), brightness(), brightness(name="other")
    videos = [picture_video("a")]
    run(store, videos, [one])
    report = run(store, videos, [one, other])
    assert [row.stream for row in report.written] == ["other"]


def test_a_store_that_refuses_stops_the_run_and_its_threads(
    tmp_path, picture_video, brightness, monkeypatch, until
):
    def refuse(self, record):
        raise StoreError("no space left")

    monkeypatch.setattr(Store, "write", refuse)
    videos = [picture_video(name, 90) for name in "abcdef"]
    with pytest.raises(StoreError, match="no space left"):
        run(Store(tmp_path / "s"), videos, [brightness()])
    until(
        lambda: not any(thread.name.startswith("decode") for thread in threading.enumerate()),
        "decoding threads were left behind",
    )


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_number_of_workers_changes_nothing_in_the_store(tmp_path, picture_video, brightness, workers):
    videos = [picture_video(name, 30 + at) for at, name in enumerate("abcd")]
    stream = brightness()
    expected, store = Store(tmp_path / "one"), Store(tmp_path / "other")
    run(expected, videos, [stream], workers=1)
    run(store, videos, [stream], workers=workers)
    for name in "abcd":
        paths: list[Path] = [each.path("toy", name, stream.spec) for each in (expected, store)]
        assert paths[0].read_bytes() == paths[1].read_bytes()


def test_progress_only_grows_and_ends_with_all_videos(tmp_path, picture_video, brightness):
    seen = []
    extraction = Extraction(dataset="toy", store=Store(tmp_path / "s"), streams=[brightness()])
    extract(
        extraction,
        [picture_video("a"), picture_video("b")],
        progress=lambda *, videos, **_: seen.append(videos),
    )
    assert seen == sorted(seen)
    assert seen[-1] == 2


class Batches:
    """A stream that writes down each batch it is given: the frames' numbers and their indices."""

    batch_size, dtype, spec = 3, "float32", StreamSpec("batches", {})

    def __init__(self) -> None:
        self.seen: list[tuple[list[int], list[list[int]]]] = []

    def encoder(self, video, footage, clock):
        def encode(frames, frame_index):
            self.seen.append((list(frames), frame_index.tolist()))
            rows = np.array(frames, np.float32).reshape(frame_index.shape)
            return Encoded(rows, np.ones(len(rows), bool))

        return Encoder(encode)


def collect(stream: Batches, frame_index: np.ndarray) -> np.ndarray:
    """Return the features of that plan, each of its frames pushed once and in order."""
    start = np.arange(len(frame_index), dtype=float)
    steps = Steps(frame_index, np.stack([start, start + 1], axis=1), {"num_odd": 7})
    collector = Collector(stream, Video("a", Path("a.mp4")), FOOTAGE, steps, Clock())
    for index in np.unique(frame_index).tolist():
        collector.push(index, index)
    record = collector.record("toy", source=Source(""), picture={})
    assert record.counts == {
        "num_steps": len(frame_index),
        "num_steps_without_person": 0,
        "num_odd": 7,
    }
    return record.features


def queued(frame_index: np.ndarray, *, batch_size: int) -> list[tuple[list[int], list[list[int]]]]:
    """Return the batches of one long queue of frames, cut when full: right where no step shares a frame."""
    flat, per_batch = frame_index.ravel().tolist(), batch_size * frame_index.shape[1]
    cuts = range(0, len(flat), per_batch)
    rows = frame_index.tolist()
    return [
        (flat[cut : cut + per_batch], rows[at * batch_size : (at + 1) * batch_size])
        for at, cut in enumerate(cuts)
    ]


@given(
    increments=st.lists(st.sampled_from([0, 0, 1, 1, 2, 9]), min_size=1, max_size=60),
    per_step=st.integers(1, 5),
)
def test_steps_that_share_no_frame_are_one_queue_whatever_is_repeated(increments, per_step):
    increments = increments[: max(1, len(increments) // per_step) * per_step]
    increments += [0] * (-len(increments) % per_step)
    plan, stream = np.cumsum(increments).reshape(-1, per_step), Batches()
    np.testing.assert_array_equal(collect(stream, plan), plan)
    assert stream.seen == queued(plan, batch_size=3)


@given(
    starts=st.lists(st.integers(0, 40), min_size=1, max_size=20).map(sorted),
    offsets=st.lists(st.integers(0, 12), min_size=1, max_size=6),
)
def test_steps_may_share_frames_and_hold_them_in_any_order(starts, offsets):
    plan = np.array(starts)[:, None] + np.array(offsets)
    np.testing.assert_array_equal(collect(Batches(), plan), plan)


def test_a_plan_whose_steps_go_back_is_a_mistake_of_ours():
    for plan in ([[5, 6], [4, 7]], [[4, 7], [5, 6]]):
        with pytest.raises(AssertionError, match="in the order of their first and of their last frames"):
            Steps(np.array(plan), np.array([[0.0, 1.0], [1.0, 2.0]]))
