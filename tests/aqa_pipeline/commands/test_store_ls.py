"""`aqa store ls`: one row per stream, with where the features come from."""

import re

import numpy as np
import pytest

from aqa_pipeline.store import Store


def rows(output: str) -> list[list[str]]:
    """Return the fields of the table's lines below its header."""
    lines = output.splitlines()
    return [re.split(r"\s{2,}", line.strip()) for line in lines[2 : 2 + len(lines)] if line.strip()]


def test_each_stream_is_a_row_with_its_number_of_videos(aqa, features):
    output = aqa("store", "ls").output
    assert output.splitlines()[0].split() == ["dataset", "stream", "spec", "origin", "videos", "MB"]
    listed = {(row[0], row[1], int(row[4])) for row in rows(output)}
    assert listed == {("toy", "segments", 3), ("toy", "crops", 1), ("other", "segments", 1)}
    for row in features.contents():
        assert row.spec.hash in output


def test_the_settings_of_a_stream_are_shown_on_request_only(aqa, features):
    assert "rate_fps: 5.0" not in aqa("store", "ls").output
    output = aqa("store", "ls", "--specs").output
    assert output.count("  rate_fps: 5.0") == 2, "segments of two datasets"
    assert output.count("  backbone: resnet50") == 1


@pytest.mark.parametrize(
    ("facts", "origin", "warning"),
    [
        ({"weights": "official sha256:0"}, "extracted", ""),
        ({"weights": "random:0"}, "random weights", "RANDOM WEIGHTS"),
        ({"tracker": "siammask:davis random:3"}, "random weights", "RANDOM WEIGHTS"),
        ({"simulated": True, "signal": "even", "effect": 2.5}, "SIMULATED even, effect 2.5", "SIMULATED:"),
        ({"imported": "folder", "dim": 3}, "imported folder", ""),
    ],
    ids=["official", "random network", "random tracker", "simulated", "imported"],
)
def test_the_origin_of_features_is_named_and_doubtful_ones_are_warned_of(
    aqa, here, make_record, facts, origin, warning
):
    Store(here / "s").write(make_record(**facts))
    result = aqa("store", "ls", "s")
    assert rows(result.stdout)[0][3] == origin
    assert result.stderr.startswith(warning)
    assert bool(result.stderr) == bool(warning)


def test_an_empty_store_is_an_empty_table(aqa, here):
    (here / "features").mkdir()
    assert len(aqa("store", "ls").output.splitlines()) == 2


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (None, 2, "'features' does not exist"),
        (b"no HDF5", 1, "features cannot be read as features"),
        (b"", 1, "features cannot be read as features"),
    ],
    ids=["absent", "text file", "empty file"],
)
def test_what_is_no_store_is_reported(aqa, here, content, code, message):
    if content is not None:
        (here / "features").write_bytes(content)
    assert message in aqa("store", "ls", code=code).output


def test_an_hdf5_file_of_another_program_is_no_pack(aqa, here):
    import h5py

    with h5py.File(here / "other.h5", "w") as file:
        file["x"] = np.ones(3)
    message = "it is no packed store; `aqa store pack` makes one, and a store is a folder"
    assert message in aqa("store", "ls", "other.h5", code=1).output


def test_a_pack_of_another_version_is_reported(aqa, here, features):
    import h5py

    aqa("store", "pack", "--out", "p.h5")
    with h5py.File(here / "p.h5", "r+") as file:
        file.attrs["aqa_pack"] = 7
    assert "it is a pack of version 7, this program reads 1" in aqa("store", "ls", "p.h5", code=1).output


def test_a_folder_of_videos_is_not_taken_for_a_store(aqa, here):
    (here / "features").mkdir()
    (here / "features" / "video.mp4").touch()
    output = aqa("store", "ls", code=1).output
    assert "is not a feature store (no store.json in it): name a new or empty folder with --store" in output
