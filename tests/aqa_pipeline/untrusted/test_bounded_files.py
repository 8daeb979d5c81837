"""What is no regular file of a sane size is refused at once, wherever a file comes from outside."""

import contextlib
import json
import os
import socket
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aqa_pipeline.athlete.boxes import read_boxes
from aqa_pipeline.athlete.quads import read_quad_csv, read_quads
from aqa_pipeline.datasets.reading.disk import read_label_text
from aqa_pipeline.datasets.reading.matlab import read_table
from aqa_pipeline.datasets.reading.spreadsheets import read_sheet
from aqa_pipeline.errors import AqaError, DatasetError, VideoError
from aqa_pipeline.records import Video
from aqa_pipeline.untrusted.bounded_files import (
    open_bounded,
    read_bounded_bytes,
    read_bounded_json,
    read_bounded_text,
)
from aqa_pipeline.untrusted.npy import read_npy
from aqa_pipeline.untrusted.pickles import read_pickle
from aqa_pipeline.video import open_video
from aqa_pipeline.video.readers.frame_folder import read_picture
from aqa_pipeline.video.sources import source_digest
from aqa_pipeline.weights import load_state_dict

READERS: dict[str, Callable[[Path], object]] = {
    "boxes": read_boxes,
    "quads": read_quads,
    "quad_csv": read_quad_csv,
    "labels": read_label_text,
    "pickle": read_pickle,
    "npy": read_npy,
    "checkpoint": load_state_dict,
    "picture": read_picture,
    "digest": source_digest,
    "video": lambda path: open_video(Video("a", path)),
    "xls": lambda path: read_sheet(path.rename(path.with_suffix(".xls")), sheet="a"),
    "mat": lambda path: read_table(path, variable="a", num_columns=2),
}


@contextlib.contextmanager
def ended_by_somebody(pipe: Path):
    """Open the pipe for writing if a reader waits, so that a test that would wait fails instead."""
    import threading

    give_up = threading.Event()

    def watch() -> None:
        while not give_up.wait(60):
            with contextlib.suppress(OSError):  # nobody waits
                os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    yield
    give_up.set()
    thread.join()


@pytest.mark.parametrize("reader", READERS)
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path, reader: str) -> None:
    pipe = tmp_path / "a.png"
    os.mkfifo(pipe)
    with (
        ended_by_somebody(pipe),
        pytest.raises(AqaError, match="it is a pipe, expected a regular file") as error,
    ):
        READERS[reader](pipe)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("reader", READERS)
def test_a_device_is_refused_and_not_read(tmp_path: Path, reader: str) -> None:
    link = tmp_path / "a.png"
    link.symlink_to("/dev/zero")
    with pytest.raises(AqaError, match="it is a device, expected a regular file"):
        READERS[reader](link)


def test_so_is_a_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    with socket.socket(socket.AF_UNIX) as there:
        there.bind("s")
        with pytest.raises(OSError, match="it is a socket"):
            open_bounded(Path("s"))


@pytest.mark.parametrize("reader", ["labels", "quads", "quad_csv", "boxes", "picture", "mat", "xls"])
def test_a_file_larger_than_any_of_its_kind_is_not_read(tmp_path: Path, reader: str) -> None:
    path = tmp_path / "a.png"
    with path.open("wb") as file:
        file.truncate(10**11)
    with pytest.raises(AqaError, match="it has 100,000,000,000 bytes, expected at most"):
        READERS[reader](path)


def test_a_file_that_became_a_pipe_meanwhile_is_not_waited_for(tmp_path: Path, monkeypatch) -> None:
    pipe = tmp_path / "a"
    os.mkfifo(pipe)
    monkeypatch.setattr(
        "aqa_pipeline.untrusted.bounded_files.check_bounded", lambda path, most_bytes=None: None
    )
    with ended_by_somebody(pipe), pytest.raises(OSError, match="it is a pipe"):
        open_bounded(pipe)


def test_a_file_that_grows_or_lies_about_its_size_is_bounded(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="expected at most 10"):
        read_bounded_bytes(Path("/proc/self/status"), most_bytes=10)


def test_text_is_read_as_path_reads_it(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes("\ufeffä\r\nb\rc\n".encode())
    assert read_bounded_text(tmp_path / "a", most_bytes=100) == "ä\nb\nc\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("NaN", "NaN is not a number"),
        ("[-Infinity]", "-Infinity is not a number"),
        ("1e999", "the number 1e999 is too large"),
        ("9223372036854775808", "is too large"),
        ("1" * 4000, "is too large"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
    ],
)
def test_json_that_python_takes_and_nobody_means_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "a").write_text(text)
    with pytest.raises(ValueError, match=reason):
        read_bounded_json(tmp_path / "a", most_bytes=10**6)


def test_json_is_read_as_json_reads_it(tmp_path: Path) -> None:
    content = {"a": [1, -2.5, 2**63 - 1, -(2**63) + 1, None, True, "ä"], "b": {}}
    (tmp_path / "a").write_text(json.dumps(content))
    assert read_bounded_json(tmp_path / "a", most_bytes=1000) == content


def test_a_line_of_boxes_that_never_ends_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("frame_index,x1,y1,x2,y2\n0," + "1" * 100_000)
    with pytest.raises(DatasetError, match="have a line of 10,000 characters or more"):
        read_boxes(tmp_path / "a.csv")


@pytest.mark.parametrize("form", ["EPS", "GIF", "TIFF", "BMP"])
def test_a_picture_is_what_its_name_may_be(tmp_path: Path, form: str) -> None:
    """Pillow hands PostScript to Ghostscript, a program of its own, whatever the file is called."""
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "a", form)
    with pytest.raises(VideoError, match="this picture cannot be read"):
        read_picture((tmp_path / "a").rename(tmp_path / "1.png"))


def test_a_picture_of_another_ending_is_still_read(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8, 3), 7, np.uint8)).save(tmp_path / "1.jpg", "PNG")
    assert read_picture(tmp_path / "1.jpg").mean() == 7


def test_a_small_mat_file_that_unpacks_to_gigabytes_is_refused(tmp_path: Path) -> None:
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(2**20)) for _ in range(200)) + packer.flush()
    header = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"
    (tmp_path / "a.mat").write_bytes(header + struct.pack("<II", 15, len(packed)) + packed)
    assert (tmp_path / "a.mat").stat().st_size < 300_000
    with pytest.raises(DatasetError, match="unpacks to more than 67,108,864 bytes"):
        read_table(tmp_path / "a.mat", variable="a", num_columns=2)
