"""The `aqa extract` commands that make the missing features of a table in few passes over the videos."""

from collections.abc import Iterator
from dataclasses import dataclass

from heads.tables.planning.needs import FeatureNeed
from heads.tables.planning.plan import TablePlan
from heads.tables.settings import Settings


@dataclass(frozen=True)
class ExtractionCall:
    """Streams of one dataset that one pass over the videos can make.

    A stream of two backbones takes two passes, and so do streams with different options.
    """

    needs: tuple[FeatureNeed, ...]
    videos: tuple[str, ...]

    def arguments(self, settings: Settings) -> list[str]:
        """Return the arguments of `aqa`."""
        dataset = self.needs[0].dataset
        place = ["--dataset", dataset, "--root", str(settings.root(dataset)), "--store", str(settings.store)]
        words = ["extract", *place, "--streams", ",".join(need.stream for need in self.needs)]
        for need in self.needs:
            words += ["--backbone", f"{need.stream}={need.backbone}"]
        return [*words, *self.needs[0].extraction, "--videos", ",".join(self.videos)]

    def one_by_one(self) -> list["ExtractionCall"]:
        """Return one call per stream, so that missing weights of one stream do not stop the others."""
        return [ExtractionCall((need,), self.videos) for need in self.needs]


def extraction_calls(plan: TablePlan) -> Iterator[ExtractionCall]:
    """Yield the calls that extract missing features, for streams with at least one missing video on disk.

    A call names every video that lacks one of its streams; `aqa extract` skips what is stored.
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
        yield ExtractionCall(tuple(passed.values()), tuple(videos))
        left = [need for need in left if need not in alike]


def _same_stream(one: FeatureNeed, other: FeatureNeed) -> bool:
    kinds = [(need.dataset, need.stream, need.backbone, need.extraction) for need in (one, other)]
    return kinds[0] == kinds[1]
