"""`aqa store import`: what a user's files may look like, what each option does, and what is refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from aqa_pipeline.records import Record
from aqa_pipeline.store import Store, read_origin

ARRAY = np.array([[0.5, 1.25], [2.0, -3.0], [1e-3, 7.0]], np.float32)


@pytest.fixture
def imported(aqa, here, own_folder) -> Callable[..., tuple[str, dict[str, Record]]]:
    """Import features of the own folder `mine`; return what was printed and the records by video."""
    own_folder("video,score\na,1\nb,2\n")

    def run(*words: object, code: int = 0) -> tuple[str, dict[str, Record]]:
        given = ("--dataset", "folder", "--root", "mine", "--stream", "vst")
        output = aqa("store", "import", *given, *words, code=code).output
        store = Store(Path("features"))
        return output, {video_id: store[dataset, video_id, "vst"] for dataset, video_id, _ in store}

    return run


def save_npy(path: Path) -> None:
    np.save(path, ARRAY)


def save_big_endian(path: Path) -> None:
    np.save(path, ARRAY.astype(">f8"))


def save_fortran(path: Path) -> None:
    np.save(path, np.asfortranarray(ARRAY))


def save_npz(path: Path) -> None:
    np.savez(path, anything=ARRAY)


def write_text(text: str, encoding: str = "utf-8") -> Callable[[Path], None]:
    return lambda path: path.write_bytes(text.encode(encoding)) and None


LINES = "0.5,1.25\n2,-3\n0.001,7\n"
FORMS = {
    ".npy": ("npy", save_npy),
    ".npy, big-endian doubles": ("npy", save_big_endian),
    ".npy, columns first": ("npy", save_fortran),
    ".npz with any name in it": ("npz", save_npz),
    ".csv": ("csv", write_text(LINES)),
    ".csv with a header": ("csv", write_text("f0,f1\n" + LINES)),
    ".csv of Windows": ("csv", write_text(LINES.replace("\n", "\r\n"), "utf-8-sig")),
    ".csv in UTF-16": ("csv", write_text(LINES, "utf-16")),
    ".csv with semicolons and tabs": ("csv", write_text(LINES.replace(",", ";"))),
    ".csv with blank lines and blanks": ("csv", write_text("\n 0.5 , 1.25\n\n2,-3\n0.001,7\n\n\n")),
    ".csv in capitals and quotes": ("CSV", write_text('"0.5","1.25"\n2E0,-3.0\n1e-3,+7\n')),
}


@pytest.mark.parametrize(("ending", "save"), FORMS.values(), ids=FORMS)
def test_a_folder_of_files_is_imported_number_for_number(imported, ending, save):
    Path("f").mkdir()
    for video_id in ("a", "b"):
        save(Path("f", f"{video_id}.{ending}"))
    output, records = imported("--features", "f")
    assert "vst: 2 videos imported into features, 0 existed already." in output
    assert set(records) == {"a", "b"}
    for record in records.values():
        assert record.features.dtype == np.float32
        np.testing.assert_array_equal(record.features, ARRAY)
        np.testing.assert_array_equal(record.pts_seconds, [[0, 1], [1, 2], [2, 3]])


def write_npz(path: Path) -> Path:
    np.savez_compressed(path.with_suffix(".npz"), a=ARRAY, b=ARRAY[:1])
    return path.with_suffix(".npz")


def write_dict(path: Path) -> Path:
    np.save(path.with_suffix(".npy"), {"a": ARRAY, "b": ARRAY[:1]})
    return path.with_suffix(".npy")


def write_table(path: Path) -> Path:
    rows = [f"a,{x},{y}" for x, y in ARRAY] + ["b,0.5,1.25"]
    path.with_suffix(".csv").write_text("\r\n".join(["Video,f0,f1", *rows]) + "\r\n")
    return path.with_suffix(".csv")


def write_mixed_table(path: Path) -> Path:
    """Write a table with the column of videos last and their rows interleaved."""
    rows = ["0.5;1.25;a", "0.5;1.25;b", "2;-3;a", "0.001;7;a"]
    path.with_suffix(".csv").write_text("\n".join(["f0;f1;video", *rows]))
    return path.with_suffix(".csv")


@pytest.mark.parametrize("write", [write_npz, write_dict, write_table, write_mixed_table])
def test_one_file_of_many_videos_is_imported_number_for_number(imported, write):
    _, records = imported("--features", write(Path("all features")))
    np.testing.assert_array_equal(records["a"].features, ARRAY)
    np.testing.assert_array_equal(records["b"].features, ARRAY[:1])


def test_several_files_make_one_stream(imported):
    np.savez("one.npz", a=ARRAY)
    np.savez("two.npz", b=ARRAY)
    output, records = imported("--features", "one.npz", "--features", "two.npz")
    assert "2 videos imported" in output
    assert records["a"].spec == records["b"].spec


LENGTHS = {
    "a second, if nothing is said": ([], 1.0),
    "seconds": (["--step-seconds", "1.28"], 1.28),
    "frames and a rate": (["--frames-per-step", "16", "--fps", "25"], 0.64),
    "parts of a frame": (["--frames-per-step", "0.5", "--fps", "25"], 0.02),
}


@pytest.mark.parametrize(("options", "seconds"), LENGTHS.values(), ids=LENGTHS)
def test_rows_last_as_long_as_the_options_say(imported, options, seconds):
    np.savez("all.npz", a=ARRAY, b=ARRAY)
    _, records = imported("--features", "all.npz", *options)
    for record in records.values():
        np.testing.assert_allclose(record.pts_seconds[:, 0], seconds * np.arange(3), rtol=0, atol=1e-12)
        np.testing.assert_array_equal(record.pts_seconds[1:, 0], record.pts_seconds[:-1, 1])
        assert record.spec.facts["step_seconds"] == seconds


def test_the_backbone_is_written_into_the_spec(imported):
    np.savez("all.npz", a=ARRAY, b=ARRAY)
    _, records = imported("--features", "all.npz", "--backbone", "vivit")
    assert records["a"].spec.facts["backbone"] == "vivit"


def test_a_second_import_writes_nothing_and_other_lengths_are_another_stream(imported, aqa):
    np.savez("all.npz", a=ARRAY, b=ARRAY)
    imported("--features", "all.npz")
    output, _ = imported("--features", "all.npz")
    assert "vst: 0 videos imported into features, 2 existed already." in output
    words = ("--dataset", "folder", "--root", "mine", "--stream", "vst", "--features", "all.npz")
    aqa("store", "import", *words, "--step-seconds", "2")
    assert len(Store(Path("features")).specs("mine", "vst")) == 2


def test_the_store_knows_the_folder_and_the_name(imported):
    np.savez("all.npz", a=ARRAY, b=ARRAY)
    imported("--features", "all.npz", "--name", "season 2026")
    origin = read_origin(Path("features"), "season 2026")
    assert (origin.adapter, origin.name, origin.root) == ("folder", "season 2026", Path("mine").absolute())


def test_what_was_left_out_is_listed_and_the_rest_is_there(imported):
    np.savez("all.npz", a=ARRAY, stranger=ARRAY, b=np.ones((2, 2), np.int32))
    output, records = imported("--features", "all.npz", code=3)
    assert "vst: 1 video imported" in output
    assert "all.npz['b']: it holds int32: expected float16, float32, float64." in output
    assert "1 file that belongs to no video of mine, left out: stranger" in output
    assert set(records) == {"a"}


def test_a_long_list_of_names_is_cut(imported):
    np.savez("all.npz", a=ARRAY, b=ARRAY, **{f"x{number:02d}": ARRAY for number in range(13)})
    output, _ = imported("--features", "all.npz", code=3)
    assert "13 files that belong to no video of mine, left out: x00, x01" in output
    assert "x09 and 3 more" in output


def test_names_with_endings_and_other_case_are_found_and_reported(imported):
    np.savez("all.npz", **{"A.mp4": ARRAY, "b_rgb": ARRAY})
    output, records = imported("--features", "all.npz")
    assert set(records) == {"a", "b"}
    assert "2 names were found under another spelling: a -> A.mp4, b -> b_rgb" in output


def save_ragged(path: Path) -> Path:
    path.write_text("1,2\n3\n")
    return path


BAD_FILES = {
    "a row that is short": ("1,2\n3\n", "line 2: expected 2 numbers, one row per step, such as 0.5,1.25"),
    "a word among numbers": ("1,2\n3,four\n", "line 2: expected 2 numbers"),
    "a decimal comma": ("1,5;2,5\n3,5;4,5\n", "no row of numbers|expected"),
    "NaN": ("1,2\nnan,2\n", "it holds 1 values that are not finite, the first in row 1"),
    "an infinite number": ("1,2\n1,-inf\n", "it holds 1 values that are not finite, the first in row 1"),
    "a number beyond floats": ("1,2\n1,1e39\n", "it holds 1 values that are not finite, the first in row 1"),
    "only a header": ("f0,f1\n", "has no row of numbers: expected one per step"),
    "nothing": ("", "is empty"),
    "blanks": (" \n\t\n", "is empty"),
    "an open quote": ('1,2\n"3,4\n', "line 2: expected 2 numbers"),
    "a field without end": ("1,2\n3," + "4" * 200_000 + "\n", "line 2 is not CSV: field larger than"),
}


@pytest.mark.parametrize(("text", "reason"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_table_that_cannot_be_features_is_named_with_its_reason(imported, text, reason):
    import re

    Path("f").mkdir()
    save_npy(Path("f/a.npy"))
    Path("f/b.csv").write_text(text)
    output, records = imported("--features", "f", code=3)
    assert "f/b.csv" in output
    assert re.search(reason, output), output
    assert set(records) == {"a"}


REFUSED = {
    "a rate of zero": (["--features", "all.npz", "--frames-per-step", 4, "--fps", 0], "a row of 0.0 seconds"),
    "negative seconds": (["--features", "all.npz", "--step-seconds", -1], "a row of -1.0 seconds: expected"),
    "endless seconds": (["--features", "all.npz", "--step-seconds", "inf"], "a row of inf seconds"),
    "no number of seconds": (["--features", "all.npz", "--step-seconds", "nan"], "a row of nan seconds"),
    "an empty folder": (["--features", "empty"], "file in empty: expected one <video id> per video"),
    "a file of another kind": (["--features", "f.mat"], "f.mat ends in none of .npy, .npz, .csv"),
    "a stream with a slash": (["--features", "all.npz", "--stream", "a/b"], "'a/b' is no name for a stream"),
    "a stream in capitals": (["--features", "all.npz", "--stream", "VST"], "'VST' is no name for a stream"),
    "one array": (
        ["--features", "one.npy"],
        "one.npy is one array (3, 2): expected the arrays of many videos",
    ),
    "an id in two files": (["--features", "all.npz", "--features", "two.npz"], "name only one of them"),
}


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_imported_is_reported_and_no_store_is_made(imported, aqa, options, message):
    np.savez("all.npz", a=ARRAY, b=ARRAY)
    np.savez("two.npz", b=ARRAY)
    np.save("one.npy", ARRAY)
    Path("f.mat").write_bytes(b"MATLAB")
    Path("empty").mkdir()
    given = ("--dataset", "folder", "--root", "mine", "--stream", "vst")
    assert message in aqa("store", "import", *given, *options, code=1).output
    assert not Path("features").exists()


def test_a_truncated_copy_of_an_array_is_named(imported):
    Path("f").mkdir()
    save_npy(Path("f/a.npy"))
    save_npy(Path("f/b.npy"))
    Path("f/b.npy").write_bytes(Path("f/b.npy").read_bytes()[:-3])
    output, records = imported("--features", "f", code=3)
    assert "f/b.npy is a damaged .npy file" in output
    assert "download or copy it again" in output
    assert set(records) == {"a"}


STEP_TABLES = {
    "a length of a video twice": ("video,step_seconds\na,1\na,1\n", "line 3: 'a' is named twice."),
    "a word": ("video,step_seconds\na,long\n", "line 2: step_seconds 'long' is not a finite number."),
    "no frames": ("video,frames_per_step,fps\na,,25\n", "line 2: frames_per_step '' is not a finite number."),
    "a rate below zero": ("video,frames_per_step,fps\na,16,-25\n", "line 2: fps '-25' is not above 0."),
    "a rate that is missing": (
        "video,frames_per_step\na,16\n",
        "line 2: frames_per_step needs fps: a column",
    ),
    "no video": ("clip,step_seconds\na,1\n", "has the columns clip, step_seconds: expected video and"),
    "only a header": ("video,step_seconds\n", "has a header and no rows"),
}


@pytest.mark.parametrize(("table", "message"), STEP_TABLES.values(), ids=STEP_TABLES)
def test_a_bad_table_of_lengths_is_reported_by_its_line(imported, aqa, table, message):
    np.savez("all.npz", a=ARRAY, b=ARRAY)
    Path("steps.csv").write_text(table)
    given = ("--dataset", "folder", "--root", "mine", "--stream", "vst", "--features", "all.npz")
    assert message in aqa("store", "import", *given, "--steps", "steps.csv", code=1).output
