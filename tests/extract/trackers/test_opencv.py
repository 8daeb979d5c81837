"""OpenCV's trackers: NanoTrack with real weights on real clips, VitTrack's errors and conversions."""

import cv2
import numpy as np
import pytest

from aqa_pipeline.errors import AqaError, UnknownName, WeightsError
from aqa_pipeline.records import Video
from aqa_pipeline.video import open_video
from extract.detectors import load_detector
from extract.trackers import FollowedPersons, load_tracker
from extract.trackers.corners import bounding_box, box_quad
from extract.trackers.opencv import OpenCvTracker


@pytest.fixture(scope="module")
def nano(shared):
    return load_tracker("nano", device="cpu", weights=str(shared / "weights" / "nanotrack_v2"))


def clip(shared, name, count, size=(426, 240)):
    video = Video(name, shared / "clips" / f"{name}.mp4")
    with open_video(video) as opened:
        return [cv2.resize(frame, size) for _, frame in opened.frames(range(count))]


def overlap(a, b):
    inner = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None).prod()
    return inner / ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - inner)


def test_nano_follows_a_square_in_rgb_and_the_identity_names_both_files(nano):
    picture = np.full((240, 320, 3), 90, np.uint8)
    picture[::8], picture[:, ::8] = 120, 70
    track = None
    for step in range(12):
        frame = picture.copy()
        x, y = 60 + 6 * step, 80 + 3 * step
        frame[y : y + 48, x : x + 40] = (220, 40, 30)
        frame[y + 12 : y + 36, x + 10 : x + 30] = (240, 230, 40)
        box = np.array([x, y, x + 40, y + 48], np.float64)
        if track is None:
            track = nano.start(frame, box)
            continue
        tracked = track.update(frame)
        assert overlap(bounding_box(tracked.quad), box) > 0.6
        assert 0 <= tracked.score <= 1
        assert tracked.quad.dtype == np.float32
    assert nano.identity.count("sha256:") == 2
    assert "530bdd0cd00f" in nano.identity


def test_nano_loses_an_athlete_at_a_cut_and_finds_the_next(follow, nano, shared):
    lifter = clip(shared, "weightlifting", 40)
    juggler = clip(shared, "football_juggling", 20)
    cut = len(lifter)
    boxes = {index: [120, 120, 210, 205, 0.9] for index in range(cut)} | {
        index: [185, 15, 285, 226, 0.9] for index in range(cut, cut + len(juggler))
    }  # read off the pictures

    def detect(frames, indices):
        return [np.array([boxes[i]] if i in boxes else [], np.float32).reshape(-1, 5) for i in indices]

    tube = follow(enumerate([*lifter, *juggler]), nano, detect, fps=25)
    assert [event.kind for event in tube.events] == ["started", "lost", "restarted"]
    assert cut <= tube.events[1].frame_index < cut + 10
    assert tube.events[2].frame_index - tube.events[1].frame_index <= 10
    for at, person in [(cut - 1, boxes[0]), (len(tube.quads) - 1, boxes[cut])]:
        assert overlap(bounding_box(tube.quads[at]), np.array(person[:4])) > 0.5


def test_nano_takes_the_least_box_and_one_that_leaves_the_frame(nano, shared):
    frames = clip(shared, "weightlifting", 3)
    for box in ([100, 100, 101, 101], [-20, -10, 40, 60], [400, 200, 500, 300]):
        track = nano.start(frames[0], np.array(box))
        assert np.isfinite(track.update(frames[1]).quad).all()
    with pytest.raises(AqaError, match="outside the frame of 426x240"):
        nano.start(frames[0], np.array([500, 0, 600, 50]))


class Doubtful:
    """A tracker like OpenCV's that finds its target in every other frame; it checks its inputs."""

    def __init__(self):
        self.calls = []

    def init(self, bgr, box):
        assert bgr.flags.c_contiguous
        self.calls.append((bgr[0, 0].tolist(), box))

    def update(self, bgr):
        self.calls.append(bgr[0, 0].tolist())
        return len(self.calls) % 2 == 0, (1, 2, 3, 4)

    def getTrackingScore(self):
        return 0.25


def test_frames_become_bgr_and_a_target_not_found_stays_where_it_was():
    inner = Doubtful()
    tracker = OpenCvTracker("vit", "sha256:0", 0.5, lambda: inner)
    frame = np.zeros((20, 30, 3), np.uint8)
    frame[:] = (1, 2, 3)
    track = tracker.start(frame, np.array([4.4, 5.6, 10.2, 12.5]))
    assert inner.calls == [([3, 2, 1], (4, 6, 6, 6))]
    (found,), (missed,) = (tracker.update_many([track], [frame]) for _ in range(2))
    np.testing.assert_array_equal(found.quad, box_quad(np.array([1, 2, 4, 6])))
    np.testing.assert_array_equal(missed.quad, found.quad)
    assert missed.score == 0.25
    assert inner.calls[-1] == [3, 2, 1]


def test_missing_damaged_and_wrong_weights_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("AQA_HOME", str(tmp_path / "home"))
    with pytest.raises(WeightsError, match="aqa weights fetch nanotrack-v2-backbone"):
        load_tracker("nano", device="cpu")
    with pytest.raises(WeightsError, match="aqa weights fetch vittrack-2023sep"):
        load_tracker("vit", device="cpu")
    with pytest.raises(WeightsError, match=r"give a folder with nanotrack_backbone_sim\.onnx and"):
        load_tracker("nano", device="cpu", weights=str(tmp_path))
    with pytest.raises(WeightsError, match="no weights of the tracker vit at random:0"):
        load_tracker("vit", device="cpu", weights="random:0")
    with pytest.raises(UnknownName, match="unknown tracker 'nano:v3'"):
        load_tracker("nano:v3", device="cpu")
    damaged = tmp_path / "vit.onnx"
    damaged.write_bytes(b"no network")
    with pytest.raises(WeightsError, match=r"OpenCV cannot load .*vit\.onnx"):
        load_tracker("vit", device="cpu", weights=str(damaged))


def test_an_athlete_who_leaves_is_lost_though_the_score_is_high(make_tube, nano, shared, yolo_export):
    """NanoTrack's score is .96 on the athlete, and .97 on the trees that follow from frame 64 on."""
    video = Video("leave", shared / "cases" / "leave.mp4")
    if not video.path.is_file():
        pytest.skip("no clip of an athlete who leaves")
    source = FollowedPersons(nano, load_detector(yolo_export, device="cpu"))
    with open_video(video) as opened:
        maker = source.for_video(video, opened.footage)
        tube = make_tube(opened.frames(range(opened.timeline.num_frames)), maker)
    assert [event.kind for event in tube.events] == ["started", "lost"]
    assert 60 <= tube.events[1].frame_index <= 66
    assert tube.present.tolist() == [index < tube.events[1].frame_index for index in range(100)]
    assert tube.scores[90:].min() == 0
