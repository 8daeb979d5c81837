"""Checkpoints against torch's own reader, and damaged ones: they are read right or refused, nothing else."""

import contextlib
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aqa_pipeline.errors import WeightsError
from aqa_pipeline.weights import check_checkpoint, load_state_dict

DTYPES = (torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.uint8, torch.bool)
NAMES = st.text("abc.0", min_size=1, max_size=5)


@st.composite
def tensors(draw: st.DrawFn) -> torch.Tensor:
    """Draw a tensor of any type and shape: whole, a part of a larger one, or transposed."""
    shape = draw(st.lists(st.integers(0, 4), max_size=3))
    tensor = (
        torch.arange(2 + int(torch.tensor(shape or [1]).prod()))
        .remainder(3)
        .to(draw(st.sampled_from(DTYPES)))
    )
    tensor = tensor[2:].reshape(shape) if draw(st.booleans()) else tensor[:-2].reshape(shape).clone()
    return tensor.mT if len(shape) == 2 and draw(st.booleans()) else tensor


@settings(max_examples=60)
@given(st.dictionaries(NAMES, tensors(), min_size=1, max_size=4), st.booleans(), st.booleans())
def test_every_checkpoint_is_read_as_torch_reads_it(tmp_path_factory, state, zipped, wrapped):
    path = tmp_path_factory.getbasetemp() / "net.pt"
    torch.save({"state_dict": state} if wrapped else state, path, _use_new_zipfile_serialization=zipped)
    theirs = torch.load(path, weights_only=True)
    theirs = theirs["state_dict"] if wrapped else theirs
    ours = load_state_dict(path)
    assert list(ours) == list(theirs)
    for name, tensor in theirs.items():
        assert ours[name].dtype == tensor.dtype
        assert torch.equal(ours[name], tensor)


@pytest.fixture(scope="module", params=[True, False], ids=["archive", "old file"])
def whole(request, tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "net.pt"
    state = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.ones(2), "n": torch.tensor(3)}
    torch.save(state, path, _use_new_zipfile_serialization=request.param)
    return path.read_bytes()


@settings(max_examples=150)
@given(st.data())
def test_a_changed_byte_is_read_or_refused_and_raises_nothing_else(whole, tmp_path_factory, data):
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "changed.pt"
    path.write_bytes(content)
    for read in (load_state_dict, check_checkpoint):
        with contextlib.suppress(WeightsError):
            read(path)


@settings(max_examples=40)
@given(st.data())
def test_a_file_that_was_cut_is_refused(whole, tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "cut.pt"
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 30))])
    with pytest.raises(WeightsError, match=r"cut\.pt is (empty|damaged or not a checkpoint)"):
        load_state_dict(path)


class Reference:
    """What a pickle writes as a reference outside itself."""

    def __init__(self, pid: object) -> None:
        self.pid = pid


class Call:
    """What a pickle writes as a call."""

    def __init__(self, function: Callable[..., Any], *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> object:
        return self.call


def write(path: Path, content: object) -> Path:
    class Pickler(pickle.Pickler):
        def persistent_id(self, value: object) -> object:
            return value.pid if isinstance(value, Reference) else None

    with zipfile.ZipFile(path, "w") as archive:
        with archive.open("net/data.pkl", "w") as file:
            Pickler(file, protocol=2).dump(content)
        archive.writestr("net/data/0", torch.ones(4).numpy().tobytes())
    return path


def storage(*, key: object = "0", count: object = 4, view: object = None, kind: object = None) -> Reference:
    return Reference(("storage", kind or torch.FloatStorage, key, "cpu", count, view))


def rebuilt(
    where: object, size: tuple[int, ...] = (4,), stride: tuple[int, ...] = (1,), *rest: object
) -> Call:
    return Call(torch._utils._rebuild_tensor_v2, where, 0, size, stride, False, {}, *rest)


def test_a_sound_forgery_is_read(tmp_path):
    path = write(
        tmp_path / "net.pt", {"a": rebuilt(storage()), "b": rebuilt(storage(view=("1", 1, 2)), (2,))}
    )
    found = load_state_dict(path)
    assert torch.equal(found["a"], torch.ones(4))
    assert torch.equal(found["b"], torch.ones(2))


FORGED = {
    "a storage outside": (Reference(("file", "/etc/passwd")), "it refers to data outside the pickle, "),
    "a reference that is text": (
        Reference("/etc/passwd"),
        "it refers to data outside the pickle, /etc/passwd",
    ),
    "a storage of no type": (rebuilt(storage(kind=5)), "a storage "),
    "a storage of a negative size": (rebuilt(storage(count=-4)), "a storage "),
    "a storage of a broken size": (rebuilt(storage(count=4.5)), "a storage "),
    "a storage of two sizes": ([rebuilt(storage()), rebuilt(storage(count=8))], "storage 0 of two sizes"),
    "a view beyond its storage": (rebuilt(storage(view=("1", 3, 2))), "a view beyond its storage, "),
    "an absent storage": (rebuilt(storage(key="1")), "net/data/1"),
    "a storage that is short": (rebuilt(storage(count=5), (5,)), "storage 0 claims 5 numbers in 16 bytes"),
    "no numbers": (rebuilt(5), "a tensor without its numbers|has no attribute"),
    "a negative shape": (rebuilt(storage(), (-4,)), "a tensor of the shape "),
    "more sides than strides": (rebuilt(storage(), (2, 2)), "a tensor of the shape "),
}


@pytest.mark.parametrize(("tensor", "reason"), FORGED.values(), ids=FORGED)
def test_a_forged_tensor_is_refused_with_the_reason(tmp_path, tensor, reason):
    content = dict(enumerate(tensor)) if isinstance(tensor, list) else {"a": tensor}
    with pytest.raises(WeightsError, match=reason):
        load_state_dict(write(tmp_path / "net.pt", content))


def test_a_conjugated_tensor_is_refused_with_the_way_out(tmp_path):
    torch.save({"a": torch.ones(2, dtype=torch.complex64).conj()}, tmp_path / "net.pt")
    with pytest.raises(WeightsError, match=r"it holds a conjugated or negated view of a tensor.*Save only"):
        load_state_dict(tmp_path / "net.pt")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "net.pt is empty: download or copy it again"),
        (b"\n\n<HTML>", "net.pt is a web page, not a checkpoint: download the file itself"),
        (b"weights", "net.pt is damaged or not a checkpoint"),
        (pickle.dumps(5, 2) * 5, "net.pt is damaged or not a checkpoint .not a file of torch.save."),
    ],
    ids=["empty", "web page", "text", "pickle"],
)
def test_what_is_no_checkpoint_says_what_it_is(tmp_path, content, message):
    (tmp_path / "net.pt").write_bytes(content)
    with pytest.raises(WeightsError, match=message):
        load_state_dict(tmp_path / "net.pt")


def test_a_folder_and_a_pipe_are_not_waited_for(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe.pt")
    for path, kind in ((tmp_path, "a folder"), (tmp_path / "pipe.pt", "a pipe")):
        with pytest.raises(WeightsError, match=f"cannot be read as a checkpoint: it is {kind}"):
            load_state_dict(path)
