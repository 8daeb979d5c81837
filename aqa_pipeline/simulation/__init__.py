"""Simulate features for real labels, to test the software without videos. They say nothing about a paper."""

from aqa_pipeline.simulation.choices import SIGNALS, Signal, Simulation
from aqa_pipeline.simulation.labels import LABELS, draw_labels
from aqa_pipeline.simulation.quality import quality_of_videos
from aqa_pipeline.simulation.shares import thinned
from aqa_pipeline.simulation.stream import Drawn, SimulatedStream, directions
from aqa_pipeline.simulation.streams import STREAMS, find_stream, name_of_stream, usual_streams
from aqa_pipeline.simulation.writing import Simulated, simulate

__all__ = [
    "LABELS",
    "SIGNALS",
    "STREAMS",
    "Drawn",
    "Signal",
    "Simulated",
    "SimulatedStream",
    "Simulation",
    "directions",
    "draw_labels",
    "find_stream",
    "name_of_stream",
    "quality_of_videos",
    "simulate",
    "thinned",
    "usual_streams",
]
