"""Quantities that are read off frames and stored poses, each with its uncertainty."""

from aqa_pipeline.measuring.angles import angles_at
from aqa_pipeline.measuring.fact import MeasuredFact
from aqa_pipeline.measuring.flight import time_in_the_air
from aqa_pipeline.measuring.output import fact_row, format_facts, write_facts_csv
from aqa_pipeline.measuring.pose_series import PoseSeries
from aqa_pipeline.measuring.stored_poses import pose_series, poses_of_file, stored_poses
from aqa_pipeline.measuring.symmetry import symmetry

__all__ = [
    "MeasuredFact",
    "PoseSeries",
    "angles_at",
    "fact_row",
    "format_facts",
    "pose_series",
    "poses_of_file",
    "stored_poses",
    "symmetry",
    "time_in_the_air",
    "write_facts_csv",
]
