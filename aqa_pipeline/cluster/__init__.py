"""Run work on a Ray cluster: connect, decide the number of workers, and give them work.

Both stages use this package. `ray` is an optional extra and is imported only inside functions.
"""

from aqa_pipeline.cluster.connection import Cluster, connect, import_ray_train
from aqa_pipeline.cluster.placement import Placement, check_room, pick_cluster_device, place
from aqa_pipeline.cluster.pool import PATIENCE_SECONDS, Done, Event, Gone, Lost, Note, WorkerPool, reason_of
from aqa_pipeline.cluster.shared_files import Shared, sharing
from aqa_pipeline.cluster.versions import Versions

__all__ = [
    "PATIENCE_SECONDS",
    "Cluster",
    "Done",
    "Event",
    "Gone",
    "Lost",
    "Note",
    "Placement",
    "Shared",
    "Versions",
    "WorkerPool",
    "check_room",
    "connect",
    "import_ray_train",
    "pick_cluster_device",
    "place",
    "reason_of",
    "sharing",
]
