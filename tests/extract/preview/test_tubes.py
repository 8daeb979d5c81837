"""The quad of a step is drawn into a copy of the frame."""

import numpy as np

from extract.preview.tubes import draw_step
from extract.trackers.tube import Step, no_quad

QUAD = np.array([[20, 10], [60, 14], [56, 40], [16, 36]], np.float32)
FRAME = np.full((61, 91, 3), 128, np.uint8)


def test_the_quad_is_drawn_and_nothing_where_nobody_is():
    drawn = np.asarray(draw_step(FRAME, Step(QUAD, 0.5)))
    assert drawn[25, 18, 0] > 200  # on the left edge
    assert drawn[25, 38].tolist() == [128] * 3
    assert (np.asarray(draw_step(FRAME, Step(no_quad(), 0.0))) == 128).all()
    assert (FRAME == 128).all()


def test_a_caption_stands_in_the_upper_left_corner():
    drawn = np.asarray(draw_step(FRAME, Step(no_quad(), 0.0), caption="nobody"))
    changed = np.argwhere((drawn != 128).any(axis=2))
    assert len(changed) > 50
    assert changed.max(axis=0)[0] < 30
