"""Work on a Ray cluster: connecting to one, how many workers it holds, and handing work to them.

What is general to both stages stands here; `ray` is an optional extra and imported inside functions only.
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
