"""What a record was made from against what lies there: cheap facts first, the digest on doubt."""

import os
from dataclasses import replace

import numpy as np
import pytest

from aqa_pipeline.athlete.boxes import write_boxes
from aqa_pipeline.records import Dataset, Record, Source, StreamSpec, Target, Video
from aqa_pipeline.sources.compare import Comparison, boxes_digest, boxes_of, compare, needs_boxes
from aqa_pipeline.sources.outdated import find_changed
from aqa_pipeline.store import Store
from aqa_pipeline.video import Disk, source_of

SPEC = StreamSpec("crops", {"detector": "annotations"})


@pytest.fixture
def video(tmp_path):
    """Return a file that need not be a video: it is compared, not decoded."""
    path = tmp_path / "a.mp4"
    path.write_bytes(b"first")
    os.utime(path, ns=(10**18, 10**18))
    return Video("a", path, {"score": 1.0})


@pytest.fixture
def digests(monkeypatch):
    """Return the files whose digests were taken."""
    taken = []
    digest = Disk.digest
    monkeypatch.setattr(Disk, "digest", lambda disk, path: taken.append(path.name) or digest(disk, path))
    return taken


def compared(source, video, **options):
    return compare(source, video, disk=Disk(), **options)


def test_equal_size_and_time_need_no_digest(video, digests):
    source = source_of(video)
    digests.clear()
    assert compared(source, video) == Comparison()
    assert digests == []


def test_another_size_needs_no_digest_either(video, digests):
    source = source_of(video)
    digests.clear()
    video.path.write_bytes(b"another")
    assert compared(source, video).reasons == ("another file",)
    assert digests == []


def test_of_another_time_the_digest_decides(video, digests):
    source = source_of(video)
    os.utime(video.path, ns=(10**18, 10**18 + 5))
    assert compared(source, video) == Comparison(now=replace(source, mtime_ns=10**18 + 5))
    video.path.write_bytes(b"other")
    assert compared(source, video).reasons == ("another file",)


def test_equal_size_and_time_of_another_file_are_found_by_a_thorough_look(video):
    source = source_of(video)
    video.path.write_bytes(b"other")
    os.utime(video.path, ns=(10**18, 10**18))
    assert compared(source, video) == Comparison()
    assert compared(source, video, thorough=True).reasons == ("another file",)


def test_a_window_counts_and_the_fps_of_a_file_does_not(video):
    source = source_of(video)
    assert compared(source, replace(video, fps=50.0)) == Comparison()
    assert compared(source, replace(video, stop_frame=9)).reasons == (
        "frames 0 to 9 instead of 0 to the end",
    )


def test_what_is_gone_is_not_changed(video, tmp_path):
    source = replace(source_of(video), boxes_digest="0" * 64)
    assert compared(source, video).gone == "the boxes of a"
    video.path.unlink()
    assert compared(source, video) == Comparison(gone=str(video.path))
    (tmp_path / "pictures").mkdir()
    found = compared(source, replace(video, path=tmp_path / "pictures"), boxes="0" * 64)
    assert "no pictures in this folder" in found.gone


def test_imported_and_simulated_records_never_change(video):
    assert compared(Source("0" * 64), video, thorough=True) == Comparison()


def test_boxes_count_for_streams_that_read_them(tmp_path, video):
    video = replace(video, boxes=tmp_path / "a.csv")
    assert boxes_of(SPEC, video) == video.boxes
    assert boxes_of(StreamSpec("tubes", {"tracker": "annotations"}), video) == video.boxes
    assert boxes_of(StreamSpec("tubes", {"tracker": "annotations sha256:00"}), video) is None
    assert boxes_of(StreamSpec("crops", {"detector": "yolo:yolo11n sha256:00"}), video) is None
    assert boxes_digest(video.boxes) is None
    write_boxes(video.boxes, {0: [(0, 0, 4, 4)]})
    source = replace(source_of(video), boxes_digest=boxes_digest(video.boxes))
    assert compared(source, video, boxes=boxes_digest(video.boxes)) == Comparison()
    write_boxes(video.boxes, {0: [(0, 0, 4, 5)]})
    assert compared(source, video, boxes=boxes_digest(video.boxes)).reasons == ("other boxes",)


def stored(tmp_path, video, spec, source):
    store = Store(tmp_path / "store")
    store.write(Record("toy", "a", spec, np.zeros((1, 2)), np.array([[0.0, 1.0]]), source))
    return store, Dataset("toy", tmp_path, (video,), {}, (Target("score"),))


def test_a_box_in_which_somebody_points_is_a_change_when_it_comes_and_when_it_goes(tmp_path, video):
    spec = StreamSpec("crops", {"detector": "blazepose", "person": "followed", "start": "pointed"})
    assert boxes_of(spec, video) is None
    assert not needs_boxes(spec)
    write_boxes(tmp_path / "boxes.csv", {0: [[1, 2, 30, 40]]})
    pointed = replace(video, boxes=tmp_path / "boxes.csv")
    digest = boxes_digest(boxes_of(spec, pointed))
    without, source = source_of(video), replace(source_of(video), boxes_digest=digest)
    assert compared(without, pointed, boxes=digest, need_boxes=False).reasons == ("other boxes",)
    assert compared(source, pointed, boxes=digest, need_boxes=False) == Comparison()
    assert compared(source, video, boxes=None, need_boxes=False).reasons == ("other boxes",)
    assert compared(without, video, boxes=None, need_boxes=False) == Comparison()


def test_a_fit_looks_at_videos_that_are_there(tmp_path, video, digests):
    spec = StreamSpec("frames", {})
    store, dataset = stored(tmp_path, video, spec, source_of(video))
    digests.clear()
    assert find_changed(store, dataset, [spec], ["a"]) == {}
    assert digests == []
    video.path.write_bytes(b"another")
    assert find_changed(store, dataset, [spec], ["a"]) == {"a": ("another file",)}
    assert find_changed(store, dataset, [spec], ["b"]) == {}
    video.path.unlink()
    assert find_changed(store, dataset, [spec], ["a"]) == {}


def test_a_fit_does_not_know_quads_that_a_user_named(tmp_path, video):
    """Quads of `--tracker annotations:FOLDER` are not the dataset's, whose boxes say nothing of them."""
    boxes = tmp_path / "a.csv"
    write_boxes(boxes, {0: [(0, 0, 4, 4)]})
    video, spec = replace(video, boxes=boxes), StreamSpec("tubes", {"tracker": "annotations"})
    source = replace(source_of(video), boxes_digest=boxes_digest(boxes, elsewhere=True))
    write_boxes(boxes, {0: [(0, 0, 9, 9)]})
    store, dataset = stored(tmp_path, video, spec, source)
    assert find_changed(store, dataset, [spec], ["a"]) == {}
