"""The passes over videos that extract the missing features of a table."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from heads.tables.planning.needs import FeatureNeed
from heads.tables.planning.plan import TablePlan
from heads.tables.settings import Settings
from heads.tables.table import ExtractionChoice

LONGEST_WORD_SHOWN = 200  # characters: a list of hundreds of videos is cut


@dataclass(frozen=True)
class ExtractionPass:
    """Streams of one dataset that one pass over its videos can make.

    A stream of two backbones takes two passes, and so do streams with different options.
    """

    needs: tuple[FeatureNeed, ...]
    videos: tuple[str, ...]

    @property
    def dataset(self) -> str:
        """The name of the dataset, one of `aqa datasets list`."""
        return self.needs[0].dataset

    @property
    def backbones(self) -> dict[str, str]:
        """The backbones of the streams; pixels have none."""
        return {need.stream: need.backbone for need in self.needs if need.backbone}

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams to extract."""
        return tuple(need.stream for need in self.needs)

    @property
    def extraction(self) -> ExtractionChoice:
        """What the table chooses about the extraction of these streams."""
        return self.needs[0].extraction

    def words(self, settings: Settings) -> list[str]:
        """Return the words after `aqa` of the command that makes the same features."""
        place = ["--dataset", self.dataset, "--root", str(settings.root(self.dataset))]
        words = ["extract", *place, "--store", str(settings.store), "--streams", ",".join(self.streams)]
        for stream, backbone in self.backbones.items():
            words += ["--backbone", f"{stream}={backbone}"]
        return [*words, *self.extraction.words, "--videos", ",".join(self.videos)]

    def text(self, settings: Settings) -> str:
        """Return the command that makes the same features, its list of videos cut if it is long."""
        words = [
            word if len(word) < LONGEST_WORD_SHOWN else f"{word[:60]}..." for word in self.words(settings)
        ]
        return f"aqa {shlex.join(words)}"

    def one_by_one(self) -> list["ExtractionPass"]:
        """Return one pass per stream, so that missing weights of one stream do not stop the others."""
        return [ExtractionPass((need,), self.videos) for need in self.needs]


def extraction_passes(plan: TablePlan) -> Iterator[ExtractionPass]:
    """Yield the passes that extract missing features, for streams with at least one missing video on disk.

    A pass names every video that lacks one of its streams; records that are stored already stay.
    """
    left = [need for need in plan.needs if need.num_present]
    while left:
        passed: dict[str, FeatureNeed] = {}
        for need in left:
            if (need.dataset, need.extraction) == (left[0].dataset, left[0].extraction):
                passed.setdefault(need.stream, need)
        # Columns of one dataset need the same streams of other videos.
        alike = [need for need in left if any(_same_stream(need, one) for one in passed.values())]
        videos = dict.fromkeys(video for need in alike for video in need.lacking)
        yield ExtractionPass(tuple(passed.values()), tuple(videos))
        left = [need for need in left if need not in alike]


def _same_stream(one: FeatureNeed, other: FeatureNeed) -> bool:
    kinds = [(need.dataset, need.stream, need.backbone, need.extraction) for need in (one, other)]
    return kinds[0] == kinds[1]
