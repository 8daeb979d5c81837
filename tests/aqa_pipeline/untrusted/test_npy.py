"""Arrays in .npy files: plain ones are mapped, others are refused, and nothing runs."""

import os
from pathlib import Path

import numpy as np
import pytest

from aqa_pipeline.errors import DatasetError
from aqa_pipeline.untrusted.npy import read_npy


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_plain_npy_is_mapped(tmp_path, dtype):
    array = np.arange(12, dtype=dtype).reshape(3, 4)
    np.save(tmp_path / "a.npy", array)
    again = read_npy(tmp_path / "a.npy")
    assert isinstance(again, np.memmap)
    np.testing.assert_array_equal(again, array)


def test_an_empty_npy_is_an_empty_array(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((0, 4)))
    assert read_npy(tmp_path / "a.npy").shape == (0, 4)


def test_a_saved_dict_of_arrays_is_read(tmp_path):
    saved = {"Ball_001": np.ones((3, 4), np.float32), "Ball_002": np.zeros((2, 4))}
    np.save(tmp_path / "d.npy", saved)
    again = read_npy(tmp_path / "d.npy")
    assert again.keys() == saved.keys()
    np.testing.assert_array_equal(again["Ball_001"], saved["Ball_001"])


def objects(*items: object) -> np.ndarray:
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


@pytest.mark.parametrize(
    ("saved", "message"),
    [
        (objects("a", 1), r"an array of Python objects, object \(2,\)"),
        ({"a": [1, 2]}, "holds 'a': a list; expected names and plain arrays"),
        ({1: np.ones(2)}, "holds 1: a ndarray"),
        ({"a": objects(1, "b")}, "holds 'a': a ndarray of objects"),
        (np.array({1, 2}), "holds a set: expected a dict"),
        (np.array([(1, "a")], dtype=[("x", "i4"), ("y", "O")]), "an array of Python objects"),
    ],
)
def test_other_objects_in_a_npy_are_refused(tmp_path, saved, message):
    np.save(tmp_path / "d.npy", saved)
    with pytest.raises(DatasetError, match=message):
        read_npy(tmp_path / "d.npy")


class Touch:
    """Pickles as a shell command that makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def test_a_npy_with_an_attack_is_refused_and_nothing_runs(tmp_path):
    proof = tmp_path / "it-ran"
    np.save(tmp_path / "d.npy", {"a": Touch(proof)})
    with pytest.raises(DatasetError, match=r"d\.npy cannot be read without running code: .*posix\.system"):
        read_npy(tmp_path / "d.npy")
    assert not proof.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read as a .npy file"),
        (b"PK\3\4 a zip", "cannot be read as a .npy file"),
        (b"\x93NUMPY\x09\0", "cannot be read as a .npy file"),
        (b"\x93NUMPY\1\0\x10\0__import__('os')", "cannot be read as a .npy file"),
    ],
)
def test_other_files_than_npy_are_refused(tmp_path, content, message):
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        read_npy(tmp_path / "a.npy")


def test_a_truncated_npy_is_damaged(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((30, 40)))
    (tmp_path / "a.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:-100])
    with pytest.raises(DatasetError, match=r"a\.npy is a damaged \.npy file"):
        read_npy(tmp_path / "a.npy")


@pytest.mark.parametrize("shape", [(10**30, 1), (10**15, 3), (2**62, 2**62), (-1, 3)])
@pytest.mark.filterwarnings("ignore:overflow")
def test_a_npy_that_claims_what_no_file_has_is_damaged(tmp_path, shape):
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    with (tmp_path / "a.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
    with pytest.raises(DatasetError, match=r"a\.npy is a damaged \.npy file"):
        read_npy(tmp_path / "a.npy")
