"""How many workers a cluster holds, and what each of them asks for."""

from dataclasses import dataclass

from aqa_pipeline.cluster.connection import Cluster
from aqa_pipeline.errors import ClusterError


@dataclass(frozen=True)
class Placement:
    """Workers and what Ray keeps free for each; a worker with a GPU sees that one alone, as `cuda`."""

    num_workers: int
    num_cpus: int
    num_gpus: float = 0.0

    def __str__(self) -> str:
        gpus = f" and {self.num_gpus:g} GPU" if self.num_gpus else ""
        workers = "1 worker" if self.num_workers == 1 else f"{self.num_workers} workers"
        return f"{workers} with {self.num_cpus} CPU{'' if self.num_cpus == 1 else 's'}{gpus} each"


def pick_cluster_device(device: str, cluster: Cluster) -> str:
    """`auto` resolved to `cuda` where the cluster has a GPU; raises `ClusterError` for a numbered one."""
    if device == "auto":
        return "cuda" if cluster.num_gpus else "cpu"
    if device.startswith("cuda:"):
        raise ClusterError(f"device {device!r}: Ray gives each worker a GPU of its own; use --device cuda.")
    return device


def place(
    cluster: Cluster, *, device: str, cpus: int, gpus: float = 1.0, actors: int | None = None
) -> Placement:
    """By default as many workers as there is room for, at least one.

    Each takes `cpus` CPUs, and on `cuda` the share `gpus` of one GPU; nodes with many GPUs and few CPUs get
    fewer CPUs a worker rather than leave GPUs idle. `actors` is taken as said: what has no room yet waits
    for an autoscaler, or does not start. Raises `ClusterError` where there is no GPU to share.
    """
    if device == "cpu":
        return Placement(actors or max(1, cluster.num_cpus // cpus), cpus)
    if not cluster.num_gpus and actors is None:
        raise ClusterError(
            f"{cluster} has no GPU to run on: use --device cpu, or say how many --actors to wait for."
        )
    num_workers = actors or int(cluster.num_gpus / gpus)
    if actors is None:
        cpus = max(1, min(cpus, cluster.num_cpus // num_workers))
    return Placement(num_workers, cpus, gpus)
