"""Full disks and places that cannot be written: one line that names the place, no traceback, exit code 1."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli
from aqa_pipeline.commands.outputs import check_output
from aqa_pipeline.disk.error_text import explain_disk_error
from aqa_pipeline.disk.files import part_beside, whole_file, write_whole
from aqa_pipeline.errors import AqaError

pytestmark = pytest.mark.xdist_group("full-disk")  # one worker makes the runs for all of them

SMALL_NETWORK = ["--streams", "frames", "--backbone", "resnet18", "--weights", "random:0", "--device", "cpu"]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, striped_video: Callable[..., Path]) -> Path:
    """Own videos, their features, two runs and a simulated store."""
    home = tmp_path_factory.mktemp("own")
    (home / "videos").mkdir(parents=True)
    lines = ["video,score,split"]
    for number in range(6):
        striped_video(home / "videos" / f"v{number}.mp4", seed=number)
        lines.append(f"v{number}.mp4,{number}.5,{'test' if number % 3 == 2 else 'train'}")
    (home / "scores.csv").write_text("\n".join(lines) + "\n")
    assert run("extract", *data(home), *SMALL_NETWORK).exit_code == 0
    for name in ("run", "other"):
        result = run("fit", *data(home), *SMALL_HEAD, "--out", home / name)
        assert result.exit_code == 0, result.output
    video = home / "videos" / "v2.mp4"
    assert (
        run("score", video, "--run", home / "run").exit_code == 0
    )  # features are kept: later calls are quick
    labels = ["--root", home / "labels", "--draw-labels", "--store", home / "simulated", "--limit", 9]
    result = run("simulate", "--like", "fr-fs", *labels)
    assert result.exit_code == 0, result.output
    return home


SMALL_HEAD = ["--head", "wd", "--streams", "frames", "--epochs", 1, "--seeds", "0", "--device", "cpu"]


def data(home: Path) -> list[object]:
    return ["--dataset", "folder", "--root", home, "--store", home / "features"]


# Everything that writes where it is told: the command, and the place.
COMMANDS: dict[str, Callable[[Path, Path], list[object]]] = {
    "fit --out": lambda home, out: ["fit", *data(home), *SMALL_HEAD, "--out", out],
    "report --html": lambda home, out: ["report", home / "run", "--worst", 0, "--html", out],
    "compare --json": lambda home, out: ["compare", home / "run", home / "other", "--json", out],
    "score --json": lambda home, out: ["score", video_of(home), "--run", home / "run", "--json", out],
    "score --csv": lambda home, out: ["score", video_of(home), "--run", home / "run", "--csv", out],
    "score --html": lambda home, out: ["score", video_of(home), "--run", home / "run", "--html", out],
    "score --html, several": lambda home, out: [
        *("score", video_of(home), home / "videos" / "v5.mp4"),
        *("--run", home / "run", "--html", out),
    ],
    "extract --preview": lambda home, out: [
        *("extract", "--preview", video_of(home), "--streams", "frames", "--contact-sheet", out)
    ],
    "store pack": lambda home, out: [*("store", "pack", home / "features", "--out", out.with_suffix(".h5"))],
    "store export": lambda home, out: ["store", "export", home / "features", "--out", out],
    "simulate --store": lambda home, out: [
        *("simulate", "--like", "fr-fs", "--root", home / "labels", "--store", out, "--limit", 9)
    ],
    "reproduce --out": lambda home, out: [
        *("reproduce", "action-net-table1", "--no-extract", "--store", home / "features", "--out", out)
    ],
    "demo": lambda home, out: ["demo", "--num-videos", 9, "--out", out],
}


def video_of(home: Path) -> Path:
    return home / "videos" / "v2.mp4"


def is_one_line(result: Result) -> bool:
    """Whether the command ended by itself, with its reason in one line."""
    return isinstance(result.exception, SystemExit) and result.stderr.strip().split("\n")[-1].startswith(
        "Error: "
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_disk_is_one_line(home: Path, tmp_path: Path, monkeypatch, name: str) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.fsync", full)
    monkeypatch.setattr("os.replace", full)
    result = run(*COMMANDS[name](home, tmp_path / "new"))
    assert result.exit_code == 1, result.output
    assert is_one_line(result), (result.stderr, result.exception)
    assert "disk is full" in result.stderr or "No space left" in result.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_in_the_place_of_a_folder_is_told_before_the_work(
    home: Path, tmp_path: Path, monkeypatch, name: str
) -> None:
    (tmp_path / "file").write_text("mine")
    before = sorted(home.rglob("*"))
    for work in (
        "heads.training.fit.fit",
        "heads.scoring.run.score_video",
        "heads.evaluation.evaluate.evaluate",
        "extract.preview.frames.open_video",
    ):
        monkeypatch.setattr(work, lambda *_, **__: pytest.fail("the work was begun"))
    result = run(*COMMANDS[name](home, tmp_path / "file" / "new"))
    assert result.exit_code == 1, result.output
    assert (
        result.stderr
        == f"Error: cannot write {told(result)}: {tmp_path / 'file'} is not a folder. Choose another path.\n"
    )
    assert sorted(home.rglob("*")) == before
    assert (tmp_path / "file").read_text() == "mine"


def told(result: Result) -> str:
    """Return the place that the message names."""
    return result.stderr.removeprefix("Error: cannot write ").partition(": ")[0]


def test_weights_on_a_full_disk(tmp_path: Path, monkeypatch) -> None:
    def full(_: Path, copy: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(copy))

    monkeypatch.setenv("AQA_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("shutil.copyfile", full)
    (tmp_path / "mine.pth").write_bytes(b"weights")
    result = run("weights", "add", "resnet50-imagenet-v1", tmp_path / "mine.pth")
    assert result.exit_code == 1
    assert is_one_line(result)
    assert "the disk is full" in result.stderr
    assert [path for path in (tmp_path / "home").rglob("*") if path.is_file()] == []


def test_several_pages_want_a_folder(home: Path, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "pages").write_text("mine")
    monkeypatch.setattr("heads.scoring.run.score_video", lambda *_, **__: pytest.fail("a video was scored"))
    result = run(*COMMANDS["score --html, several"](home, tmp_path / "pages"))
    assert result.exit_code == 1
    pages = tmp_path / "pages"
    assert result.stderr == f"Error: {pages} is a file; expected a folder to write: choose another path.\n"


def test_a_missing_folder_is_made(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder" / "scores.json"
    result = run(*COMMANDS["score --json"](home, out))
    assert result.exit_code == 0, result.output
    assert out.is_file()


def test_a_contact_sheet_without_crops_is_refused_before_the_extraction(home: Path, tmp_path: Path) -> None:
    result = run(
        *("extract", "--dataset", "folder", "--root", home, "--store", tmp_path / "new", *SMALL_NETWORK),
        *("--contact-sheet", tmp_path / "sheets"),
    )
    assert result.exit_code == 2
    assert (
        "--contact-sheet shows the athlete: add `crops` or `poses` to --streams, which are frames."
        in result.stderr
    )
    assert not (tmp_path / "new").exists()


def test_a_device_is_no_file_to_replace() -> None:
    """Files are moved into place: as root that would put a file in the place of the device."""
    with pytest.raises(AqaError, match="/dev/null is a device or a pipe; expected a file to write"):
        check_output(Path("/dev/null"), folder=False)
    assert not Path("/dev/null").is_file()


def test_a_check_clears_what_killed_commands_left(tmp_path: Path) -> None:
    """Not what is being written now, nor what has another name."""
    mine = part_beside(tmp_path / "scores.json")
    dead = mine.with_name(mine.name.replace(f"@{os.getpid()}.part", f"@{2**22 + 1}.part"))
    other = tmp_path / ".other.part"
    for path in (mine, dead, other):
        path.write_text("half")
    check_output(tmp_path / "scores.json", folder=False)
    assert sorted(tmp_path.iterdir()) == sorted([mine, other])
    dead.write_text("half")
    check_output(tmp_path, folder=True)
    assert sorted(tmp_path.iterdir()) == sorted([mine, other])


def test_a_check_creates_nothing(tmp_path: Path) -> None:
    check_output(tmp_path / "new" / "folder", folder=True)
    check_output(tmp_path / "new.json", folder=False)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that refuses even root")
def test_a_folder_that_refuses_is_told_with_its_reason() -> None:
    with pytest.raises(AqaError, match=r"cannot write /proc/new\.json: /proc: "):
        check_output(Path("/proc/new.json"), folder=False)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk quota is used up"),
        (errno.EROFS, "the disk is read-only"),
        (errno.EACCES, "permission denied"),
        (errno.ENOTDIR, "this is a file, but a folder is needed"),
    ],
)
def test_refusals_in_words(number: int, words: str) -> None:
    assert explain_disk_error(OSError(number, os.strerror(number), "a/b.json")).startswith(
        f"a/b.json: {words}"
    )
    nameless = explain_disk_error(OSError(number, os.strerror(number)))
    assert nameless.startswith(words[0].upper() + words[1:])


def test_refusals_that_a_library_repeats() -> None:
    error = RuntimeError("Can't write data (errno = 28, error message = 'No space left on device')")
    assert explain_disk_error(error).startswith("The disk is full.")


def test_other_errors_keep_their_traceback() -> None:
    assert explain_disk_error(ValueError("no")) is None
    assert explain_disk_error(BrokenPipeError(errno.EPIPE, "Broken pipe")) is None


def test_a_refused_write_names_the_file_and_leaves_nothing(tmp_path: Path, monkeypatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left") as caught:
        write_whole(tmp_path / "scores.json", b"{}")
    assert caught.value.filename == str(tmp_path / "scores.json")
    with pytest.raises(FileNotFoundError) as caught, whole_file(tmp_path / "gone" / "x") as part:
        part.write_text("")
    assert caught.value.filename == str(tmp_path / "gone" / "x")
    assert not list(tmp_path.iterdir())


def test_a_full_terminal_is_one_line(home: Path) -> None:
    """Data goes to a device that is always full."""
    import subprocess
    import sys

    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", "import cli; cli.main()", "store", "ls", str(home / "features")],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert "Traceback" not in done.stderr
    assert "The disk is full." in done.stderr
