"""Nothing that extraction loads reports to its makers."""

import subprocess
import sys

import pytest

SCRIPT = """
import extract
import openvino.tools.ovc.telemetry_utils as used
print(used.tm.__name__)
"""


def test_openvino_runs_without_its_telemetry() -> None:
    pytest.importorskip("openvino", reason="needs the extra `openvino`")
    said = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "openvino.tools.ovc.telemetry_stub"
