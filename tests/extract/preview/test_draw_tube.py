"""Videos and sheets of tubes, read back."""

import av
import numpy as np
import pytest
from PIL import Image

from aqa_pipeline.records import Event
from extract.preview.draw_tube import chosen_rows, draw_step, write_tube_sheet, write_tube_video
from extract.preview.grid import MARGIN
from extract.trackers.tube import Step, Tube, no_quad

QUAD = np.array([[20, 10], [60, 14], [56, 40], [16, 36]], np.float32)


def tube(count, events=(), absent=()):
    quads = np.array([no_quad() if at in absent else QUAD for at in range(count)], np.float32)
    quads = quads.reshape(-1, 4, 2)
    return Tube(np.arange(count), quads, np.full(count, 0.5, np.float32), tuple(events))


def frames(count, size=(61, 91)):
    return [(index, np.full((*size, 3), 128, np.uint8)) for index in range(count)]


def test_the_quad_is_drawn_and_nothing_where_nobody_is():
    ((_, frame),) = frames(1)
    drawn = draw_step(frame, Step(QUAD, 0.5))
    assert drawn[25, 18, 0] > 200  # on the left edge
    assert drawn[25, 38].tolist() == [128] * 3
    assert (draw_step(frame, Step(no_quad(), 0.0)) == 128).all()
    assert (frame == 128).all()


def test_the_video_has_every_frame_of_the_tube_at_its_rate(tmp_path):
    path = write_tube_video(tmp_path / "sub" / "tube.mp4", frames(9), tube(7, [Event(3, "lost")]), fps=12.5)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert float(stream.average_rate) == 12.5
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
    assert len(pictures) == 7
    assert pictures[0].shape == (60, 90, 3)  # even sizes for 4:2:0
    assert pictures[0][25, 18, 0] > 170
    assert sorted(each.name for each in path.parent.iterdir()) == ["tube.mp4"]


@pytest.mark.parametrize("name", ["tube.png", "tube.jpg"])
def test_the_sheet_shows_events_first_of_all(tmp_path, name):
    events = [Event(41, "lost"), Event(41, "restarted")]
    path = write_tube_sheet(tmp_path / name, frames(100), tube(100, events, absent={99}), title="t")
    with Image.open(path) as sheet:
        assert sheet.width == 4 * (300 + MARGIN) + MARGIN
        assert sheet.height > 6 * 200
    rows = chosen_rows(tube(100, events))
    assert 41 in rows
    assert {0, 99} <= set(rows)
    assert len(rows) <= 24


def test_short_tubes_are_shown_whole_and_many_events_leave_room():
    assert chosen_rows(tube(3)) == [0, 1, 2]
    assert chosen_rows(tube(0)) == []
    many = [Event(index, "lost") for index in range(50)]
    rows = chosen_rows(tube(100, many))
    assert rows[-1] == 99
    assert len(rows) <= 24


def test_an_empty_tube_has_a_sheet_too(tmp_path):
    assert write_tube_sheet(tmp_path / "none.png", [], tube(0), title="nothing").is_file()


def test_a_tube_checks_its_shapes():
    with pytest.raises(ValueError, match=r"a tube of 2 frames needs quads \(2, 4, 2\)"):
        Tube(np.arange(2), np.zeros((3, 4, 2), np.float32), np.zeros(2, np.float32))
