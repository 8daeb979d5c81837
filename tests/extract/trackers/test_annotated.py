"""Tubes are read from disk: a CSV file per video, or one JSON file of all videos."""

import json
from unicodedata import normalize

import numpy as np
import pytest

from aqa_pipeline.errors import DatasetError
from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Video
from aqa_pipeline.sources.compare import boxes_digest
from aqa_pipeline.store import file_name
from extract.trackers import load_tube_source
from extract.trackers.corners import box_quad
from extract.trackers.quad_files import quads_digest, quads_notes

FOOTAGE = Footage(60, 40, 8, 5, 8, 25.0)
FRAME = np.zeros((40, 60, 3), np.uint8)


def no_detector():
    raise AssertionError("annotations need no detector")


def source(spec):
    return load_tube_source(spec, detector=no_detector, device="cpu")


def test_boxes_that_came_with_the_video_are_counted_in_its_file(make_tube, tmp_path):
    csv = tmp_path / "v.csv"
    csv.write_text("frame_index,x1,y1,x2,y2\n5,1,2,3,4\n7,10,20,30,40\n")
    video = Video("v", tmp_path / "v.mp4", start_frame=5, boxes=csv)
    tube = make_tube([(0, FRAME), (1, FRAME), (2, FRAME)], source("annotations").for_video(video, FOOTAGE))
    np.testing.assert_array_equal(tube.quads[0], box_quad(np.array([1, 2, 3, 4])))
    np.testing.assert_array_equal(tube.quads[2], box_quad(np.array([10, 20, 30, 40])))
    assert tube.present.tolist() == [True, False, True]
    assert tube.scores.tolist() == [1, 0, 1]
    assert source("annotations").facts == {"tracker": "annotations"}


def test_a_folder_holds_one_csv_per_video_and_corners_come_in_one_order(tmp_path):
    (tmp_path / "diving%2F1.csv").write_text("6,4,2,4,2,1,6,1\n")  # from the lower right one on
    maker = source(f"annotations:{tmp_path}").for_video(Video("diving/1", tmp_path), FOOTAGE.performance)
    np.testing.assert_array_equal(maker.step(0, FRAME).quad, [[2, 1], [6, 1], [6, 4], [2, 4]])
    assert maker.events == []


def test_frfs_boxes_are_read_with_their_first_row_mended(make_tube, tmp_path):
    path = tmp_path / "FRFS_Boxes.json"
    first, later = [2, 1, 6, 1, 2, 4, 6, 4], [6, 5, 2, 5, 2, 2, 6, 2]
    path.write_text(json.dumps({"308-1": [first, later]}))
    frfs = source(f"annotations:{path}")
    tube = make_tube([(0, FRAME), (1, FRAME), (2, FRAME)], frfs.for_video(Video("308-1", tmp_path), FOOTAGE))
    np.testing.assert_array_equal(tube.quads[0], [[2, 1], [6, 1], [6, 4], [2, 4]])
    np.testing.assert_array_equal(tube.quads[1], [[2, 2], [6, 2], [6, 5], [2, 5]])
    assert not tube.present[2]
    assert str(frfs.facts["tracker"]).startswith("annotations sha256:")
    with pytest.raises(DatasetError, match="no quads of '309-1'; it begins with 308-1"):
        frfs.for_video(Video("309-1", tmp_path), FOOTAGE)


def test_a_video_without_quads_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="'v' came without boxes: use a tracker"):
        source("annotations").for_video(Video("v", tmp_path), FOOTAGE)
    with pytest.raises(DatasetError, match=r"v\.csv cannot be read"):
        source(f"annotations:{tmp_path}").for_video(Video("v", tmp_path), FOOTAGE)


def test_quads_are_found_under_another_spelling_of_the_id(tmp_path):
    """A folder from macOS has decomposed names, percent-encoded or not; a JSON has its authors' case."""
    composed, decomposed = normalize("NFC", "Größe"), normalize("NFD", "Größe")
    row = "2,1,6,1,6,4,2,4\n"
    (tmp_path / f"{decomposed}.CSV").write_text(row)
    (tmp_path / f"{file_name('Tür')}.csv").write_text(row)
    maker = source(f"annotations:{tmp_path}")
    videos = [Video(video_id, tmp_path) for video_id in (composed, "TÜR", "none")]
    for video in videos[:2]:
        np.testing.assert_array_equal(
            maker.for_video(video, FOOTAGE.performance).step(0, FRAME).quad, [[2, 1], [6, 1], [6, 4], [2, 4]]
        )
    with pytest.raises(DatasetError, match=r"none\.csv cannot be read"):
        maker.for_video(videos[2], FOOTAGE)
    assert quads_digest(tmp_path, "TÜR") == boxes_digest(tmp_path / f"{file_name('Tür')}.csv", elsewhere=True)
    assert quads_notes(f"annotations:{tmp_path}", videos) == (
        "2 tubes were found under another spelling: Größe (in another Unicode form), TÜR -> Tür",
    )
    path = tmp_path / "quads.json"
    path.write_text(json.dumps({"Fall-1": [[2, 1, 6, 1, 2, 4, 6, 4]]}))
    source(f"annotations:{path}").for_video(Video("fall-1", tmp_path), FOOTAGE)
    assert quads_notes(f"annotations:{path}", [Video("fall-1", tmp_path)]) == (
        "1 tube was found under another spelling: fall-1 -> Fall-1",
    )
    assert quads_notes("annotations", videos) == quads_notes("nano", videos) == ()


def test_quads_that_fit_two_spellings_are_refused_for_that_video(tmp_path):
    for name in ("A.csv", "a.CSV"):
        (tmp_path / name).write_text("2,1,6,1,6,4,2,4\n")
    (tmp_path / "Á.csv").touch()
    (tmp_path / "á.csv").touch()
    maker = source(f"annotations:{tmp_path}")
    maker.for_video(Video("A", tmp_path), FOOTAGE.performance)
    with pytest.raises(DatasetError, match=r"fits Á, á, which differ in case or Unicode form"):
        maker.for_video(Video(normalize("NFD", "á"), tmp_path), FOOTAGE)
    assert quads_digest(tmp_path, normalize("NFD", "á")) is None
