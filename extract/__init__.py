"""Stage 1: video -> features. Meets stage 2 only in the store."""

import sys

# OpenVINO reports every start to its makers, from a process that it forks, unless this part of it is missing.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # as Python documents it
