"""Stage 1: video -> features. Stage 2 reads the features from the store and imports nothing of stage 1."""

import sys

# OpenVINO forks a process that reports every start to its makers, unless this module is missing.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # as Python documents it
