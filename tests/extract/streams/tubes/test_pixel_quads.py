"""The quads beside stored frames are where the athlete is in the stored picture."""

import numpy as np
import pytest

from aqa_pipeline.athlete.events import describe_tracking
from aqa_pipeline.backbones.jpeg import decode_jpeg
from extract.streams import PixelSampling, StoredPicture
from extract.streams.pixels import Pixels

WIDTH, HEIGHT = 160, 90
ONE_PIXEL = 1.5  # of the picture: an edge is a slope there, for frames are enlarged 2.8 times
LARGE = StoredPicture(455, 256)
SMALL = StoredPicture(16, 9)


def red_box(picture: np.ndarray) -> list[int]:
    """Return x1 y1 x2 y2 of the red box in a picture."""
    rows, columns = np.nonzero(picture[:, :, 0] > 127)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


@pytest.mark.parametrize("jpeg_quality", [None, 95])
def test_quads_are_in_pixels_of_the_stored_picture_and_of_the_frame(
    athlete_video, annotated_boxes, record_here, bounds, athlete, jpeg_quality
):
    picture = StoredPicture(455, 256, jpeg_quality)
    stream = Pixels(PixelSampling(num_frames=40), picture, annotated_boxes)
    record = record_here(athlete_video("a", 60, hidden=range(30, 34)), stream)
    pictures = record.features if jpeg_quality is None else list(map(decode_jpeg, record.features))
    hidden = np.isin(np.arange(20, 60), range(30, 34))
    seen = np.array([red_box(each) for each in pictures])
    np.testing.assert_allclose(bounds(record.extras["quads"])[~hidden], seen[~hidden], atol=ONE_PIXEL)
    in_frame = np.array([athlete(number) for number in range(20, 60)])
    np.testing.assert_array_equal(bounds(record.extras["frame_quads"])[~hidden], in_frame[~hidden])
    assert np.isnan(record.extras["quads"][hidden]).all()
    assert np.isnan(record.extras["frame_quads"][hidden]).all()
    assert record.extras["frame_size"].tolist() == [[WIDTH, HEIGHT]] * 40
    assert record.extras["frame_index"].tolist() == list(range(20, 60))
    types = {name: record.extras[name].dtype for name in ("quads", "frame_quads", "frame_size")}
    assert types == {"quads": np.float32, "frame_quads": np.float32, "frame_size": np.int32}
    assert record.counts["num_steps_without_person"] == record.counts["num_frames_without_athlete"] == 4
    assert record.spec.facts["tracker"] == "annotations"
    assert record.spec.facts["encoding"] == ("uint8" if jpeg_quality is None else "jpeg")


def test_the_tracker_sees_every_frame_once_and_a_short_videos_copies_have_the_first_quad(
    athlete_video, scripted_source, record_here, bounds, athlete
):
    source = scripted_source({})
    record = record_here(athlete_video("a", 12), Pixels(PixelSampling(16), SMALL, source))
    assert source.seen == list(range(12))
    assert record.counts["num_tracked_frames"] == 12
    assert record.counts["num_repeated_frames"] == 4
    expected = [athlete(max(0, number)) for number in range(-4, 12)]
    np.testing.assert_array_equal(bounds(record.extras["frame_quads"]), expected)


def test_a_loss_that_is_noticed_late_is_taken_back_from_its_first_frame_on(
    athlete_video, scripted_source, record_here
):
    source = scripted_source({30: "lost", 45: "restarted"}, late=5)
    record = record_here(athlete_video("a", 60), Pixels(PixelSampling(50), SMALL, source))
    assert [(event.frame_index, event.kind) for event in record.events] == [(25, "lost"), (40, "restarted")]
    gone = np.isin(record.extras["frame_index"], range(25, 40))
    for name in ("quads", "frame_quads"):
        np.testing.assert_array_equal(np.isnan(record.extras[name]).all(axis=(1, 2)), gone)
    assert record.counts["num_frames_without_athlete"] == 15
    assert describe_tracking(record) == (
        "followed in 35 of 50 frames, lost at 1.0 s, found again by the detector at 1.6 s"
    )


def test_at_a_rate_the_tracker_sees_the_frames_between_the_stored_ones_too(
    athlete_video, scripted_source, record_here, bounds, athlete
):
    source = scripted_source({})
    stream = Pixels(PixelSampling(rate_fps=5.0), SMALL, source)
    record = record_here(athlete_video("a", 50), stream)
    stored = list(range(2, 50, 5))
    assert record.extras["frame_index"].tolist() == stored
    assert source.seen == list(range(48))  # the last stored frame is 47
    assert record.features.shape == (10, 9, 16, 3)
    np.testing.assert_array_equal(
        bounds(record.extras["frame_quads"]), [athlete(number) for number in stored]
    )


def test_a_crop_of_another_stream_takes_the_athlete_from_it(athlete_video, annotated_boxes, record_here):
    """The whole frame is stored, so that nobody is outside it; other streams may cut the athlete off."""
    from aqa_pipeline.athlete.out_of_view import count_out_of_view, streams_out_of_view
    from aqa_pipeline.athlete.quads import reference_quads

    stream = Pixels(PixelSampling(num_frames=16), SMALL, annotated_boxes)
    record = record_here(athlete_video("a", 20), stream)
    assert dict(streams_out_of_view({"pixels": record})) == {}
    assert record.pictures.footage is not None
    outside = count_out_of_view(reference_quads(record), (0, 0, 30, 90), record.pictures.footage)
    assert outside is not None
    assert (outside.num_outside, outside.num_frames) == (16, 16)
