"""Files and folders are there whole or not at all, and what killed writers left is cleared, nothing else."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aqa_pipeline.disk.files import (
    clear_left_overs,
    file_name,
    is_left_over,
    is_part,
    machine,
    part_beside,
    whole_file,
    whole_folder,
    write_whole,
)
from aqa_pipeline.disk.folder_lock import sole_writer
from aqa_pipeline.errors import RunError, StoreError


def dead_process() -> int:
    """Return the number of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def part_of(folder: Path, *, pid: int, of: str | None = None, name: str = "0123456789abcdef") -> Path:
    return folder / f".{name}-01234567@{of or machine()}@{pid}.part"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "a.json"
    write_whole(path, b"one")
    write_whole(path, b"two")
    assert path.read_bytes() == b"two"
    write_whole(path, b"three", only_if_absent=True)
    assert path.read_bytes() == b"two"
    assert names(tmp_path) == ["a.json"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "a.json"
    path.write_bytes(b"old")

    def fail() -> None:
        with whole_file(path) as part:
            part.write_bytes(b"half")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.json"]


def test_an_error_of_the_disk_names_the_file_that_the_caller_knows(tmp_path):
    path = tmp_path / "absent folder" / "a.json"
    with pytest.raises(FileNotFoundError) as error:
        write_whole(path, b"")
    assert error.value.filename == str(path)
    assert error.value.filename2 is None


def test_an_error_of_another_file_keeps_its_name(tmp_path):
    with pytest.raises(FileNotFoundError) as error, whole_file(tmp_path / "a.json"):
        open(tmp_path / "other").close()
    assert error.value.filename == str(tmp_path / "other")


def test_two_writers_of_one_file_never_share_a_part(tmp_path):
    parts = {part_beside(tmp_path / "a.json") for _ in range(100)}
    assert len(parts) == 100
    assert all(is_part(part) for part in parts)
    assert {part.parent for part in parts} == {tmp_path}
    assert len({part.name[:17] for part in parts}) == 1, "the target can be told from the name"


@pytest.mark.parametrize(
    "name",
    [
        "a.part",
        ".a.part",
        ".0123456789abcdef-01234567@m@5.part2",
        ".0123456789abcdef-0123456@m@5.part",
        ".0123456789ABCDEF-01234567@m@5.part",
        ".0123456789abcdef-01234567@m@x.part",
        ".0123456789abcdef-01234567@m@m@5.part",
        "0123456789abcdef-01234567@m@5.part",
    ],
)
def test_files_of_other_programs_are_not_taken_for_parts(tmp_path, name):
    path = tmp_path / name
    path.touch()
    os.utime(path, (0, 0))
    assert not is_part(path)
    assert not is_left_over(path)
    clear_left_overs(tmp_path)
    assert path.exists()


def test_parts_of_ended_processes_are_cleared_and_those_of_running_ones_stay(tmp_path):
    dead, alive = part_of(tmp_path, pid=dead_process()), part_of(tmp_path, pid=os.getpid())
    for path in (dead, alive):
        path.touch()
        os.utime(path, (0, 0))
    assert is_left_over(dead)
    assert not is_left_over(alive)
    clear_left_overs(tmp_path)
    assert names(tmp_path) == [alive.name]


def test_a_part_of_another_machine_is_given_a_day(tmp_path):
    part = part_of(tmp_path, pid=dead_process(), of="elsewhere-1")
    part.touch()
    assert not is_left_over(part)
    hours = time.time() - 25 * 3600
    os.utime(part, (hours, hours))
    assert is_left_over(part)


def test_a_process_number_beyond_all_numbers_is_no_process(tmp_path):
    part = part_of(tmp_path, pid=10**30)
    part.touch()
    assert is_left_over(part)


def test_links_and_folders_with_the_name_of_a_part_stay(tmp_path):
    pid = dead_process()
    target = tmp_path / "precious"
    target.touch()
    link, folder = part_of(tmp_path, pid=pid), part_of(tmp_path, pid=pid, name="fedcba9876543210")
    link.symlink_to(target)
    folder.mkdir()
    clear_left_overs(tmp_path)
    assert names(tmp_path) == sorted(["precious", link.name, folder.name])


def test_clearing_an_absent_folder_does_nothing(tmp_path):
    clear_left_overs(tmp_path / "absent")
    assert names(tmp_path) == []


def test_a_folder_appears_when_it_is_filled(tmp_path):
    path = tmp_path / "deep" / "run"
    with whole_folder(path) as part:
        (part / "config.json").touch()
        assert not path.exists()
        os.replace(part, path)
    assert names(tmp_path / "deep") == ["run"]
    assert names(path) == ["config.json"]


def test_a_folder_that_was_not_finished_is_gone(tmp_path):
    def fail() -> None:
        with whole_folder(tmp_path / "run") as part:
            (part / "config.json").touch()
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    assert names(tmp_path) == []


def test_a_folder_clears_those_of_its_own_killed_writers(tmp_path):
    path, other = tmp_path / "run", tmp_path / "other"
    pid = dead_process()
    mine = part_beside(path).with_name(f"{part_beside(path).name[:17]}-01234567@{machine()}@{pid}.part")
    theirs = part_beside(other).with_name(f"{part_beside(other).name[:17]}-01234567@{machine()}@{pid}.part")
    for folder in (mine, theirs):
        folder.mkdir()
    with whole_folder(path):
        assert not mine.exists()
        assert theirs.exists()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("../x", "%2E%2E%2Fx"),
        (".", "%2E"),
        ("a.b", "a.b"),
        ("ü", "%C3%BC"),
        ("a b", "a b"),
        ("100%", "100%25"),
        ("con:nul", "con%3Anul"),
    ],
)
def test_ids_become_names_that_every_disk_takes(text, name):
    assert file_name(text) == name


@pytest.mark.parametrize("text", ["x" * 201, "ü" * 34, "/" * 67])
def test_an_id_too_long_for_a_disk_is_refused_with_its_length(text):
    with pytest.raises(
        StoreError, match=r"too long for a file name \(20[0-9] > 200 bytes\). Rename the video"
    ):
        file_name(text)
    assert file_name(text[:-1] if text[0] == "x" else text[:33])


def test_a_locked_folder_is_refused_until_its_writer_ends(tmp_path):
    folder = tmp_path / "new" / "run"
    with sole_writer(folder):
        assert folder.is_dir()
        with (
            pytest.raises(RunError, match=r"another command is writing into .*run\. Wait until it ends"),
            sole_writer(folder),
        ):
            pass
        with sole_writer(tmp_path / "another"):
            pass
    with sole_writer(folder):
        pass
    assert names(folder) == [], "the lock leaves no file"


def test_a_lock_ends_with_a_writer_that_fails_or_is_killed(tmp_path):
    with pytest.raises(ValueError, match="stop"), sole_writer(tmp_path / "run"):
        raise ValueError("stop")
    code = (
        "import os, sys, time; from pathlib import Path\n"
        "from aqa_pipeline.disk.folder_lock import sole_writer\n"
        "with sole_writer(Path(sys.argv[1])):\n"
        "    print('locked', flush=True); sys.stdin.read()\n"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "run")]
    writer = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert writer.stdout.readline() == "locked\n"
    with pytest.raises(RunError, match="another command is writing"), sole_writer(tmp_path / "run"):
        pass
    writer.kill()
    writer.communicate()
    with sole_writer(tmp_path / "run"):
        pass


def test_a_file_in_the_place_of_the_folder_is_an_error_of_the_disk(tmp_path):
    (tmp_path / "run").touch()
    with pytest.raises(FileExistsError), sole_writer(tmp_path / "run"):
        pass
