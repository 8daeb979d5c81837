"""Opening a run's folder: config.json and environment.json are written, or compared with what is asked."""

import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from aqa_pipeline.disk.files import is_part
from aqa_pipeline.errors import AnotherRun, RunError
from aqa_pipeline.store import write_whole
from heads.runs.config import FILE, config_differences, read_config, write_config
from heads.runs.run_config import RunConfig


def open_run(out: Path, config: RunConfig) -> None:
    """Make the run directory, or complete one whose making was interrupted.

    Raises `AnotherRun` if the directory holds a run with another configuration, and `RunError` if it holds
    something else.
    """
    if (out / FILE).exists():
        differences = config_differences(read_config(out), config)
        if differences:
            shown = "\n".join(f"  {line}" for line in differences)
            raise AnotherRun(
                f"{out} holds a run with another configuration (there != asked for):\n{shown}\n"
                "Name another --out, or ask for the same again."
            )
    elif out.is_dir() and not all(is_part(path) for path in out.iterdir()):
        raise RunError(f"{out} is not empty and not a run directory: name a new folder with --out.")
    out.mkdir(parents=True, exist_ok=True)
    write_config(out, config)
    environment = json.dumps(_environment(), indent=2) + "\n"
    write_whole(out / "environment.json", environment.encode(), only_if_absent=True)


def _environment() -> dict[str, Any]:
    return {
        "python": sys.version,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "platform": platform.platform(),
        "cpu": _cpu_name(),
        "num_cpus": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def _cpu_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
