"""Decide how many workers run on a cluster, and the CPUs and GPUs of each."""

from dataclasses import dataclass

from aqa_pipeline.cluster.connection import Cluster
from aqa_pipeline.errors import ClusterError
from aqa_pipeline.plurals import counted


@dataclass(frozen=True)
class Placement:
    """The number of workers, and the resources that Ray reserves for each.

    A worker with a GPU sees only that GPU, as `cuda`.
    """

    num_workers: int
    num_cpus: int
    num_gpus: float = 0.0

    def __str__(self) -> str:
        gpus = f" and {self.num_gpus:g} GPU" if self.num_gpus else ""
        return f"{counted(self.num_workers, 'worker')} with {counted(self.num_cpus, 'CPU')}{gpus} each"


def pick_cluster_device(device: str, cluster: Cluster) -> str:
    """Return the device; for `auto`, `cuda` if the cluster has a GPU, else `cpu`.

    Raises `ClusterError` for a numbered GPU, because Ray assigns the GPUs.
    """
    if device == "auto":
        return "cuda" if cluster.num_gpus else "cpu"
    if device.startswith("cuda:"):
        raise ClusterError(f"device {device!r}: Ray gives each worker a GPU of its own; use --device cuda.")
    return device


def place(
    cluster: Cluster, *, device: str, cpus: int, gpus: float = 1.0, actors: int | None = None
) -> Placement:
    """Return the placement: by default as many workers as the cluster has room for, at least one.

    Each worker takes `cpus` CPUs, and on `cuda` the share `gpus` of one GPU. On nodes with many GPUs and few
    CPUs, a worker gets fewer CPUs, so that no GPU is idle. `actors` sets the number of workers; those without
    room wait for an autoscaler, or do not start. Raises `ClusterError` if `cuda` is asked for without a GPU.
    """
    if device == "cpu":
        return Placement(actors or max(1, cluster.num_cpus // cpus), cpus)
    if not cluster.num_gpus and actors is None:
        raise ClusterError(
            f"{cluster} has no GPU: use --device cpu, or give --actors to wait for workers with a GPU."
        )
    num_workers = actors or int(cluster.num_gpus / gpus)
    if actors is None:
        cpus = max(1, min(cpus, cluster.num_cpus // num_workers))
    return Placement(num_workers, cpus, gpus)


def check_room(placement: Placement, cluster: Cluster) -> None:
    """Raise `ClusterError` if all workers must run at once, and the cluster cannot grow to hold them."""
    num_cpus = placement.num_workers * placement.num_cpus
    num_gpus = placement.num_workers * placement.num_gpus
    if not cluster.can_grow and (num_cpus > cluster.num_cpus or num_gpus > cluster.num_gpus):
        raise ClusterError(f"{cluster}; no room for {placement}: use fewer --actors, or fewer --threads.")
