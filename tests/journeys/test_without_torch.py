"""Where OpenVINO runs what was kept of every network, torch is not imported: that alone takes seconds."""

import subprocess
import sys

import pytest

from aqa_pipeline.store import Store
from campaigns.inputs.samples import differences, write_videos

# The command in a process of its own, and whether torch is there in the end.
RUN = """
import sys
import cli
try:
    cli.main(sys.argv[1:])
finally:
    print("torch" in sys.modules, file=sys.stderr)
"""
CROPS = (
    "--streams",
    "crops",
    "--backbone",
    "crops=resnet18",
    "--weights",
    "random:0",
    "--detector",
    "annotations",
)


def test_the_second_extraction_imports_no_torch_and_writes_the_same(tmp_path, monkeypatch):
    pytest.importorskip("openvino", reason="needs the extra `openvino`")
    monkeypatch.setenv("AQA_HOME", str(tmp_path / "home"))
    write_videos(tmp_path / "data", num_videos=1)
    imported = [torch_was_imported(tmp_path, store) for store in ("first", "second")]
    assert imported == [True, False]
    assert not differences(Store(tmp_path / "first"), Store(tmp_path / "second"))


def torch_was_imported(folder, store):
    """Whether it was, by an extraction into that store."""
    where = ("--dataset", "folder", "--root", folder / "data", "--store", folder / store)
    how = ("--runtime", "openvino", "--device", "cpu")
    command = [sys.executable, "-c", RUN, "extract", *map(str, (*where, *how, *CROPS))]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return {"True": True, "False": False}[run.stderr.split()[-1]]
