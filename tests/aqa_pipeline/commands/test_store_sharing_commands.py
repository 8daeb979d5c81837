"""`aqa store pack`, `unpack` and `export`: all or a part, there and back, and what they refuse."""

import json
from pathlib import Path

import numpy as np
import pytest

from aqa_pipeline.store import Store


def contents(root: str) -> set[tuple[str, str, int]]:
    return {(row.dataset, row.spec.stream, row.num_records) for row in Store(Path(root)).contents()}


ALL = {("toy", "segments", 3), ("toy", "crops", 1), ("other", "segments", 1)}
PARTS = {
    "everything": ([], ALL),
    "a dataset": (["--datasets", "toy"], {("toy", "segments", 3), ("toy", "crops", 1)}),
    "a stream": (["--streams", "segments"], {("toy", "segments", 3), ("other", "segments", 1)}),
    "both": (["--datasets", "toy", "--streams", "crops"], {("toy", "crops", 1)}),
    "lists with blanks": (["--datasets", " toy , other ", "--streams", "segments, crops,"], ALL),
}


@pytest.mark.parametrize(("options", "expected"), PARTS.values(), ids=PARTS)
def test_a_pack_holds_what_was_asked_for_and_unpacks_to_it(aqa, features, options, expected):
    count = sum(num for *_, num in expected)
    records = "1 record" if count == 1 else f"{count} records"
    output = aqa("store", "pack", *options, "--out", "p.h5").stdout
    assert output.startswith(f"{records} in p.h5, ")
    assert contents("p.h5") == expected
    output = aqa("store", "unpack", "p.h5", "again").stdout
    assert output == f"{records} copied into again, 0 existed already.\n"
    assert contents("again") == expected
    for path in Path("again").rglob("*.h5"):
        assert path.read_bytes() == (features.root / path.relative_to("again")).read_bytes()


@pytest.mark.parametrize(("options", "expected"), PARTS.values(), ids=PARTS)
def test_an_export_holds_what_was_asked_for(aqa, features, options, expected):
    aqa("store", "export", *options, "--out", "arrays")
    found = [path.relative_to("arrays") for path in Path("arrays").rglob("*.npy")]
    assert {(path.parts[0], path.parts[1].rpartition("-")[0]) for path in found} == {
        (dataset, stream) for dataset, stream, _ in expected
    }
    assert len(found) == sum(num for *_, num in expected)


def test_exported_numbers_are_the_stored_ones_in_both_formats(aqa, features):
    from safetensors import safe_open

    aqa("store", "export", "--out", "npy", "--format", "npy")
    aqa("store", "export", "--out", "st", "--format", "safetensors")
    for dataset, video_id, spec in features:
        record = features.read(dataset, video_id, spec)
        place = features.path(dataset, video_id, spec).relative_to(features.root)
        npy, st = Path("npy", place).with_suffix(".npy"), Path("st", place).with_suffix(".safetensors")
        np.testing.assert_array_equal(np.load(npy, allow_pickle=False), record.features)
        with safe_open(st, "numpy") as file:
            np.testing.assert_array_equal(file.get_tensor("features"), record.features)
            np.testing.assert_array_equal(file.get_tensor("pts_seconds"), record.pts_seconds)
            np.testing.assert_array_equal(file.get_tensor("extras/boxes"), record.extras["boxes"])
            facts = file.metadata()
        assert (facts["dataset"], facts["video_id"]) == (dataset, video_id)
        assert json.loads(facts["counts"]) == dict(record.counts)
        assert facts["spec"] == spec.to_json()


def test_an_export_replaces_files_of_an_earlier_one(aqa, features):
    aqa("store", "export", "--out", "arrays")
    path = next(Path("arrays").rglob("*.npy"))
    content = path.read_bytes()
    path.write_bytes(b"old")
    aqa("store", "export", "--out", "arrays")
    assert path.read_bytes() == content


def test_a_pack_goes_beside_the_store_under_its_name(aqa, features):
    assert aqa("store", "pack").stdout.startswith("5 records in features.h5, ")
    assert Path("features.h5").is_file()


def test_unpacking_again_copies_nothing(aqa, features):
    aqa("store", "pack", "--out", "p.h5")
    assert aqa("store", "unpack", "p.h5").stdout == (
        "0 records copied into features, 5 existed already.\n"
    ), "the usual store is the default"


def test_a_broken_record_is_left_out_and_reported(aqa, features):
    aqa("store", "pack", "--out", "p.h5")
    content = bytearray(Path("p.h5").read_bytes())
    wanted = features.read("other", "a", *features.specs("other", "segments")).features.tobytes()
    at = content.find(wanted)
    assert at > 0
    content[at] ^= 1
    Path("p.h5").write_bytes(content)
    result = aqa("store", "unpack", "p.h5", "again", code=3)
    assert "4 records copied into again, 0 existed already." in result.output
    assert "  damaged: p.h5/other/" in result.output
    assert contents("again") == {("toy", "segments", 3), ("toy", "crops", 1)}


REFUSED = {
    "an unknown dataset": (["pack", "features", "--datasets", "tyo"], 1, "has no features of that kind"),
    "an unknown stream": (["export", "features", "--out", "x", "--streams", "tubes"], 1, "see `aqa store ls"),
    "another ending": (["pack", "features", "--out", "p.zip"], 1, "a packed store is named *.h5, got p.zip"),
    "a folder as pack": (["pack", "features", "--out", "folder"], 2, "File 'folder' is a directory"),
    "a file as folder": (["export", "features", "--out", "file"], 2, "is a file"),
    "a pack below a file": (["pack", "features", "--out", "file/p.h5"], 1, "file is not a folder"),
    "no folder": (["export", "features"], 2, "Missing option '--out'"),
    "another format": (["export", "features", "--out", "x", "--format", "csv"], 2, "'csv' is not one of"),
    "no pack": (["unpack", "nothing.h5"], 2, "'nothing.h5' does not exist"),
    "a folder to unpack": (["unpack", "features"], 2, "is a directory"),
    "a text file to unpack": (["unpack", "file"], 1, "file cannot be read as features"),
}


@pytest.mark.parametrize(("words", "code", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_done_is_reported(aqa, features, words, code, message):
    Path("folder").mkdir()
    Path("file").write_text("text")
    assert message in aqa("store", *words, code=code).output
    assert sorted(path.name for path in Path().iterdir()) == ["features", "file", "folder"]
    assert Path("file").read_text() == "text"


def test_a_pack_is_not_overwritten(aqa, features):
    aqa("store", "pack", "--out", "p.h5")
    before = Path("p.h5").read_bytes()
    output = aqa("store", "pack", "--out", "p.h5", code=1).output
    assert "p.h5 is there already: delete it, or name another --out." in output
    assert Path("p.h5").read_bytes() == before


def test_a_broken_record_is_not_packed_and_leaves_no_file(aqa, features):
    (spec,) = features.specs("other", "segments")
    features.path("other", "a", spec).write_bytes(b"broken")
    assert "is not a sound record" in aqa("store", "pack", "--out", "p.h5", code=1).output
    assert not Path("p.h5").exists()
    assert not list(Path().glob(".*.part"))


def test_nothing_is_written_into_a_pack(aqa, features, own_folder):
    aqa("store", "pack", "--out", "p.h5")
    root = own_folder("video,score\na,1\nb,2\n")
    Path("f").mkdir()
    np.save("f/a.npy", np.ones((2, 3)))
    words = ["--dataset", "folder", "--root", root, "--features", "f", "--stream", "vst"]
    output = aqa("store", "import", "p.h5", *words, code=2).output
    assert "is a file" in output
