"""Checkpoints are read as torch reads them, and those that ask for more than they hold are refused."""

import pickle
import resource
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from aqa_pipeline.errors import WeightsError
from aqa_pipeline.weights import load_state_dict

FORMATS = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
DTYPES = (
    torch.float64,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.int16,
    torch.int8,
    torch.uint8,
    torch.bool,
    torch.complex64,
    torch.complex128,
)
MIB = 1024**2
SHARED = torch.arange(12.0)


@FORMATS
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_kind_of_number_is_read_as_torch_reads_it(
    tmp_path: Path, dtype: torch.dtype, zipped: bool
) -> None:
    state = {"a": torch.arange(6).reshape(2, 3).to(dtype), "empty": torch.empty(0, 3, dtype=dtype)}
    torch.save(state, tmp_path / "net.pt", _use_new_zipfile_serialization=zipped)
    loaded = load_state_dict(tmp_path / "net.pt")
    reference = torch.load(tmp_path / "net.pt", weights_only=True)
    for name in state:
        assert loaded[name].dtype == reference[name].dtype == dtype
        assert loaded[name].shape == reference[name].shape
        assert torch.equal(loaded[name], reference[name])


@pytest.mark.parametrize("dtype", [torch.uint16, torch.uint32, torch.float8_e4m3fn], ids=str)
def test_so_are_the_newest(tmp_path: Path, dtype: torch.dtype) -> None:
    torch.save({"a": torch.arange(6).to(dtype)}, tmp_path / "net.pt")
    loaded = load_state_dict(tmp_path / "net.pt")["a"]
    assert loaded.dtype == dtype
    assert torch.equal(loaded.view(torch.uint8), torch.arange(6).to(dtype).view(torch.uint8))


@FORMATS
def test_views_of_one_storage_stay_so(tmp_path: Path, zipped: bool) -> None:
    state = {
        "whole": SHARED,
        "end": SHARED[4:],
        "turned": SHARED.reshape(3, 4).T,
        "every": SHARED[1::3],
        "parameter": torch.nn.Parameter(SHARED[:2]),
    }
    torch.save(state, tmp_path / "net.pt", _use_new_zipfile_serialization=zipped)
    loaded = load_state_dict(tmp_path / "net.pt")
    assert all(torch.equal(loaded[name], state[name]) for name in state)
    loaded["whole"][5] = -1
    assert loaded["end"][1] == -1


@FORMATS
def test_a_network_with_its_metadata_loads(tmp_path: Path, zipped: bool) -> None:
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    torch.save(network.state_dict(), tmp_path / "net.pt", _use_new_zipfile_serialization=zipped)
    again = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    again.load_state_dict(load_state_dict(tmp_path / "net.pt"))
    assert all(torch.equal(value, again.state_dict()[key]) for key, value in network.state_dict().items())


def test_cuda_checkpoints_come_to_the_cpu(tmp_path: Path) -> None:
    torch.save({"a": SHARED}, tmp_path / "net.pt")
    with zipfile.ZipFile(tmp_path / "net.pt") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    pickled = members["net/data.pkl"]
    assert b"X\x03\x00\x00\x00cpu" in pickled
    members["net/data.pkl"] = pickled.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0")
    write_archive(tmp_path / "net.pt", members)
    assert torch.equal(load_state_dict(tmp_path / "net.pt")["a"], SHARED)


def write_archive(path: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def call(module: str, name: str, argument: bytes) -> bytes:
    """Return the opcodes that call `module.name` with one argument."""
    return b"c" + f"{module}\n{name}\n".encode() + b"(" + argument + b"tR"


def number(value: int) -> bytes:
    return b"\x8a\x08" + struct.pack("<q", value)


SIX_GIGABYTES = number(6 * 10**9)
COPIES = b"X" + struct.pack("<I", MIB) + b"a" * MIB + b"q\x010"  # a text of a megabyte, kept as value 1
ENCODE = b"h\x01X\x06\x00\x00\x00latin1"
BOMBS = {
    "bytearray": call("__builtin__", "bytearray", SIX_GIGABYTES),
    "bytes": call("__builtin__", "bytes", SIX_GIGABYTES),
    "dtype": call("numpy.core.multiarray", "scalar", call("numpy", "dtype", b"X\x0b\x00\x00\x00V6000000000")),
    "text": call("numpy.core.multiarray", "scalar", call("numpy", "dtype", b"X\x0b\x00\x00\x00S6000000000")),
    "copies": COPIES + b"](" + call("_codecs", "encode", ENCODE) * 6000 + b"e",
    "range": call("__builtin__", "set", call("__builtin__", "range", SIX_GIGABYTES)),
    "meta": call("torch._utils", "_rebuild_meta_tensor_no_storage", SIX_GIGABYTES),
}

IN_A_CHILD = """
import resource, sys
from pathlib import Path
import torch  # what it takes itself is not counted
from aqa_pipeline.weights import load_state_dict
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    load_state_dict(Path(sys.argv[1]))
except Exception as error:
    print(type(error).__name__, str(error).replace(chr(10), "|")[:500])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def in_a_child(path: Path) -> tuple[str, int]:
    """Return what a process of bounded memory says of that checkpoint, and the MiB that it took."""
    bound = 16 * 1024 * MIB
    done = subprocess.run(
        [sys.executable, "-c", IN_A_CHILD, str(path)],
        capture_output=True,
        text=True,
        timeout=300,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (bound, bound)),
    )
    said, mib = done.stdout.splitlines()
    return said, int(mib)


@pytest.mark.parametrize("kind", BOMBS)
def test_a_bomb_is_refused_before_it_takes_memory(tmp_path: Path, kind: str) -> None:
    content = b"\x80\x02" + BOMBS[kind] + b"."
    assert len(content) < 2 * MIB
    write_archive(tmp_path / "net.pt", {"net/data.pkl": content, "net/version": b"3\n"})
    said, mib = in_a_child(tmp_path / "net.pt")
    assert said.startswith("WeightsError ")
    assert "was refused" in said or "is damaged" in said
    assert mib < 300


@pytest.mark.parametrize("decoy", ["net/xdata.pkl", "xdata.pkl", "net/a/data.pkl"])
def test_a_decoy_hides_nothing(tmp_path: Path, decoy: str) -> None:
    bomb = b"\x80\x02" + BOMBS["bytearray"] + b"."
    write_archive(tmp_path / "net.pt", {decoy: pickle.dumps({}, 2), "net/data.pkl": bomb})
    with pytest.raises(WeightsError, match="is damaged"):
        load_state_dict(tmp_path / "net.pt")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "net.pt", "w") as archive:
        for _ in range(2):
            archive.writestr("net/data.pkl", pickle.dumps({}, 2))
    with pytest.raises(WeightsError, match="two members of one name"):
        load_state_dict(tmp_path / "net.pt")


def test_an_old_checkpoint_that_claims_gigabytes_is_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(1000)}, tmp_path / "net.pt", _use_new_zipfile_serialization=False)
    whole = (tmp_path / "net.pt").read_bytes()
    claim = b"M\xe8\x03"  # 1,000, as a number of two bytes
    assert whole.count(claim) == 2  # of the storage, of the shape
    (tmp_path / "net.pt").write_bytes(whole.replace(claim, number(10**10)))
    with pytest.raises(WeightsError, match="claim 39,999,996,000 bytes more than it has"):
        load_state_dict(tmp_path / "net.pt")


def test_a_shape_beyond_its_storage_is_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(1000)}, tmp_path / "net.pt")
    with zipfile.ZipFile(tmp_path / "net.pt") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    claim = b"M\xe8\x03"
    at = members["net/data.pkl"].rindex(claim)  # the last is the shape's
    changed = members["net/data.pkl"]
    members["net/data.pkl"] = changed[:at] + number(10**10) + changed[at + 3 :]
    write_archive(tmp_path / "net.pt", members)
    with pytest.raises(WeightsError, match="is damaged"):
        load_state_dict(tmp_path / "net.pt")


def test_numbers_of_the_other_byte_order_are_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(3)}, tmp_path / "net.pt")
    with zipfile.ZipFile(tmp_path / "net.pt") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["net/byteorder"] = b"big" if sys.byteorder == "little" else b"little"
    write_archive(tmp_path / "net.pt", members)
    with pytest.raises(WeightsError, match="but this machine is"):
        load_state_dict(tmp_path / "net.pt")


def test_a_training_state_with_numpy_numbers_is_read_past(tmp_path: Path) -> None:
    kept = {"lr": np.float64(0.1), "device": torch.device("cpu"), "size": torch.Size([2]), "d": torch.float16}
    torch.save({"state_dict": {"a": SHARED}, "optimizer": kept}, tmp_path / "net.pt")
    assert torch.equal(load_state_dict(tmp_path / "net.pt")["a"], SHARED)


def test_a_tar_file_is_reported(tmp_path: Path) -> None:
    import tarfile

    with tarfile.open(tmp_path / "net.pt", "w") as archive:
        archive.add(__file__, "storages")
    with pytest.raises(WeightsError, match="is a tar file"):
        load_state_dict(tmp_path / "net.pt")
