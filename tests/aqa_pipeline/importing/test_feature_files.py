"""Files of features: what numpy and spreadsheets write is read as it is; nothing hostile runs or swells."""

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from aqa_pipeline.errors import DatasetError
from aqa_pipeline.importing.feature_files import only_array, read_features

ROWS = np.arange(6, dtype=np.float32).reshape(3, 2) / 4


def npy_bytes(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def write_zip(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_archive_is_its_arrays_by_name(tmp_path: Path, save) -> None:
    save(tmp_path / "a.npz", segments=ROWS, crops=np.asfortranarray(ROWS + 1))
    content = read_features(tmp_path / "a.npz")
    assert isinstance(content, dict)
    assert sorted(content) == ["crops", "segments"]
    np.testing.assert_array_equal(content["segments"], ROWS)
    np.testing.assert_array_equal(content["crops"], ROWS + 1)


def test_an_archive_of_one_array_is_that_array(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", ROWS)
    np.testing.assert_array_equal(only_array(tmp_path / "a.npz"), ROWS)
    np.savez(tmp_path / "b.npz", ROWS, ROWS)
    with pytest.raises(DatasetError, match=r"holds 2 arrays \(arr_0, arr_1\), expected those of one video"):
        only_array(tmp_path / "b.npz")


@pytest.mark.parametrize(
    "text",
    [
        "0,0.25\n0.5,0.75\n1,1.25\n",
        "mean,max\r\n0,0.25\r\n0.5,0.75\r\n1,1.25\r\n",
        "a;b\n 0; 0.25\n\n0.5;7.5e-1\n1;1.25",
        "0\t0.25\n0.5\t0.75\n1\t1.25\n",
    ],
)
def test_a_table_is_its_numbers_with_or_without_a_header(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").write_bytes(text.encode())
    np.testing.assert_array_equal(only_array(tmp_path / "a.csv"), ROWS)


def test_a_table_with_a_column_video_is_each_videos_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("f0,Video,f1\n0,jump,0.25\n9,lift,9\n0.5,jump,0.75\n1,jump,1.25\n")
    content = read_features(tmp_path / "a.csv")
    assert isinstance(content, dict)
    np.testing.assert_array_equal(content["jump"], ROWS)
    np.testing.assert_array_equal(content["lift"], [[9, 9]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n", "no row of numbers"),
        ("1,2\n3\n", "line 2: expected 2 numbers"),
        ("1,2\n3,four\n", "line 2: expected 2 numbers"),
        ("video,a\njump,1\n,2\n", "line 3 names no video"),
    ],
)
def test_a_table_that_is_none_is_reported_by_its_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(DatasetError, match=message):
        read_features(tmp_path / "a.csv")


def test_an_object_in_an_archive_is_not_run(tmp_path: Path) -> None:
    proof = tmp_path / "it-ran"

    class Attack:
        def __reduce__(self):
            return os.system, (f"touch {proof}",)

    np.savez(tmp_path / "a.npz", a=np.array([Attack()], dtype=object))
    with pytest.raises(DatasetError, match="Python objects"):
        read_features(tmp_path / "a.npz")
    assert not proof.exists()


def test_an_archive_that_swells_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    zeros = npy_bytes(np.zeros((64, 2**20), np.uint8))
    path = write_zip(tmp_path / "bomb.npz", {f"{number}.npy": zeros for number in range(2)})
    assert path.stat().st_size < 2**20
    with pytest.raises(DatasetError, match=r"would take 134,\d+,\d+ bytes, expected at most"):
        read_features(path)


def test_an_array_cannot_claim_more_than_its_archive_holds(tmp_path: Path) -> None:
    file = io.BytesIO()
    claims = {"descr": "<f4", "fortran_order": False, "shape": (10**7, 10**4)}
    np.lib.format.write_array_header_1_0(file, claims)
    path = write_zip(tmp_path / "a.npz", {"a.npy": file.getvalue() + bytes(400)})
    with pytest.raises(DatasetError, match=r"claims to be \(10000000, 10000\), but is too short for it"):
        read_features(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no archive"])
def test_a_damaged_archive_is_one_message(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(DatasetError, match=r"a\.npz is a damaged \.npz file"):
        read_features(tmp_path / "a.npz")


def test_members_that_numpy_does_not_write_are_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.npz", {"a.npy": npy_bytes(ROWS)}, zipfile.ZIP_LZMA)
    with pytest.raises(DatasetError, match=r"not as numpy\.savez writes it"):
        read_features(path)
    with pytest.raises(DatasetError, match=r"ends in none of \.npy, \.npz, \.csv"):
        read_features(tmp_path / "a.pt")


@pytest.mark.parametrize("text", ["1 2.5\n3e1   -4\n", "\n 1,2.5\n\n30,-4\n"])
def test_text_without_names_is_its_numbers(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.txt").write_text(text)
    np.testing.assert_array_equal(read_features(tmp_path / "a.txt"), [[1, 2.5], [30, -4]])


def test_words_in_a_text_are_reported_by_their_line(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1 2\n\none two\n")
    with pytest.raises(DatasetError, match=r"a\.txt line 3: expected 2 numbers"):
        read_features(tmp_path / "a.txt")
