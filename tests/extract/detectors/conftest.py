"""A home without weights for every test."""

import pytest


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AQA_HOME", str(tmp_path / "home"))
