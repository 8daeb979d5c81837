"""The report page of one or several runs, made from their run directories."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from aqa_pipeline.disk.files import clear_left_overs
from aqa_pipeline.errors import RunError
from aqa_pipeline.metrics import Interval, wilson_interval
from aqa_pipeline.store import file_name
from aqa_pipeline.untrusted.bounded_files import RUN_BYTES, read_bounded_json
from heads.evaluation.against_baselines import against_baselines
from heads.evaluation.evaluate import evaluate
from heads.evaluation.evaluation_text import unfinished_note
from heads.evaluation.metric import TITLES
from heads.evaluation.residuals import SplitResiduals, split_residuals, thirds_of_scores
from heads.evaluation.run_scores import Evaluation, SplitScores
from heads.evaluation.two_class_target import class_names
from heads.pages.run_page import Comparing, Picture, RunPage, RunSection, RunTables, TableOf, write_run_page
from heads.reports.comparison_plot import compare_plot
from heads.reports.comparison_tables import differences, overview
from heads.reports.figures import Plot
from heads.reports.number_text import interval_text, number_text
from heads.reports.pooled_plot import pooled_predictions
from heads.reports.probability_plot import is_wrong, probabilities
from heads.reports.run_facts import PLOTS, run_facts
from heads.reports.run_plots import epoch_gap, learning_curves, predictions, residuals_by_group
from heads.reports.run_tables import metrics_beside_baselines, metrics_by_seed, metrics_by_split
from heads.reports.worst_videos import find_dataset, worst_videos
from heads.runs.config import read_config
from heads.runs.run_config import RunConfig
from heads.runs.title import run_title
from heads.runs.trained_cell import TrainedCell, read_cell

NUM_WORST = 5
MAX_GROUPS = 40


def write_report(
    run_dirs: Sequence[Path], path: Path, *, num_worst: int = NUM_WORST, embed: bool = False
) -> Path:
    """Write the page at `path`, pages of worst videos into `<name>-videos` beside it, plots into each run.

    Raises `RunError` if a folder is no run, or no trained cell of it is finished.
    """
    evaluations = {run_dir: evaluate(run_dir) for run_dir in run_dirs}
    sections = []
    for number, (run_dir, evaluation) in enumerate(evaluations.items(), start=1):
        folder = pages_folder(path) / (file_name(f"{number}-{run_dir.name}"))
        clear_left_overs(folder)
        sections.append(
            _section(run_dir, evaluation, folder=folder, report=path, num_worst=num_worst, embed=embed)
        )
    many = len(evaluations) > 1  # a run that is named twice is one run
    return write_run_page(
        path,
        RunPage(
            title=f"{len(evaluations)} runs compared" if many else sections[0].title,
            runs=sections,
            comparison=_comparing(evaluations) if many else None,
        ),
    )


def _comparing(evaluations: Mapping[Path, Evaluation]) -> Comparing:
    of_pairs, by_split = differences(list(evaluations))
    picture = _picture(compare_plot(list(evaluations.values())))
    return Comparing(picture, [overview(evaluations), of_pairs], by_split)


def pages_folder(path: Path) -> Path:
    """Return the folder of the pages of single videos."""
    return path.with_name(f"{path.stem}-videos")


def _section(
    run_dir: Path, evaluation: Evaluation, *, folder: Path, report: Path, num_worst: int, embed: bool
) -> RunSection:
    config = read_config(run_dir)
    cells = [read_cell(run_dir, split=cell.split, seed=cell.seed) for cell in evaluation.cells]
    by_split = {split.split: [c for c in cells if c.split == split.split] for split in evaluation.splits}
    residuals = [split_residuals(of_split) for of_split in by_split.values()]
    return RunSection(
        title=run_title(config),
        place=str(run_dir),
        flags=evaluation.flags,
        headline=tuple(_headline(evaluation, residuals, classes=class_names(config, list(by_split)))),
        notes=(*_verdict(evaluation), *_notes(run_dir, evaluation)),
        tables=RunTables(
            metrics_by_split(evaluation), metrics_by_seed(evaluation), _baselines(run_dir, config)
        ),
        pictures=_pictures(run_dir, config, residuals, evaluation.pooled),
        learning_curves=_pictures_of_epochs(run_dir, evaluation, cells),
        worst=worst_videos(run_dir, residuals, folder=folder, report=report, number=num_worst, embed=embed),
        facts=list(run_facts(run_dir, config)),
    )


def _baselines(run_dir: Path, config: RunConfig) -> TableOf | None:
    beside = against_baselines(run_dir)
    return None if beside is None else metrics_beside_baselines(beside, title=config.head.name)


def _headline(
    evaluation: Evaluation, residuals: Sequence[SplitResiduals], *, classes: tuple[str, str] | None
) -> Iterator[tuple[str, str, str]]:
    (first, *others) = evaluation.splits
    title = TITLES[evaluation.metric]
    title = title[0].upper() + title[1:]
    if others:
        overall = evaluation.overall
        spread = "" if math.isnan(overall.std) else f"; ± {overall.std:.3f} over seeds"
        interval = f"{_interval(overall.interval)}{spread}"
        yield f"{title}, {overall.kind}", number_text(overall.mean), interval
    else:
        of_seeds = f"mean of {first.num_seeds} seeds" if first.num_seeds > 1 else "one seed"
        yield f"{title}, {of_seeds}", number_text(first.mean), _interval(first.interval)
    if pooled := evaluation.pooled:
        interval = f"{_interval(pooled.interval)}; {pooled.ensemble.num_videos} videos"
        yield f"{title}, pooled over folds", number_text(pooled.mean), interval
    if (verdict := evaluation.verdict) is not None and not classes:
        constant = f"always predicting the average {verdict.mean_error:.3g}, ridge {verdict.ridge_error:.3g}"
        yield "Mean error, in points", f"{verdict.error:.3g}", constant
    yield _num_correct(residuals) if classes else _half_width(residuals)
    if evaluation.has_gap:
        gap = "choosing the best epoch on the test set would report this much more (not model selection)"
        yield "Best-on-test gain", number_text(evaluation.mean_gap, sign="+"), gap


def _interval(interval: Interval) -> str:
    if interval.why_none:
        return f"no 95 % interval: {interval.why_none}"
    return f"95 % interval {interval_text(interval)}"


def _half_width(residuals: Sequence[SplitResiduals]) -> tuple[str, str, str]:
    widest = max(residuals, key=lambda split: split.half_width)
    where = f" ({widest.split}, the widest)" if len(residuals) > 1 else ""
    share = f"for {100 * widest.coverage:.0f} % of videos{where}"
    return "Predicted scores are within", f"± {widest.half_width:.2f}", share


def _num_correct(residuals: Sequence[SplitResiduals]) -> tuple[str, str, str]:
    wrong: dict[str, list[bool]] = {}
    for split in residuals:
        for video, is_so in zip(split.videos, is_wrong(split).tolist(), strict=True):
            wrong.setdefault(video, []).append(is_so)
    num = len(wrong)  # a video that several splits test counts once, with the share of correct predictions
    num_right = num - round(sum(float(np.mean(of_video)) for of_video in wrong.values()))
    interval = wilson_interval(num_right, num)
    share = f"test videos; 95 % interval {100 * interval.low:.0f} to {100 * interval.high:.0f} %"
    return "Correct class, mean of the seeds", f"{num_right} of {num}", share


def _verdict(evaluation: Evaluation) -> tuple[str, ...]:
    return (str(evaluation.verdict),) if evaluation.verdict else ()


def _notes(run_dir: Path, evaluation: Evaluation) -> tuple[str, ...]:
    try:
        summary = read_bounded_json(run_dir / "summary.json", most_bytes=RUN_BYTES)
        notes = [str(note) for note in summary["notes"]]
    except FileNotFoundError:
        notes = []  # an unfinished run has no summary yet
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"{run_dir / 'summary.json'} is damaged ({error!r}): run the same `aqa fit` command again."
        ) from error
    unfinished = [unfinished_note(evaluation.num_unfinished)] if evaluation.num_unfinished else []
    return (*notes, *unfinished)


def _pictures(
    run_dir: Path, config: RunConfig, residuals: Sequence[SplitResiduals], pooled: SplitScores | None
) -> list[Picture]:
    folder = run_dir / PLOTS
    groups, note = _groups(config, residuals)
    return [
        *_pooled(residuals, pooled, config, folder),
        _predictions(residuals, config, folder),
        _picture(residuals_by_group(residuals, folder, groups=groups), note),
    ]


def _pictures_of_epochs(run_dir: Path, evaluation: Evaluation, cells: Sequence[TrainedCell]) -> list[Picture]:
    """Return the plots of epochs; a head that is fitted in closed form has none."""
    if not evaluation.has_epochs:
        return []
    folder = run_dir / PLOTS
    alone = " The curves are those of the network alone, which is a part of the score."
    kept = "The dot marks the epoch whose weights were kept." + (alone if evaluation.is_adapted else "")
    curves = _picture(learning_curves(cells, folder), kept)
    if not evaluation.has_gap:
        return [curves]
    gap = epoch_gap(evaluation.cells, folder)
    return [
        curves,
        _picture(gap, "A paper that reports the best epoch on the test set reports the diamonds."),
    ]


def _predictions(residuals: Sequence[SplitResiduals], config: RunConfig, folder: Path) -> Picture:
    points = "Points: mean prediction of the seeds. Bars: their standard deviation"
    classes = class_names(config, [split.split for split in residuals])
    if classes is not None:
        lower, upper = classes
        plot = probabilities(residuals, folder, lower=lower, upper=upper)
        return _picture(plot, f"{points}. Orange: wrong class.")
    plot = predictions(residuals, folder, target=config.target.name)
    return _picture(plot, f"{points}. Band: the interval of a predicted score.")


def _pooled(
    residuals: Sequence[SplitResiduals], pooled: SplitScores | None, config: RunConfig, folder: Path
) -> list[Picture]:
    """Return the plot of all folds of a cross-validation together, unless the target has two classes."""
    if pooled is None or class_names(config, [split.split for split in residuals]) is not None:
        return []
    plot = pooled_predictions(residuals, pooled, folder, target=config.target.name)
    note = (
        "Points: mean prediction of the seeds, for each video by networks that never saw it. Color: its fold."
    )
    return [_picture(plot, note)]


def _groups(config: RunConfig, residuals: Sequence[SplitResiduals]) -> tuple[dict[str, str], str]:
    """Return the group of each test video, and a note that says what the groups are.

    The groups are those of the dataset if it is available and has 2 to `MAX_GROUPS` of them, else thirds of
    the judges' scores.
    """
    dataset, reason = find_dataset(config)
    named = {video.video_id: video.group for video in dataset.videos if video.group} if dataset else {}
    tested = [video for split in residuals for video in split.videos]
    own = {video: named.get(video, "no group") for video in tested}
    if named and 1 < len(set(own.values())) <= MAX_GROUPS:
        return own, "Orange: the mean of the group. The groups are those of the dataset."
    why = reason or (
        "the dataset has no groups" if not named else f"the dataset does not have 2 to {MAX_GROUPS} groups"
    )
    return thirds_of_scores(
        residuals
    ), f"Orange: the mean of the group. The groups are thirds of the judges' scores, because {why}."


def _picture(plot: Plot, note: str = "") -> Picture:
    return Picture(plot.title, plot.alt, plot.svg_of_page, note)
