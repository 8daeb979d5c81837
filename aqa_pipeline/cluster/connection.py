"""Connect to a Ray cluster, or start one on this machine, without messages of Ray on the terminal."""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

from aqa_pipeline.errors import ClusterError
from aqa_pipeline.installation import install_command
from aqa_pipeline.interrupts import interrupts_wait
from aqa_pipeline.plurals import counted

OBJECT_STORE_BYTES = 80_000_000  # near Ray's minimum: only paths and reports are sent, no frames or features
CONNECT_SECONDS = 10.0

# Set before Ray is imported, unless the user has set them. Ray sends no usage statistics. The pattern drops
# Ray's messages on dead workers, because `WorkerPool` reports these. Workers of a local cluster have the
# usual priority of a process.
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".*",
    "RAY_worker_niceness": "0",
}


@dataclass(frozen=True)
class Cluster:
    """The resources of a cluster. `place` describes the cluster in messages.

    A cluster `can_grow` unless it was started here: an autoscaler may add nodes.
    """

    place: str
    num_nodes: int
    num_cpus: int
    num_gpus: int
    can_grow: bool = True

    def __str__(self) -> str:
        counts = (
            counted(self.num_nodes, "node"),
            counted(self.num_cpus, "CPU"),
            counted(self.num_gpus, "GPU"),
        )
        return f"{self.place}: {', '.join(counts)}"


@contextmanager
def connect(address: str | None = None) -> Iterator[Cluster]:
    """Connect to the cluster at `address`, else at RAY_ADDRESS, else to one started on this machine.

    `auto` is the cluster that already runs on this machine. After the block, a cluster that was started here
    ends; another cluster keeps running without the workers of the block. Raises `ClusterError` if Ray is not
    installed or the cluster cannot be reached.
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
        yield _describe(ray, wanted)
    finally:
        with interrupts_wait():
            ray.shutdown()


def import_ray() -> ModuleType:
    """Return the module `ray`; raise `ClusterError` with the command that installs it."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError as error:
        raise ClusterError(
            f"Ray cannot be imported ({error}). To install it: {install_command('ray')}"
        ) from error
    return ray


def import_ray_train() -> None:
    """Import Ray Train; raise `ClusterError` with the command that installs it."""
    import_ray()
    try:
        import_module("ray.train.torch")
    except ImportError as error:
        raise ClusterError(
            f"Ray Train cannot be imported ({error}). To install it: {install_command('ray-train')}"
        ) from error


def _init(ray: ModuleType, address: str) -> None:
    own = (
        {"object_store_memory": OBJECT_STORE_BYTES, "include_dashboard": False} if address == "local" else {}
    )
    try:
        _check_port(address)
        ray.init(address, log_to_driver=False, logging_level=logging.CRITICAL, **own)
    except Exception as error:  # Ray raises `Exception` itself if a node does not start in time
        raise ClusterError(_why_not(address, str(error).splitlines()[0])) from error


def _why_not(address: str, reason: str) -> str:
    if address == "local":
        return (
            f"Ray could not start on this machine ({reason}). Is the machine overloaded, or its disk full? "
            "Try again, or leave out --engine."
        )
    return (
        f"no Ray cluster at {address} ({reason}). Start one with `ray start --head`. To start one on this "
        "machine only, leave out --ray-address and unset RAY_ADDRESS. For a cluster with token "
        "authentication, set RAY_AUTH_MODE=token on this machine too."
    )


def _check_port(address: str) -> None:
    """Raise `OSError` if no program listens at the address; Ray itself would retry for minutes."""
    host, colon, port = address.rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()


def _describe(ray: ModuleType, address: str) -> Cluster:
    is_local = address == "local"
    place = "Ray on this machine" if is_local else f"Ray at {address}"
    resources = ray.cluster_resources()
    num_nodes = sum(1 for node in ray.nodes() if node["Alive"])
    num_cpus, num_gpus = (int(resources.get(kind, 0)) for kind in ("CPU", "GPU"))
    return Cluster(place, num_nodes, num_cpus, num_gpus, can_grow=not is_local)
