"""What an engine is asked for, and what it can do."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from aqa_pipeline.records import StreamSpec, Video
from extract.choices.streams import Choices, build_streams
from extract.run.extraction import Extraction
from extract.run.stage import ExtractReport, Progress


@dataclass(frozen=True)
class Order:
    """An extraction before its networks are loaded, as it travels to the machines that will load them.

    `root` is the dataset's folder; the `extraction` has no streams yet.
    """

    stream_names: Sequence[str]
    choices: Choices
    extraction: Extraction
    root: Path

    def build(self) -> Extraction:
        """Return the extraction with its streams, networks loaded."""
        return replace(self.extraction, streams=build_streams(self.stream_names, self.choices))


class Engine(Protocol):
    """Extracts videos; `specs` say what is made of each."""

    @property
    def specs(self) -> Sequence[StreamSpec]:
        """Return the specs of the streams that are extracted."""
        ...

    def extract(self, videos: Sequence[Video], *, progress: Progress) -> ExtractReport:
        """As `extract.run.stage.extract`."""
        ...
