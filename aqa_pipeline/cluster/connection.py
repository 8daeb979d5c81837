"""Connecting to a Ray cluster, or starting one on this machine; the terminal stays clean."""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType

from aqa_pipeline.errors import ClusterError
from aqa_pipeline.installation import install_command
from aqa_pipeline.interrupts import interrupts_wait

OBJECT_STORE_BYTES = 80_000_000  # near Ray's minimum: paths and reports travel, frames and features never do
KNOCK_SECONDS = 10.0

# Set before Ray is imported, unless the user has: nothing is sent home, worker deaths are told by our own
# report rather than by Ray's, whose messages this pattern drops, and workers on a cluster of our own have the
# priority of any process.
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".*",
    "RAY_worker_niceness": "0",
}


@dataclass(frozen=True)
class Cluster:
    """What a cluster has; `place` says where it is, for people."""

    place: str
    num_nodes: int
    num_cpus: int
    num_gpus: int

    def __str__(self) -> str:
        counts = (
            _count(self.num_nodes, "node"),
            _count(self.num_cpus, "CPU"),
            _count(self.num_gpus, "GPU"),
        )
        return f"{self.place}: {', '.join(counts)}"


@contextmanager
def connect(address: str | None = None) -> Iterator[Cluster]:
    """A connection to the cluster at `address`, else at RAY_ADDRESS, else to one started on this machine.

    `auto` is the cluster that runs on this machine. One that was started here ends with the block; another
    goes on, without what was started in it. Raises `ClusterError` if Ray or the cluster is not there.
    """
    ray = import_ray()
    wanted = address or os.environ.get("RAY_ADDRESS") or "local"
    if "://" in wanted:
        raise ClusterError(
            f"cannot use {wanted}: the command must run on a node of the cluster, where it sees the store. "
            "Log in to the head node and use --ray-address auto."
        )
    try:
        with interrupts_wait():
            _init(ray, wanted)
        yield _describe(ray, "Ray on this machine" if wanted == "local" else f"Ray at {wanted}")
    finally:
        with interrupts_wait():
            ray.shutdown()


def import_ray() -> ModuleType:
    """The module `ray`; raises `ClusterError` with the command that installs it."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError as error:
        raise ClusterError(
            f"Ray cannot be imported ({error}). To install it: {install_command('ray')}"
        ) from error
    return ray


def _init(ray: ModuleType, address: str) -> None:
    own = (
        {"object_store_memory": OBJECT_STORE_BYTES, "include_dashboard": False} if address == "local" else {}
    )
    try:
        _knock(address)
        ray.init(address, log_to_driver=False, logging_level=logging.CRITICAL, **own)
    except Exception as error:  # Ray raises the bare class where a node does not start in time
        raise ClusterError(_why_not(address, str(error).splitlines()[0])) from error


def _why_not(address: str, reason: str) -> str:
    if address == "local":
        return (
            f"Ray could not start on this machine ({reason}). Is it overloaded, or its disk full? Try again, "
            "or leave --engine out."
        )
    return (
        f"no Ray cluster at {address} ({reason}). Start one with `ray start --head`, or leave --ray-address "
        "out, and RAY_ADDRESS unset, to start one on this machine alone. A cluster with token authentication "
        "wants RAY_AUTH_MODE=token here too, if its address is given."
    )


def _knock(address: str) -> None:
    """Ray itself would try for minutes where nobody listens."""
    host, colon, port = address.rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=KNOCK_SECONDS).close()


def _describe(ray: ModuleType, place: str) -> Cluster:
    resources = ray.cluster_resources()
    num_nodes = sum(1 for node in ray.nodes() if node["Alive"])
    return Cluster(place, num_nodes, int(resources.get("CPU", 0)), int(resources.get("GPU", 0)))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
