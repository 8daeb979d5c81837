"""Pickles of other people: plain data comes through as written, and nothing else happens."""

import contextlib
import os
import pickle
import pickletools
import struct
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aqa_pipeline.errors import DatasetError
from aqa_pipeline.untrusted.npy import read_npy
from aqa_pipeline.untrusted.pickles import read_pickle

ARRAYS = {
    "float64": np.arange(6.0).reshape(2, 3),
    "float16": np.arange(6, dtype=np.float16),
    "big_endian": np.arange(5, dtype=">i4"),
    "column_major": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "bool": np.array([True, False]),
    "complex": np.array([1 + 2j]),
    "text": np.array(["schön", "a"]),
    "bytes": np.array([b"ab", b"c"]),
    "empty": np.zeros((0, 4)),
    "zero_dimensional": np.array(3.5),
    "read_only": np.frombuffer(b"\1\2\3", np.uint8),
}


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "some.pkl"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_of_every_protocol_are_read_as_python_reads_them(tmp_path, name, protocol):
    array = ARRAYS[name]
    again = read_pickle(written(tmp_path, pickle.dumps({"x": array}, protocol)))["x"]
    assert type(again) is np.ndarray
    assert again.dtype == array.dtype
    np.testing.assert_array_equal(again, array)


@pytest.mark.parametrize("protocol", range(6))
def test_plain_python_data_and_scalars_are_read(tmp_path, protocol):
    data = {
        (1, 2): [1, 2.5, "text", b"\xff\0", None, True, 1j, 2**80],
        "sets": ({1, 2}, frozenset({3}), bytearray(b"xy")),
        "ordered": OrderedDict(b=1, a=2),
        "scalars": [np.float64(1.5), np.int64(7), np.bool_(True), np.str_("ü")],
    }
    again = read_pickle(written(tmp_path, pickle.dumps(data, protocol)))
    assert again == data
    assert list(again["ordered"]) == ["b", "a"]


def test_arrays_of_objects_are_read_with_what_is_in_them(tmp_path):
    data = np.empty((1, 2), dtype=object)
    data[0, 0], data[0, 1] = np.arange(3), {"a": np.float32(2)}
    again = read_pickle(written(tmp_path, pickle.dumps(np.asfortranarray(data))))
    np.testing.assert_array_equal(again[0, 0], np.arange(3))
    assert again[0, 1] == {"a": 2.0}


def test_a_pickle_of_python_2_is_read(tmp_path):
    # What Python 2.7 with numpy 1.x writes, protocol 2, of {'a': numpy.array([1., 258.])}: text for bytes.
    raw = np.array([1.0, 258.0]).tobytes()
    content = (
        b"\x80\x02}q\x00U\x01ac"
        b"numpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K\x02\x85c"
        b"numpy\ndtype\nU\x02f8K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        b"U" + bytes([len(raw)]) + raw + b"tbs."
    )
    assert read_pickle(written(tmp_path, content))["a"].tolist() == [1.0, 258.0]


def test_shared_parts_stay_shared(tmp_path):
    nested: list = [np.arange(3)]
    for _ in range(60):
        nested = [nested, nested]
    again = read_pickle(written(tmp_path, pickle.dumps(nested)))
    assert again[0] is again[1]


class Attack:
    """Pickles as a call of `function` with `arguments`, then `state`."""

    def __init__(self, function, *arguments, state=None):
        self.call = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.call


def run_it(path: str) -> None:
    Path(path).touch()


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "inside", [lambda x: x, lambda x: [x], lambda x: {(1, 2): (x,)}, lambda x: np.array(x)]
)
@pytest.mark.parametrize(
    "function", [os.system, eval, exec, __import__, Path, getattr, np.load, pickle.loads]
)
def test_no_name_but_those_of_plain_data_is_used(tmp_path, function, inside, protocol):
    proof = tmp_path / "it-ran"
    attack = Attack(function, f"touch {proof}")
    content = pickle.dumps(inside(attack), protocol)
    with pytest.raises(DatasetError, match=r"uses \w+\.\w+"):
        read_pickle(written(tmp_path, content))
    assert not proof.exists()


def test_the_attack_of_these_tests_works_on_an_ordinary_reader(tmp_path):
    proof = tmp_path / "it-ran"
    pickle.loads(pickle.dumps(Attack(os.system, f"touch {proof}")))
    assert proof.exists()


def test_a_refusal_names_what_was_refused_and_what_to_do(tmp_path):
    message = r"some\.pkl cannot be read without running code: it uses posix\.system\. .*save the file again"
    with pytest.raises(DatasetError, match=message):
        read_pickle(written(tmp_path, pickle.dumps(Attack(os.system, "true"))))


RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n"
FLOAT8 = b"cnumpy\ndtype\n(Vf8\nI0\nI1\ntR"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"cos.path\nsystem\n.", r"uses os\.path\.system"),
        (b"(Vtrue\nios\nsystem\n.", r"uses os\.system"),
        (b"(cos\nsystem\nVtrue\no.", r"uses os\.system"),
        (b"\x80\x04\x8c\x05numpy\x8c\x15ndarray.__class__.mro\x93.", "uses numpy.ndarray.__class__"),
        (b"cnumpy\nndarray\n.", "it holds numpy.ndarray"),
        (b"cnumpy\nndarray\n(I4\ntR.", "makes an array with numpy.ndarray"),
        (b"cnumpy\ndtype\n}Vbuild\ncbuiltins\nset\nsb.", "changes numpy.dtype"),
        (b"cnumpy\ndtype\n(N}Vbuild\ncbuiltins\nset\nstb.", "changes numpy.dtype"),
        (b"cbuiltins\nset\n}Va\nI1\nsb.", "changes builtins.set"),
        (b"\x80\x02cbuiltins\nset\n)\x81.", "damaged pickle .*type"),
        (b"Vsome-id\nQ.", "refers to data outside the pickle"),
        (b"Psome-id\n.", "refers to data outside the pickle, 'some-id'"),
        (b"\x80\x05\x97.", "damaged pickle"),
        (b"c_codecs\nencode\n(Vabc\nVrot13\ntR.", "encodes text as 'rot13'"),
        (b"cnumpy\ndtype\n(VO8\nI0\nI1\ntR(I3\nV|\nNNNI-1\nI-1\nI63\ntb.", None),
        (b"cnumpy\ndtype\n(VV8\nI0\nI1\ntR.", "array of type 'V8'"),
        (b"cnumpy\ndtype\n(V(1000,1000,1000)f8\nI0\nI1\ntR.", "array of type"),
        (b"cnumpy\ndtype\n(Vf8\nI0\nI1\ntR(I3\nV<\nNN}I8\nI8\nI63\ntb.", "structured array"),
    ],
)
def test_forged_opcodes_are_refused(tmp_path, content, message):
    if message is None:
        assert read_pickle(written(tmp_path, content)) == np.dtype(object)
        return
    with pytest.raises(DatasetError, match=message):
        read_pickle(written(tmp_path, content))


@pytest.mark.parametrize(
    ("shape", "data", "message"),
    [
        (b"(I100000\nt", b"Vabc\n", "without its content"),
        (b"(I-1\nt", b"V\n", "array of shape"),
        (b"(I2\nt", b"(I1\nI2\nl", "list instead of bytes"),
        (b"Vx\n", b"V\n", "array of shape 'x'"),
    ],
)
def test_an_array_whose_bytes_do_not_fit_its_shape_is_damaged(tmp_path, shape, data, message):
    # numpy given a forged state (object flags over raw bytes) would follow them as pointers.
    array = RECONSTRUCT + b"(cnumpy\nndarray\n(I0\ntVb\ntR(I1\n" + shape + FLOAT8 + b"I00\n" + data + b"tb."
    with pytest.raises(DatasetError, match=message):
        read_pickle(written(tmp_path, array))


def test_raw_bytes_are_never_read_as_objects(tmp_path):
    state = b"(I1\n(I1\ntcnumpy\ndtype\n(VO8\nI0\nI1\ntRI00\nVAAAAAAAA\ntb."
    content = RECONSTRUCT + b"(cnumpy\nndarray\n(I0\ntVb\ntR" + state
    with pytest.raises(DatasetError, match="without its content"):
        read_pickle(written(tmp_path, content))


def test_a_truncated_pickle_is_damaged(tmp_path):
    content = pickle.dumps({"x": np.arange(100)})
    for length in range(len(content)):
        with pytest.raises(DatasetError, match="damaged"):
            read_pickle(written(tmp_path, content[:length]))


@given(data=st.data())
@settings(max_examples=300, deadline=None)
def test_a_pickle_with_wrong_bytes_is_read_or_refused_but_nothing_else(tmp_path_factory, data):
    content = bytearray(pickle.dumps({"x": np.arange(3.0), "y": [1, "a", {2}]}))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(2, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = written(tmp_path_factory.mktemp("wrong"), bytes(content))
    with contextlib.suppress(DatasetError):
        read_pickle(path)
    path.unlink()


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DatasetError, match=r"absent\.pkl cannot be read: No such file"):
        read_pickle(tmp_path / "absent.pkl")


def test_the_annotations_of_mtl_aqa_are_read_as_python_reads_them(shared):
    paths = sorted((shared / "annotations" / "mtl_aqa").glob("*.pkl"))
    assert len(paths) == 4
    for path in paths:
        names = {
            f"{op.name} {arg}" for op, arg, _ in pickletools.genops(path.read_bytes()) if op.name == "GLOBAL"
        }
        assert all("numpy" in name or "encode" in name for name in names)
        again = read_pickle(path)
        assert repr(again) == repr(pickle.loads(path.read_bytes(), encoding="latin1"))


def test_many_copies_of_one_text_are_refused_before_they_fill_the_memory(tmp_path):
    """A megabyte that is kept once and made into bytes 3,000 times: 40 bytes a copy."""
    text = b"X" + struct.pack("<I", 1 << 20) + b"a" * (1 << 20) + b"q\x010"
    copy = b"c_codecs\nencode\n(h\x01X\x06\x00\x00\x00latin1tR"
    path = tmp_path / "a.pkl"
    path.write_bytes(b"\x80\x02" + text + b"](" + copy * 3000 + b"e.")
    with pytest.raises(DatasetError, match="makes far more data than it has bytes"):
        read_pickle(path)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.pkl")
    for read in (read_pickle, read_npy):
        with pytest.raises(DatasetError, match="it is a pipe, expected a regular file"):
            read(tmp_path / "a.pkl")
