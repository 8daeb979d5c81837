"""Records that hold several views of each step: their spec names them, and the shape must agree."""

import numpy as np
import pytest

from aqa_pipeline.errors import StoreError
from aqa_pipeline.records import Record, Source, StreamSpec
from aqa_pipeline.store import Store

SPEC = StreamSpec("clips", {"views": "end-0,end-1,end-0-flip", "backbone": "any"})


def make_record(*shape: int, spec: StreamSpec = SPEC) -> Record:
    start = np.arange(shape[0], dtype=float)
    features = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    return Record("toy", "a", spec, features, np.stack([start, start + 1], axis=1), Source("0" * 64))


def test_a_spec_names_its_views_the_reference_first():
    assert SPEC.views == ("end-0", "end-1", "end-0-flip")
    assert StreamSpec("segments", {"rate_fps": 5.0}).views == ()
    assert StreamSpec.from_json(SPEC.to_json()).views == SPEC.views


def test_time_is_the_first_axis_also_of_views(tmp_path):
    store = Store(tmp_path / "s")
    store.write(make_record(4, 3, 2))
    whole = store.read("toy", "a", SPEC)
    part = store.read("toy", "a", SPEC, steps=slice(1, 3))
    assert part.features.shape == (2, 3, 2)
    np.testing.assert_array_equal(part.features, whole.features[1:3])
    np.testing.assert_array_equal(part.pts_seconds, whole.pts_seconds[1:3])


@pytest.mark.parametrize("shape", [(4, 2), (4, 2, 5), (3, 4, 2)])
def test_as_many_views_as_the_spec_names(shape):
    with pytest.raises(StoreError, match=r"must be \(time, 3 views, dim\), of \('end-0', 'end-1'"):
        make_record(*shape)
