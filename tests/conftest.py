"""Fixtures for all rooms."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import extract  # noqa: F401  # before a test imports OpenVINO, whose telemetry this switches off

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real clips, label files, weights and golden outputs (environment: AQA_TEST_DATA)."""
    folder = Path(os.environ.get("AQA_TEST_DATA", REPOSITORY.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no test data at {folder}: set AQA_TEST_DATA")
    return folder


@pytest.fixture(scope="session")
def bf16() -> None:
    """Skips where this CPU does not compute in bfloat16."""
    from aqa_pipeline.precision import cpu_has_bf16

    if not cpu_has_bf16():
        pytest.skip("this CPU cannot compute in bf16")


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[str]:
    """The address of a Ray cluster of two nodes with two CPUs each, all on this machine."""
    from aqa_pipeline.cluster.connection import OBJECT_STORE_BYTES, import_ray

    pytest.importorskip("ray", reason="ray is not installed (pip install '.[ray]')")
    import_ray()
    from ray.cluster_utils import Cluster

    cluster = Cluster()
    for _ in range(2):
        cluster.add_node(num_cpus=2, object_store_memory=OBJECT_STORE_BYTES, include_dashboard=False)
    yield cluster.address
    cluster.shutdown()
