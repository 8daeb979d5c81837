"""`aqa store verify` and `aqa store repair`: each kind of trouble is named, and only that is touched."""

from pathlib import Path

import pytest

from aqa_pipeline.store import Store


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def without_seal(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-83])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def text(path: Path) -> None:
    path.write_text("features\r\n")


def path_of(store: Store, video_id: str) -> Path:
    (spec,) = store.specs("toy", "segments")
    return store.path("toy", video_id, spec)


DAMAGES = {
    "a flipped bit": (flip_a_byte, "its bytes are not those that were written"),
    "a copy that stopped": (cut_short, "HDF5 knows"),
    "a record without its seal": (without_seal, "its seal is gone: another program changed it"),
    "an empty file": (empty, "it is no HDF5 file"),
    "a text file": (text, "it is no HDF5 file"),
}


@pytest.mark.parametrize(("damage", "reason"), DAMAGES.values(), ids=DAMAGES)
def test_damage_is_named_then_moved_and_the_store_is_sound_again(aqa, features, damage, reason):
    path = path_of(features, "ü c")
    damage(path)
    damaged = path.read_bytes()
    result = aqa("store", "verify", code=3)
    assert "4 of 5 records are sound." in result.output
    assert f"  damaged: {path}: " in result.output
    assert reason in result.output
    assert "`aqa store repair features` moves damaged records out of the store" in result.output
    result = aqa("store", "repair")
    assert "4 records are sound; 1 file was moved to features/.set-aside." in result.output
    assert "run the same `aqa extract` as before" in result.output
    assert not path.exists()
    assert (features.root / ".set-aside" / path.relative_to(features.root)).read_bytes() == damaged
    assert aqa("store", "verify").stdout == "4 of 4 records are sound.\n"


def test_a_sound_store_says_so_and_repair_changes_nothing(aqa, features):
    before = {p: p.read_bytes() for p in features.root.rglob("*") if p.is_file()}
    assert aqa("store", "verify").stdout == "5 of 5 records are sound.\n"
    assert aqa("store", "repair").stdout == "5 records are sound; 0 files were taken out.\n"
    assert {p: p.read_bytes() for p in features.root.rglob("*") if p.is_file()} == before


def test_a_dry_run_says_what_it_would_do_and_does_not(aqa, features):
    path = path_of(features, "a")
    empty(path)
    output = aqa("store", "repair", "--dry-run").output
    assert "1 file would be moved to features/.set-aside." in output
    assert "aqa extract" not in output, "nothing is gone that could be made again"
    assert path.exists()
    assert "1 file would be deleted." in aqa("store", "repair", "--dry-run", "--delete").output
    assert path.exists()
    assert "moved to elsewhere." in aqa("store", "repair", "--dry-run", "--keep", "elsewhere").output
    assert not Path("elsewhere").exists()


def test_what_is_deleted_is_gone(aqa, features):
    path = path_of(features, "a")
    empty(path)
    assert "1 file was deleted." in aqa("store", "repair", "--delete").output
    assert not path.exists()
    assert not (features.root / ".set-aside").exists()


def test_files_taken_out_twice_are_both_kept_where_the_user_says(aqa, features, make_record):
    path = path_of(features, "a")
    for content in (b"one", b"two"):
        path.write_bytes(content)
        aqa("store", "repair", "--keep", "kept folder")
        features.write(make_record("a"))
    kept = sorted(p.read_bytes() for p in Path("kept folder").rglob("*") if p.is_file())
    assert kept == [b"one", b"two"]


def test_keep_and_delete_exclude_each_other(aqa, features):
    result = aqa("store", "repair", "--keep", "x", "--delete", code=2)
    assert "--keep and --delete exclude each other: give one of them." in result.output


def test_root_is_for_sources(aqa, features):
    assert "--root needs --sources." in aqa("store", "verify", "--root", ".", code=2).output


def test_sources_of_several_datasets_have_no_common_root(aqa, features):
    result = aqa("store", "verify", "--sources", "--root", ".", code=2)
    assert "--root is for a store of one dataset, not of other, toy." in result.output


def test_imported_features_have_no_source_to_compare(aqa, features):
    output = aqa("store", "verify", "--sources").stdout
    assert output == "0 of 0 records match their present videos; 5 were imported or simulated.\n"


def test_foreign_files_are_listed_and_stay(aqa, features):
    note = features.root / "toy" / "notes.txt"
    note.write_text("mine")
    assert f"  foreign: {note}: it is no record" in aqa("store", "verify", code=3).output
    result = aqa("store", "repair", code=3)
    assert "1 file stays where it is:" in result.stderr
    assert note.read_text() == "mine"


def test_a_name_cannot_write_to_the_terminal(aqa, features):
    evil = features.root / "toy" / "\x1b[31mred\r"
    evil.write_text("")
    output = aqa("store", "verify", code=3).output
    assert "\x1b" not in output
    assert "\\x1b[31mred\\r" in output


def test_a_record_of_another_video_is_not_sound(aqa, features):
    wrong = path_of(features, "a").with_name("stranger.h5")
    wrong.write_bytes(path_of(features, "a").read_bytes())
    output = aqa("store", "verify", code=3).output
    assert "5 of 6 records are sound." in output
    assert "which does not belong in this place" in output


def test_a_pack_is_verified_too_but_repair_names_the_way_out(aqa, features):
    aqa("store", "pack", "--out", "p.h5")
    assert aqa("store", "verify", "p.h5").stdout == "5 of 5 records are sound.\n"
    without_seal(Path("p.h5"))
    output = aqa("store", "verify", "p.h5", code=3).output
    assert "its seal is gone: a program changed it; each record by itself is sound" in output
    assert "repair" not in output, "a pack is never changed"
    output = aqa("store", "repair", "p.h5", code=1).output
    assert "p.h5 is a packed store, which is never changed: `aqa store unpack p.h5 FOLDER`" in output
