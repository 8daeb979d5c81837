"""The card of a run that is handed on: what it predicts, how well, and whom it must not judge."""

from collections.abc import Iterator
from pathlib import Path

from heads.evaluation.against_baselines import against_baselines, format_against_baselines
from heads.evaluation.evaluate import evaluate
from heads.evaluation.evaluation_text import format_evaluation
from heads.runs.config import read_config


def card_of(run_dir: Path) -> str:
    """Return the card as Markdown, from the run's config and its predictions alone."""
    return "\n".join(_lines(run_dir)) + "\n"


def _lines(run_dir: Path) -> Iterator[str]:
    config, evaluation = read_config(run_dir), evaluate(run_dir)
    yield f"# {evaluation.title}"
    yield ""
    yield "`aqa run import FILE` makes a run of this file, and `aqa score VIDEO --run RUN` scores a video."
    for flag in evaluation.flags:
        yield f"\n**{flag}**"
    yield "\n## How well it predicts\n"
    yield "```"
    yield format_evaluation(evaluation)
    if beside := against_baselines(run_dir):
        yield ""
        yield format_against_baselines(beside, title=config.head.name)
    yield "```"
    yield "\n## What it was made from\n"
    yield f"* Videos: {evaluation.overall.num_videos} different ones of {config.dataset.name} were tested."
    for name, split in config.splits.items():
        yield f"* Split {name}: {split.num_train} training videos, {split.num_test} test videos."
    for name, stream in config.streams.items():
        facts = ", ".join(f"{key} {value}" for key, value in sorted(stream.facts.items()))
        yield f"* Stream {name}: {facts}."
    yield "* The file holds the ids, scores and predictions of these videos, and no picture of them."
    if any(split.recipe.compares_videos for split in config.splits.values()):
        yield "* The weights hold the mean feature vector and the score of each training video."
    yield "\n## What it is not for\n"
    yield "* Actions, cameras and levels unlike those of the videos above: its errors are unknown there."
    yield "* Decisions about a person: the interval does not cover every video."
    yield "* Videos that `aqa score` warns of: they are unlike those that it learned from."
