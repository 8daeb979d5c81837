"""Runtimes for networks: eager torch, torch's compiler, and OpenVINO. Importing this imports no torch."""

from extract.runtimes.program import RUNTIMES, Precision, Program, Runtime
from extract.runtimes.runner import Runner

__all__ = ["RUNTIMES", "Precision", "Program", "Runner", "Runtime"]
