"""Read files of torch.save without the pickle reader of torch.

The reader of torch, even with `weights_only=True`, calls `bytearray`, `numpy.dtype` and others with any
arguments that a file holds: 400 bytes can allocate any number of gigabytes. The reader of this module makes
stand-ins, which say where the numbers of a tensor are in the file. It reads only the tensors that are used.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple
from zipfile import ZipFile

from aqa_pipeline.untrusted.bounded_files import open_bounded
from aqa_pipeline.untrusted.pickle_builders import BUILDERS, BUILTINS, Builder, Refused
from aqa_pipeline.untrusted.pickle_limits import Excess, allowance, at_most, spend
from aqa_pipeline.untrusted.pickles import Reader, load

if TYPE_CHECKING:
    from torch import Tensor

ARCHIVE_START = b"PK\x03\x04"
TAR_MARK, TAR_MARK_AT = b"ustar", 257
LARGEST_RATIO = 50  # unpacked to packed size of an archive; torch does not compress its members
PICKLE_BYTES = 1 << 26  # names and shapes; a network of 10,000 tensors takes a megabyte
MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001  # of torch.save before version 1.6
FOREIGN_BYTES = 64
OWN_BUILDERS = ("torch", "numpy", "collections", "_codecs", *BUILTINS)
COUNT_BYTES = 8  # in front of each storage in files before torch 1.6

STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
}


class Storage(NamedTuple):
    """A stand-in for numbers of the file: `num_numbers` numbers from `first` on, of the storage `key`."""

    key: str
    dtype: Any
    num_numbers: int
    first: int = 0


class StoredTensor(NamedTuple):
    """A stand-in for a tensor: a view of a storage."""

    storage: Storage
    dtype: Any
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


class Foreign:
    """A stand-in for an object of a class of another library. Its content is read and dropped.

    Numbers as arguments are refused: `Linear(100000, 100000)` would allocate 40 GB.
    """

    __slots__ = ()

    def __new__(cls, *arguments: object) -> "Foreign":
        """Make a stand-in; raise `Refused` for arguments that are not text."""
        if not all(isinstance(each, str | bytes) for each in arguments):
            raise Refused("it makes an object with arguments that are not text")
        spend(FOREIGN_BYTES)
        return super().__new__(cls)

    def __setstate__(self, state: object) -> None:
        pass

    def __setitem__(self, key: object, value: object) -> None:
        pass

    def append(self, item: object) -> None:
        """Drop the item."""
        pass


class _WithForeign(dict[tuple[str, str], Any]):
    """The known names, and `Foreign` for every other class of a network."""

    def __missing__(self, key: tuple[str, str]) -> type[Foreign]:
        module = key[0]
        if module.startswith("torch.nn.modules.") or module.split(".")[0] not in OWN_BUILDERS:
            return Foreign
        raise KeyError(key)


Names = Mapping[tuple[str, str], Any]
Build = Callable[[StoredTensor], "Tensor"]


@contextmanager
def opened_checkpoint(path: Path, *, foreign: bool = False) -> Iterator[tuple[Any, Build]]:
    """Yield the content of a checkpoint, with `StoredTensor`s, and a function that builds a tensor from one.

    With `foreign`, objects of unknown classes become `Foreign`s instead of an error. Raises `Excess` and
    `Refused`; damaged bytes may raise any error.
    """
    names = _WithForeign(_names()) if foreign else _names()
    with open_bounded(path) as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(TAR_MARK_AT + len(TAR_MARK))
        file.seek(0)
        if head[TAR_MARK_AT:] == TAR_MARK:
            raise Refused("it is a tar file of torch 0.1")
        with at_most(allowance(min(size, PICKLE_BYTES))):
            if head.startswith(ARCHIVE_START):
                with ZipFile(file) as archive:
                    yield _of_archive(archive, size, names)
            else:
                yield _of_old_file(file, size, names)


def _of_archive(archive: ZipFile, size: int, names: Names) -> tuple[Any, Build]:
    members = {member.filename: member for member in archive.infolist()}
    if (unpacked := sum(member.file_size for member in archive.infolist())) > LARGEST_RATIO * size:
        raise Excess(f"its {size:,} bytes unpack to {unpacked:,}")
    inner = [name.split("/") for name in members]
    roots = [names[0] for names in inner if names[1:] == ["data.pkl"]]
    if len(roots) != 1 or len(members) < len(archive.infolist()):
        raise ValueError(f"an archive with {len(roots)} pickles of tensors, or two members of one name")
    if members[f"{roots[0]}/data.pkl"].file_size > PICKLE_BYTES:
        raise Excess(f"its names and shapes take {members[f'{roots[0]}/data.pkl'].file_size:,} bytes")
    if f"{roots[0]}/byteorder" in members:
        _check_byte_order(archive.read(f"{roots[0]}/byteorder").decode())
    with archive.open(f"{roots[0]}/data.pkl") as file:
        content = load(file, _TensorReader(file, names))  # type: ignore[arg-type]

    def read(storage: Storage) -> bytearray:
        member = members[f"{roots[0]}/data/{storage.key}"]
        _check_size(storage, member.file_size)
        numbers = bytearray(member.file_size)
        with archive.open(member) as file:
            if file.readinto(numbers) != len(numbers) or file.read(1):  # type: ignore[attr-defined]
                raise ValueError(f"storage {storage.key} is cut off")
        return numbers

    return content, _builder(read)


def _of_old_file(file: BinaryIO, size: int, names: Names) -> tuple[Any, Build]:
    reader = lambda: _TensorReader(file, names)  # noqa: E731
    if load(file, reader()) != MAGIC or load(file, reader()) != PROTOCOL:
        raise ValueError("not a file of torch.save")
    _check_byte_order("little" if load(file, reader())["little_endian"] else "big")
    content_reader = reader()
    content = load(file, content_reader)
    places, at = {}, 0
    for key in load(file, reader()):
        at = places[str(key)] = (at or file.tell()) + COUNT_BYTES
        at += content_reader.num_bytes[str(key)]
    if at > size:
        raise ValueError(f"its tensors claim {at - size:,} bytes more than it has")

    def read(storage: Storage) -> bytearray:
        numbers = bytearray(content_reader.num_bytes[storage.key])
        file.seek(places[storage.key])
        if file.readinto(numbers) != len(numbers):  # type: ignore[attr-defined]
            raise ValueError(f"storage {storage.key} is cut off")
        return numbers

    return content, _builder(read)


def _check_byte_order(order: str) -> None:
    if order != sys.byteorder:
        raise Refused(f"its numbers are {order}-endian, but this machine is {sys.byteorder}-endian")


def _check_size(storage: Storage, num_bytes: int) -> None:
    if storage.num_numbers * storage.dtype.itemsize != num_bytes:
        raise ValueError(
            f"storage {storage.key} claims {storage.num_numbers:,} numbers in {num_bytes:,} bytes"
        )


def _builder(read: Callable[[Storage], bytearray]) -> Build:
    """Return a function that builds a tensor from its stand-in. A storage is read once; tensors share it."""
    import torch

    storages: dict[str, Tensor] = {}

    def build(tensor: StoredTensor) -> "Tensor":
        storage = tensor.storage
        if storage.key not in storages:
            numbers = read(storage)
            empty = torch.empty(0, dtype=torch.uint8)
            storages[storage.key] = torch.frombuffer(numbers, dtype=torch.uint8) if numbers else empty
        last = storage.first + storage.num_numbers * storage.dtype.itemsize // tensor.dtype.itemsize
        own = storages[storage.key].view(tensor.dtype)[storage.first : last]
        return own.as_strided(tensor.size, tensor.stride, own.storage_offset() + tensor.offset)

    return build


class _TensorReader(Reader):
    """Makes stand-ins for storages. `num_bytes` holds the size that the pickle claims for each storage."""

    def __init__(self, file: BinaryIO, names: Names) -> None:
        super().__init__(file, names)
        self.num_bytes: dict[str, int] = {}

    def persistent_load(self, pid: object) -> Storage:
        """Return the stand-in for a storage of the file."""
        if not isinstance(pid, tuple) or not 5 <= len(pid) <= 6 or pid[0] not in ("storage", b"storage"):
            raise Refused(f"it refers to data outside the pickle, {str(pid)[:80]}")
        _, dtype, key, _, count, *view = pid
        if not _is_dtype(dtype) or not isinstance(key, str | int) or not _are_counts([count]):
            raise ValueError(f"a storage {str(pid)[:80]}")
        self.num_bytes.setdefault(str(key), count * dtype.itemsize)
        if self.num_bytes[str(key)] != count * dtype.itemsize:
            raise ValueError(f"storage {key} of two sizes")
        if not view or view[0] is None:
            return Storage(str(key), dtype, count)
        _, first, num_numbers = view[0]
        if not _are_counts([first, num_numbers]) or first + num_numbers > count:
            raise ValueError(f"a view beyond its storage, {view[0]}")
        return Storage(str(key), dtype, num_numbers, first)


def _is_dtype(value: object) -> bool:
    import torch

    return isinstance(value, torch.dtype)


def _are_counts(values: Any) -> bool:
    return all(type(value) is int and value >= 0 for value in values)


def _stored(storage: object, dtype: Any, offset: Any, size: Any, stride: Any) -> StoredTensor:
    if not isinstance(storage, Storage) or not _is_dtype(dtype):
        raise ValueError("a tensor without its numbers")
    if not _are_counts([offset, *size, *stride]) or len(size) != len(stride):
        raise ValueError(f"a tensor of the shape {str(size)[:80]}")
    return StoredTensor(storage, dtype, offset, tuple(size), tuple(stride))


def _rebuilt(storage: Any, offset: Any, size: Any, stride: Any, *rest: Any) -> StoredTensor:
    if len(rest) > 2 and rest[2]:
        raise Refused("it holds a conjugated or negated view of a tensor")
    return _stored(storage, storage.dtype, offset, size, stride)


def _rebuilt_as(
    storage: Any, offset: Any, size: Any, stride: Any, _grad: Any, _hooks: Any, dtype: Any, *marks: Any
) -> StoredTensor:
    if any(marks):
        raise Refused("it holds a conjugated or negated view of a tensor")
    return _stored(storage, dtype, offset, size, stride)


def _parameter(data: object, *_: object) -> object:
    return data


def _device(*arguments: object) -> tuple[object, ...]:
    """Return the arguments, as a stand-in for a device."""
    return arguments


def _names() -> dict[tuple[str, str], Any]:
    """Return the names that a checkpoint may use, for plain data and for tensors, and their stand-ins."""
    import torch

    builds: dict[tuple[str, str], Callable[..., Any]] = {
        ("torch._utils", "_rebuild_tensor"): _rebuilt,
        ("torch._utils", "_rebuild_tensor_v2"): _rebuilt,
        ("torch._utils", "_rebuild_tensor_v3"): _rebuilt_as,
        ("torch._utils", "_rebuild_parameter"): _parameter,
        ("torch", "Size"): tuple,
        ("torch", "device"): _device,
    }
    names: dict[tuple[str, str], Any] = dict(BUILDERS)
    names |= {key: Builder(".".join(key), build) for key, build in builds.items()}
    for module in ("torch", "torch.cuda"):
        names |= {(module, name): getattr(torch, dtype) for name, dtype in STORAGES.items()}
    names["torch.storage", "UntypedStorage"] = torch.uint8
    names |= {("torch", name): each for name, each in vars(torch).items() if isinstance(each, torch.dtype)}
    return names
