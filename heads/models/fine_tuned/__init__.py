"""Backbone and head as one network, trained together."""

from heads.models.fine_tuned.batchnorm import set_batchnorm
from heads.models.fine_tuned.build import build_fine_tuned
from heads.models.fine_tuned.network import FineTuned

__all__ = ["FineTuned", "build_fine_tuned", "set_batchnorm"]
