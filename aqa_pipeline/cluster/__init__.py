"""Run work on a Ray cluster: connect, decide the number of workers, and give them work.

Both stages use this package. `ray` is an optional extra and is imported only inside functions.
"""

from aqa_pipeline.cluster.connection import Cluster, connect
from aqa_pipeline.cluster.placement import Placement, pick_cluster_device, place
from aqa_pipeline.cluster.pool import Done, Event, Gone, Lost, Note, WorkerPool
from aqa_pipeline.cluster.shared_files import Shared, sharing
from aqa_pipeline.cluster.versions import Versions

__all__ = [
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
    "connect",
    "pick_cluster_device",
    "place",
    "sharing",
]
