"""Records belong to what lies there now: what changed is made anew and named, what is the same stays."""

import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from aqa_pipeline.athlete.boxes import write_boxes
from aqa_pipeline.records import StreamSpec
from aqa_pipeline.store import Store
from aqa_pipeline.video import source_of
from extract.run.extraction import Extraction
from extract.run.report import format_extract_report
from extract.run.stage import extract


def run(store, videos, streams, **options):
    extraction = Extraction("toy", store, streams, **options)
    return extract(extraction, videos, progress=lambda **_: None)


def paint(path, value):
    """Return a picture of that brightness, of the same number of bytes whatever the value."""
    Image.new("L", (8, 6), value).save(path, compress_level=0)


@pytest.fixture
def video(picture_video):
    made = picture_video("a", 40)
    for at in range(40):
        paint(made.path / f"{at:04d}.png", at)
    return made


@pytest.fixture
def store(tmp_path, video, brightness):
    store = Store(tmp_path / "store")
    run(store, [video], [brightness()])
    return store


def again(store, video, stream):
    """Return what a second extraction says of that video, and the features then."""
    report = run(store, [video], [stream])
    assert report.failures == []
    return dict(report.changed), store.read("toy", "a", stream.spec).features.ravel().tolist()


def test_what_is_the_same_is_not_made_again(store, video, brightness):
    before = store.path("toy", "a", brightness().spec).read_bytes()
    report = run(store, [video], [brightness()])
    assert (report.num_done, report.num_already_there, report.changed) == (0, 1, {})
    assert store.path("toy", "a", brightness().spec).read_bytes() == before


def test_a_replaced_picture_is_noticed(store, video, brightness):
    paint(video.path / "0001.png", 200)
    changed, features = again(store, video, brightness())
    assert changed == {"a": ("other pictures",)}
    assert features[0] == 200
    assert again(store, video, brightness())[0] == {}


def test_a_picture_that_came_or_went_is_noticed(store, video, brightness):
    paint(video.path / "0040.png", 40)
    paint(video.path / "0041.png", 41)
    assert again(store, video, brightness())[0] == {"a": ("other pictures",)}
    (video.path / "0041.png").unlink()
    (video.path / "0040.png").unlink()
    assert again(store, video, brightness())[0] == {"a": ("other pictures",)}


def test_an_older_picture_in_the_place_of_another_is_noticed(store, video, brightness):
    """As `cp -p` puts it there: the folder's own time and the latest of its pictures stay what they are."""
    late, place = video.path / "0039.png", video.path / "0003.png"
    os.utime(late, ns=(2 * 10**18, 2 * 10**18))
    run(store, [video], [brightness()])
    folder = video.path.stat()
    place.write_bytes((video.path / "0005.png").read_bytes())
    os.utime(place, ns=(10**18, 10**18))
    os.utime(video.path, ns=(folder.st_atime_ns, folder.st_mtime_ns))
    changed, features = again(store, video, brightness())
    assert changed == {"a": ("other pictures",)}
    assert features[1] == 5


def test_pictures_that_changed_places_are_noticed(store, video, brightness):
    one, other, aside = (video.path / name for name in ("0001.png", "0003.png", "aside"))
    one.rename(aside)
    other.rename(one)
    aside.rename(other)
    changed, features = again(store, video, brightness())
    assert changed == {"a": ("other pictures",)}
    assert features[:2] == [3, 1]


def test_another_window_or_fps_is_noticed(store, video, brightness):
    window = replace(video, start_frame=20, stop_frame=30)
    changed, features = again(store, window, brightness())
    assert changed == {"a": ("frames 20 to 30 instead of 0 to the end",)}
    assert features == [21, 23, 25, 27]
    changed, features = again(store, replace(window, fps=20.0), brightness())
    assert changed == {"a": ("20 fps instead of 10",)}
    assert features == [22, 26]


def test_a_touched_file_is_not_made_again_and_its_digest_is_taken_once(store, video, brightness, monkeypatch):
    path = store.path("toy", "a", brightness().spec)
    libraries = b"aqa-pipeline"
    before = store.read("toy", "a", brightness().spec)
    os.utime(video.path / "0003.png", ns=(10**18 * 2, 10**18 * 2))
    digests = []
    monkeypatch.setattr(
        "aqa_pipeline.video.sources.source_digest", lambda path: digests.append(path) or before.source.digest
    )
    report = run(store, [video], [brightness()])
    assert (report.num_done, report.num_already_there, report.changed) == (0, 1, {})
    run(store, [video], [brightness()])
    assert digests == [video.path]
    after = store.read("toy", "a", brightness().spec)
    assert after.source.is_as(before.source)
    assert after.source == source_of(video)
    np.testing.assert_array_equal(after.features, before.features)
    assert libraries in path.read_bytes()
    assert [problem for _, problem in store.verify() if problem] == []


def test_a_missing_video_keeps_its_record_and_is_named(store, video, brightness):
    shutil.rmtree(video.path)
    report = run(store, [video], [brightness()])
    assert (report.failures, report.changed, dict(report.gone)) == ([], {}, {"a": str(video.path)})
    assert store.has("toy", "a", brightness().spec)
    assert f"No longer there:\n  {video.path}" in format_extract_report(report)


def test_a_damaged_record_is_made_again(store, video, brightness):
    path = store.path("toy", "a", brightness().spec)
    before = path.read_bytes()
    path.write_bytes(before[:100])
    assert again(store, video, brightness())[0] == {"a": ("a damaged record",)}
    assert path.read_bytes() == before


def test_the_summary_says_which_and_why(store, picture_video, brightness, video):
    other = picture_video("b", 40)
    run(store, [other], [brightness()])
    paint(video.path / "0001.png", 200)
    report = run(store, [video, replace(other, start_frame=4)], [brightness()])
    assert (
        "2 videos changed since they were extracted: "
        "a (other pictures), b (frames 4 to the end instead of 0 to the end)."
    ) in format_extract_report(report)


@pytest.fixture
def boxed(brightness):
    """Return a stream that reads the boxes of the dataset, as the facts of its spec say."""

    class Boxed(brightness):
        finder = ("detector", "annotations")

        @property
        def spec(self):
            return StreamSpec("boxed", {"rate_fps": 5.0, **dict([self.finder])})

    return Boxed


def test_other_boxes_matter_to_streams_that_read_them(tmp_path, video, brightness, boxed):
    store, boxes = Store(tmp_path / "s"), tmp_path / "a.csv"
    write_boxes(boxes, {0: [(0, 0, 4, 4)]})
    video, streams = replace(video, boxes=boxes), [brightness(), boxed()]
    run(store, [video], streams)
    assert run(store, [video], streams).num_already_there == 1
    write_boxes(boxes, {0: [(0, 0, 5, 5)]})
    report = run(store, [video], streams)
    assert report.changed == {"a": ("other boxes",)}
    assert [row.stream for row in report.written] == ["boxed"]
    boxes.unlink()
    report = run(store, [video], streams)
    assert (dict(report.gone), report.num_already_there) == ({"a": "the boxes of a"}, 1)


def test_other_quads_of_a_named_folder_are_noticed(tmp_path, video, boxed):
    class Quads(boxed):
        finder = ("tracker", "annotations")

    store, quads = Store(tmp_path / "s"), tmp_path / "quads"
    write_boxes(quads / "a.csv", {0: [(0, 0, 4, 4)]})
    run(store, [video], [Quads()], quads=quads)
    assert run(store, [video], [Quads()], quads=quads).changed == {}
    write_boxes(quads / "a.csv", {0: [(0, 0, 5, 5)]})
    assert run(store, [video], [Quads()], quads=quads).changed == {"a": ("other boxes",)}


def test_two_extractions_of_the_same_files_are_the_same_bytes(tmp_path, store, video, brightness):
    other = Store(tmp_path / "other")
    run(other, [video], [brightness()])
    one, same = (each.path("toy", "a", brightness().spec).read_bytes() for each in (store, other))
    assert one == same
