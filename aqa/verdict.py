"""The verdict of `aqa learn` on a project's run, in sentences."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from aqa.opening import load_dataset
from aqa_pipeline.plurals import counted

if TYPE_CHECKING:
    from aqa_pipeline.project.find import Project


def verdict_lines(project: "Project") -> Iterator[str]:
    """Yield three lines: the errors, the conclusion, and which videos were tested.

    Raises `RunError` if the project has no run with a finished trained cell.
    """
    from heads.evaluation.evaluate import evaluate

    dataset = load_dataset("folder", project.root, called=project.name)
    evaluation = evaluate(project.run)
    if evaluation.verdict is None:
        yield "No verdict: the run has no baselines to compare with."
    else:
        yield from evaluation.verdict.sentences
    tested = counted(evaluation.overall.num_videos, "different video")
    has_groups = any(video.group for video in dataset.videos)
    yield f"{tested} tested, {_apart(evaluation.flags, has_groups=has_groups)}."


def _apart(flags: Sequence[str], *, has_groups: bool) -> str:
    """Return whether the videos of an athlete were kept on one side of each split."""
    if not has_groups:
        return "no groups: name the athletes in the column `athlete`, so that each is kept apart"
    return "GROUPS OVERLAP: no fair test" if "GROUPS OVERLAP" in flags else "groups kept apart"
