"""Fixtures for all rooms."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real clips, label files, weights and golden outputs (environment: AQA_TEST_DATA)."""
    folder = Path(os.environ.get("AQA_TEST_DATA", REPOSITORY.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no test data at {folder}: set AQA_TEST_DATA")
    return folder
