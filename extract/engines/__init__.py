"""Where an extraction runs: on this machine, or on a Ray cluster. Both give the same records and report."""

from extract.engines.engine import Engine, Order
from extract.engines.local import local_engine
from extract.engines.on_ray import ray_engine

__all__ = ["Engine", "Order", "local_engine", "ray_engine"]
