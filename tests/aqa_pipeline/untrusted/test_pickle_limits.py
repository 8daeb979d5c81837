"""Pickles that ask for too much are seen before they are read."""

import io
import pickle
import zipfile

import numpy as np
import pytest
import torch

from aqa_pipeline.errors import DatasetError, WeightsError
from aqa_pipeline.untrusted.pickle_limits import excess_of_pickle
from aqa_pipeline.untrusted.pickles import read_pickle
from aqa_pipeline.weights import load_state_dict

FAR_MEMO = b"\x80\x02]r\xff\xff\xff\x7f."  # an empty list, kept as value 2,147,483,647: 32 GB of memo
LONG_NAME = b"\x80\x02c" + b"a" * 300_000 + b"\nb\n."


@pytest.mark.parametrize("protocol", range(6))
def test_what_python_writes_is_not_refused(protocol):
    shared = ["x" * 5000]
    content = pickle.dumps({"a": [shared] * 50, "b": np.arange(9), "c": {1, 2}, "d": (shared,)}, protocol)
    file = io.BytesIO(content + b"rest")
    assert excess_of_pickle(file) is None
    assert file.read() == b"rest"


@pytest.mark.parametrize("bomb", [FAR_MEMO, LONG_NAME])
def test_a_pickle_that_asks_for_too_much_is_refused_at_once(tmp_path, bomb):
    path = tmp_path / "bomb.pkl"
    path.write_bytes(bomb)
    with pytest.raises(DatasetError, match=r"2,147,483,647|300,002 characters"):
        read_pickle(path)


@pytest.mark.parametrize("new", [True, False])
def test_a_checkpoint_of_torch_is_not_refused(tmp_path, new):
    torch.save(
        {f"layer{n}": torch.ones(3) for n in range(50)}, tmp_path / "a.pt", _use_new_zipfile_serialization=new
    )
    assert len(load_state_dict(tmp_path / "a.pt")) == 50


def test_a_checkpoint_whose_name_torch_would_search_for_minutes_is_refused(tmp_path):
    path = tmp_path / "old.pt"
    path.write_bytes(LONG_NAME)
    with pytest.raises(WeightsError, match="300,002 characters"):
        load_state_dict(path)


def test_an_archive_that_unpacks_to_much_more_is_refused(tmp_path):
    path = tmp_path / "net.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/data.pkl", bytes(1 << 24))
    with pytest.raises(WeightsError, match="unpack to 16,777,216"):
        load_state_dict(path)


def test_torch_need_not_see_what_is_damaged(tmp_path, monkeypatch):
    path = tmp_path / "old.pt"
    path.write_bytes(LONG_NAME[:-3])  # the name never ends
    monkeypatch.setattr(torch, "load", None)
    with pytest.raises(WeightsError, match="is damaged or not a checkpoint"):
        load_state_dict(path)
