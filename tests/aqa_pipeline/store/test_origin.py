"""A dataset has a name of its own in a store, and the store knows where it was made from."""

import json

import pytest

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.errors import DatasetError, StoreError
from aqa_pipeline.store import Origin, Store, read_origin, write_origin


def write_folder(root):
    root.mkdir(parents=True)
    (root / "scores.csv").write_text("video,score\na,1\nb,2\nc,3\n")
    return root


def test_an_own_folder_is_called_as_the_folder_or_as_it_is_told(tmp_path, monkeypatch):
    root = write_folder(tmp_path / "my-videos")
    assert load_dataset("folder", root).name == "my-videos"
    assert load_dataset("folder", root, called="jumps").name == "jumps"
    assert load_dataset("folder", root, called="jumps").adapter == "folder"
    monkeypatch.chdir(root)
    assert load_dataset("folder", root.relative_to(root)).name == "my-videos"


def test_a_known_dataset_keeps_its_name(tmp_path):
    root = tmp_path / "somewhere"
    root.mkdir()
    (root / "synthetic.json").write_text('{"num_videos": 12, "seed": 0}')
    write_folder(root / "x")
    (root / "scores.csv").write_text("video,score\nroutine_00,1\nroutine_01,2\n")
    dataset = load_dataset("synthetic", root)
    assert (dataset.name, dataset.adapter) == ("synthetic", "synthetic")
    with pytest.raises(DatasetError, match="synthetic cannot be renamed to 'mine': leave out --name"):
        load_dataset("synthetic", root, called="mine")


def test_an_own_folder_cannot_be_taken_for_a_known_dataset(tmp_path):
    root = write_folder(tmp_path / "mtl-aqa")
    with pytest.raises(DatasetError, match="is the name of a known dataset: choose another with --name"):
        load_dataset("folder", root)
    assert load_dataset("folder", root, called="dives").name == "dives"
    assert load_dataset("folder", write_folder(tmp_path / "folder")).name == "folder"
    with pytest.raises(DatasetError, match="is not a name"):
        load_dataset("folder", root, called=" ")


def test_the_store_knows_where_features_were_made_from(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    origin = Origin("folder", "../my videos", (tmp_path / "data").relative_to(tmp_path))
    write_origin(tmp_path / "store", origin)
    found = read_origin(tmp_path / "store", "../my videos")
    assert found == Origin("folder", "../my videos", tmp_path / "data")
    assert Store(tmp_path / "store").origin("../my videos") == found
    assert Store(tmp_path / "store").origin("other") is None
    assert not (tmp_path / "my videos").exists()
    assert [problem for _, problem in Store(tmp_path / "store").verify() if problem] == []


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", json.dumps({"adapter": 1, "name": "a", "root": "b"}), "[" * 9999]
)
def test_a_damaged_origin_is_said_so(tmp_path, text):
    write_origin(tmp_path, Origin("folder", "a", tmp_path))
    (tmp_path / "a" / "dataset.json").write_text(text)
    with pytest.raises(StoreError, match=r"dataset\.json is damaged .*: delete it"):
        read_origin(tmp_path, "a")
