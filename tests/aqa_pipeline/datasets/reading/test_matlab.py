"""Tables of MATLAB against scipy's reader; what is no table is told, and damaged bytes raise nothing else."""

import contextlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import loadmat, savemat

from aqa_pipeline.datasets.reading.matlab import read_table
from aqa_pipeline.errors import DatasetError

NUMERIC = ["f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"]


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("kind", NUMERIC)
def test_a_matlab_table_of_any_number_is_what_scipy_reads(tmp_path, kind, compressed):
    table = np.arange(12, dtype=kind).reshape(4, 3)
    savemat(tmp_path / "t.mat", {"x": table, "other": "text"}, do_compression=compressed)
    found = read_table(tmp_path / "t.mat", variable="x", num_columns=3)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, loadmat(tmp_path / "t.mat")["x"])


NO_TABLES = {
    "another number of columns": (
        np.ones((2, 4)),
        "x is double 2x4; expected numbers, one row of 3 per video",
    ),
    "no rows": (np.ones((0, 3)), "x is double 0x3; expected numbers"),
    "three axes": (np.ones((2, 3, 2)), "x is double 2x3x2; expected numbers"),
    "text": (np.array(["abc", "def"]), "x is char"),
    "complex numbers": (np.ones((2, 3)) * 1j, "x holds complex numbers; expected real ones"),
    "a truth": (np.ones((2, 3), bool), "x is logical 2x3"),
    "a cell": (np.array([[1, "a", 2.5]], dtype=object), "x is cell 1x3"),
    "a struct": ({"a": 1.0}, "x is struct 1x1"),
}


@pytest.mark.parametrize(("content", "message"), NO_TABLES.values(), ids=NO_TABLES)
def test_what_is_no_table_of_matlab_is_reported(tmp_path, content, message):
    savemat(tmp_path / "t.mat", {"x": content})
    with pytest.raises(DatasetError, match=message):
        read_table(tmp_path / "t.mat", variable="x", num_columns=3)


@settings(max_examples=60)
@given(st.data(), st.booleans())
def test_changed_bytes_of_matlab_are_read_or_refused(tmp_path_factory, data, compressed):
    path: Path = tmp_path_factory.getbasetemp() / "t.mat"
    savemat(path, {"x": np.arange(12.0).reshape(4, 3)}, do_compression=compressed)
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(len(content) // 2, len(content)))])
    with contextlib.suppress(DatasetError):
        read_table(path, variable="x", num_columns=3)
