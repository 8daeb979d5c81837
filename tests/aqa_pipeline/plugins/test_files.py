"""Plug-ins that are files: run when they are named, gone with the command, and named where they fail."""

import hashlib
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from aqa_pipeline.datasets import DATASETS
from aqa_pipeline.errors import PluginError, UnknownName
from aqa_pipeline.plugins import files_plugged_in, plugged_in, read_plugin

CLUB = """
from aqa_pipeline.datasets import DatasetAdapter
CLUB = DatasetAdapter("club", "ours", lambda root: None, "here", "club/")
"""


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_a_file_is_looked_up_while_the_block_lasts(tmp_path: Path) -> None:
    modules = set(sys.modules)
    with plugged_in([read_plugin(written(tmp_path / "club.py", CLUB))]):
        assert DATASETS.find("club").title == "ours"
        assert list(DATASETS)[-1] == "club"
        assert asdict(DATASETS.origin("club")) == {
            "name": "club.py",
            "identity": f"sha256:{hashlib.sha256(CLUB.encode()).hexdigest()}",
        }
        assert [file.path.name for file in files_plugged_in()] == ["club.py"]
    assert "club" not in DATASETS
    assert set(sys.modules) == modules
    with pytest.raises(UnknownName, match=r"unknown dataset 'club'.*--plugin"):
        DATASETS.find("club")


def test_the_bytes_that_were_read_are_run_even_if_the_file_changes(tmp_path: Path) -> None:
    file = read_plugin(written(tmp_path / "club.py", CLUB))
    file.path.write_text("raise SystemExit")
    with plugged_in([file, file]):
        assert "club" in DATASETS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n", r"plug.py defines no entry: expected a HeadKind, a Backbone or a DatasetAdapter"),
        ("\n\ndef f(:\n", r"plug.py fails in line 3: SyntaxError"),
        ("import sys\n\nsys.exit(1)\n", r"plug.py fails in line 3: SystemExit: 1"),
        ("def f():\n    raise ValueError('hm')\nf()\n", r"plug.py fails in line 2: ValueError: hm\.$"),
        ("import no_such_library\n", r"plug.py fails in line 1: ModuleNotFoundError"),
    ],
)
def test_a_file_that_fails_is_reported_with_its_line_and_leaves_nothing(
    tmp_path: Path, text, message
) -> None:
    modules = set(sys.modules)
    files = [
        read_plugin(written(tmp_path / "club.py", CLUB)),
        read_plugin(written(tmp_path / "plug.py", text)),
    ]
    with pytest.raises(PluginError, match=message), plugged_in(files):
        pass
    assert not files_plugged_in()
    assert set(sys.modules) == modules


def test_what_is_no_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="cannot be read"):
        read_plugin(tmp_path)


def test_a_name_of_ours_cannot_be_taken_but_ours_can_be_imported(tmp_path: Path) -> None:
    text = "from aqa_pipeline.datasets import DATASETS\nfrom dataclasses import replace\n"
    imports = text + 'FOLDER = DATASETS["folder"]\nMINE = replace(FOLDER, name="mine")\n'
    with plugged_in([read_plugin(written(tmp_path / "mine.py", imports))]):
        assert DATASETS.find("folder").name == "folder"
        assert DATASETS.find("mine").layout == DATASETS.find("folder").layout
    takes = text + 'MINE = replace(DATASETS["folder"], title="mine")\n'
    with plugged_in([read_plugin(written(tmp_path / "takes.py", takes))]):
        with pytest.raises(PluginError, match=r"takes.py \(sha256:.*'folder', but this name is built in"):
            DATASETS.find("folder")
        assert DATASETS.find("synthetic").name == "synthetic"


def test_two_files_of_one_name_are_reported(tmp_path: Path) -> None:
    files = [
        read_plugin(written(tmp_path / f"{title}.py", CLUB.replace("ours", title))) for title in ("a", "b")
    ]
    with plugged_in(files), pytest.raises(PluginError, match=r"a.py .* and b.py .* define a dataset 'club'"):
        DATASETS.find("club")
