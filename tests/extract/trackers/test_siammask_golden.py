"""The tracker gives what the authors' code gave with NumPy 1 and OpenCV 3.4 on the same weights."""

import numpy as np
import pytest

from extract.trackers.corners import canonical
from extract.trackers.siammask.settings import SETTINGS
from extract.trackers.siammask.tracker import SiamMaskTracker

CONFIGS = {"davis": "config_davis.json", "vot": "config_vot.json", "vot-ld": "config_vot18.json"}
PIXELS = 1e-3  # on another machine, a float32 network differs in its last bits
BATCHED_PIXELS = 1e-3  # another batch size uses other kernels
PRINTED = 1e-4  # quads are printed with four decimals


def tracker(golden, setting):
    return SiamMaskTracker(SETTINGS[setting], "golden", "cpu", golden.network)


@pytest.mark.parametrize("setting", CONFIGS)
def test_the_tracker_is_the_authors_in_every_setting(golden, setting):
    first, *expected = golden.outputs[CONFIGS[setting]]
    track = tracker(golden, setting).start(golden.frames[0], golden.box)
    np.testing.assert_array_equal(track.state.mean_color, first["avg"])
    for frame, wanted in zip(golden.frames[1:], expected, strict=True):
        tracked = track.update(frame)
        np.testing.assert_allclose(track.state.position, wanted["pos"], rtol=0, atol=PIXELS)
        np.testing.assert_allclose(track.state.size, wanted["sz"], rtol=0, atol=PIXELS)
        assert tracked.score == pytest.approx(wanted["score"], abs=1e-6)
        assert track.state.mask_area == pytest.approx(wanted["area"], rel=0.01)
        np.testing.assert_allclose(tracked.quad, canonical(np.array(wanted["poly"])), rtol=0, atol=PRINTED)


def test_several_videos_at_once_give_what_each_gives_alone(golden):
    davis = tracker(golden, "davis")
    starts = [0, 3, 7]
    boxes = [golden.box + np.array([14, 9, 14, 9]) * start for start in starts]
    begun = list(zip([golden.frames[start] for start in starts], boxes, strict=True))
    alone, together = ([davis.start(frame, box) for frame, box in begun] for _ in range(2))
    frames = [golden.frames[start + 1] for start in starts]
    one_by_one = [track.update(frame) for track, frame in zip(alone, frames, strict=True)]
    at_once = davis.update_many(together, frames)
    for single, batched, a, b in zip(one_by_one, at_once, alone, together, strict=True):
        np.testing.assert_allclose(a.state.position, b.state.position, rtol=0, atol=BATCHED_PIXELS)
        np.testing.assert_allclose(a.state.size, b.state.size, rtol=0, atol=BATCHED_PIXELS)
        np.testing.assert_allclose(single.quad, batched.quad, rtol=0, atol=BATCHED_PIXELS)
        assert single.score == pytest.approx(batched.score, abs=1e-6)
    assert len({tuple(track.state.position.round(3)) for track in together}) == 3
    assert davis.update_many([], []) == []
