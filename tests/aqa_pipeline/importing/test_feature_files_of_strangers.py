"""Feature files against numpy's own readers, and damaged ones: read right or refused, nothing else."""

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from aqa_pipeline.errors import DatasetError
from aqa_pipeline.importing.feature_files import array_digest, file_digest, only_array, read_features

NUMBERS = st.floats(-1e6, 1e6, width=32)
TABLES = hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=5), elements=NUMBERS)
NAMES = st.text("abc_0", min_size=1, max_size=4).filter(lambda name: not name.endswith(".npy"))


@given(TABLES, st.sampled_from([",", ";", "\t"]), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_a_table_is_what_numpy_reads(tmp_path_factory, table, delimiter, line_end, with_header):
    path = tmp_path_factory.getbasetemp() / "t.csv"
    header = delimiter.join(f"f{at}" for at in range(table.shape[1])) if with_header else ""
    text = io.StringIO()
    np.savetxt(text, table, delimiter=delimiter, newline=line_end, header=header, comments="", fmt="%.9g")
    path.write_bytes(text.getvalue().encode())
    np.testing.assert_array_equal(only_array(path).astype(np.float32), table)


@given(st.dictionaries(NAMES, TABLES, min_size=1, max_size=3), st.booleans())
def test_an_archive_is_what_numpy_reads(tmp_path_factory, arrays, compressed):
    path = tmp_path_factory.getbasetemp() / "a.npz"
    (np.savez_compressed if compressed else np.savez)(path, **arrays)
    found = read_features(path)
    with np.load(path, allow_pickle=False) as theirs:
        assert set(found) == set(theirs.files)
        for name in theirs.files:
            np.testing.assert_array_equal(found[name], theirs[name])


@given(st.dictionaries(NAMES, TABLES, min_size=1, max_size=3))
def test_a_saved_dict_is_what_was_saved(tmp_path_factory, arrays):
    path = tmp_path_factory.getbasetemp() / "d.npy"
    np.save(path, arrays)
    found = read_features(path)
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> dict[str, bytes]:
    """Return the bytes of a sound file of each format."""
    folder = tmp_path_factory.mktemp("sound")
    table = np.arange(6.0).reshape(2, 3)
    np.save(folder / "a.npy", table)
    np.savez_compressed(folder / "a.npz", x=table, y=table)
    np.save(folder / "dict.npy", {"x": table})
    (folder / "a.csv").write_text("video,f0\r\na,1.5\r\nb,2\r\n")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@settings(max_examples=60)
@given(st.data())
@pytest.mark.parametrize("name", ["a.npy", "a.npz", "dict.npy", "a.csv"])
def test_changed_bytes_are_read_or_refused_and_raise_nothing_else(sound, name, tmp_path_factory, data):
    content = bytearray(sound[name])
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(content[: data.draw(st.integers(len(content) // 2, len(content)))])
    with contextlib.suppress(DatasetError):
        only_array(path)


def test_digests_of_equal_files_and_arrays_are_equal_and_of_others_are_not(tmp_path):
    table = np.arange(6.0).reshape(2, 3)
    for name, array in (("a", table), ("b", table), ("c", table + 1)):
        np.save(tmp_path / f"{name}.npy", array)
    assert (
        file_digest(tmp_path / "a.npy") == file_digest(tmp_path / "b.npy") != file_digest(tmp_path / "c.npy")
    )
    assert array_digest(table) == array_digest(np.asfortranarray(table))
    others = [table.reshape(3, 2), table.astype(np.float32), table.astype(">f8"), table[::-1]]
    assert len({array_digest(each) for each in (table, *others)}) == 5
