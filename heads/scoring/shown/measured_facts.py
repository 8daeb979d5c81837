"""What a score page measures: left against right over the whole performance, from the poses of a run."""

from collections.abc import Mapping

from aqa_pipeline.measuring import fact_row, pose_series, symmetry
from aqa_pipeline.records import Record
from aqa_pipeline.video import Timeline

FactRow = tuple[str, ...]


def measured_rows(records: Mapping[str, Record], timeline: Timeline) -> list[FactRow]:
    """Return name, value, uncertainty, interval, unit and basis of each fact; nothing without poses."""
    for record in records.values():
        if {"joints", "frame_index"} <= set(record.extras) and len(record.features):
            facts = symmetry(pose_series(record, timeline), 0.0, timeline.duration_seconds)
            return [fact_row(fact) for fact in facts]
    return []
