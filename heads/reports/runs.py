"""The report of one or several runs: everything is read from the run directories."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from aqa_pipeline.errors import RunError
from aqa_pipeline.files import clear_left_overs
from aqa_pipeline.metrics import Interval, wilson_interval
from aqa_pipeline.outside import RUN_BYTES, read_outside_json
from aqa_pipeline.pages.run_page import Picture, RunPage, RunSection, TableOf, write_run_page
from aqa_pipeline.store import file_name
from heads.agreement import TITLES
from heads.cells import Cell, read_cell
from heads.classes import class_names
from heads.comparison import compare
from heads.configs import read_config
from heads.evaluation import Evaluation, Scores, SplitScores, evaluate
from heads.reports.comparing import compare_plot
from heads.reports.figures import Plot
from heads.reports.plots import epoch_gap, learning_curves, predictions, residuals_by_group
from heads.reports.probabilities import is_wrong, probabilities
from heads.reports.residuals import SplitResiduals, split_residuals, thirds_of_scores
from heads.reports.worst import find_dataset, worst_videos
from heads.run_facts import run_title

PLOTS = "plots"
NUM_WORST = 5
UNDEFINED = "undefined"
MAX_GROUPS = 40


def write_report(
    run_dirs: Sequence[Path], path: Path, *, num_worst: int = NUM_WORST, embed: bool = False
) -> Path:
    """The page at `path`, the pages of the worst videos in `<name>-videos` beside it, plots in each run.

    Raises `RunError` if one of them is no run, or has nothing finished.
    """
    evaluations = {run_dir: evaluate(run_dir) for run_dir in run_dirs}
    sections = []
    for number, (run_dir, evaluation) in enumerate(evaluations.items(), start=1):
        folder = pages_folder(path) / (file_name(f"{number}-{run_dir.name}"))
        clear_left_overs(folder)
        sections.append(
            _section(run_dir, evaluation, folder=folder, report=path, num_worst=num_worst, embed=embed)
        )
    many = len(run_dirs) > 1
    return write_run_page(
        path,
        RunPage(
            title=f"{len(run_dirs)} runs compared" if many else sections[0].title,
            runs=sections,
            comparison=_picture(compare_plot(list(evaluations.values()))) if many else None,
            comparisons=[_overview(evaluations), *_pairs(run_dirs)] if many else [],
        ),
    )


def pages_folder(path: Path) -> Path:
    """Return where the pages of single videos go."""
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
        metrics=_metrics(evaluation),
        pictures=_pictures(run_dir, config, evaluation, cells, residuals),
        worst=worst_videos(run_dir, residuals, folder=folder, report=report, number=num_worst, embed=embed),
        facts=list(_facts(run_dir, config)),
    )


def _headline(
    evaluation: Evaluation, residuals: Sequence[SplitResiduals], *, classes: tuple[str, str] | None
) -> Iterator[tuple[str, str, str]]:
    (first, *others) = evaluation.splits
    if others:
        spread = "" if math.isnan(evaluation.overall_std) else f"; ± {evaluation.overall_std:.3f} over seeds"
        interval = f"95 % interval {_range(evaluation.overall_interval)}{spread}"
        yield f"{_title(evaluation)}, {evaluation.overall_kind}", _number(evaluation.overall), interval
    else:
        of_seeds = f"mean of {first.num_seeds} seeds" if first.num_seeds > 1 else "one seed"
        interval = f"95 % interval {_range(first.interval)}"
        yield f"{_title(evaluation)}, {of_seeds}", _number(first.mean), interval
    if (verdict := evaluation.verdict) is not None and not classes:
        easy = f"always the average {verdict.mean_error:.3g}, ridge regression {verdict.ridge_error:.3g}"
        yield "Typical error, in points", f"{verdict.error:.3g}", easy
    yield _right(residuals) if classes else _good_to(residuals)
    gap = "choosing the epoch on the test set would report this much more (not model selection)"
    yield "Best-on-test gap", _number(evaluation.mean_gap, sign="+"), gap


def _good_to(residuals: Sequence[SplitResiduals]) -> tuple[str, str, str]:
    widest = max(residuals, key=lambda split: split.half_width)
    where = f" ({widest.split}, the widest)" if len(residuals) > 1 else ""
    share = f"for {100 * widest.coverage:.0f} % of videos{where}"
    return "A score is good to", f"± {widest.half_width:.2f}", share


def _right(residuals: Sequence[SplitResiduals]) -> tuple[str, str, str]:
    wrong: dict[str, list[bool]] = {}
    for split in residuals:
        for video, is_so in zip(split.videos, is_wrong(split).tolist(), strict=True):
            wrong.setdefault(video, []).append(is_so)
    num = len(wrong)  # a video that several splits test counts once, as the share of them that is right
    num_right = num - round(sum(float(np.mean(of_video)) for of_video in wrong.values()))
    interval = wilson_interval(num_right, num)
    share = f"test videos; 95 % interval {100 * interval.low:.0f} to {100 * interval.high:.0f} %"
    return "Correct, by the mean of the seeds", f"{num_right} of {num}", share


def _title(evaluation: Evaluation) -> str:
    title = TITLES[evaluation.metric]
    return title[0].upper() + title[1:]


def _range(interval: Interval, *, sign: str = "") -> str:
    low, high = (_number(end, sign=sign) for end in (interval.low, interval.high))
    return interval.why_none or f"{low} to {high}"


def _number(value: float, *, sign: str = "") -> str:
    return UNDEFINED if math.isnan(value) else f"{value:{sign}.3f}"


def _verdict(evaluation: Evaluation) -> tuple[str, ...]:
    return (str(evaluation.verdict),) if evaluation.verdict else ()


def _notes(run_dir: Path, evaluation: Evaluation) -> tuple[str, ...]:
    try:
        summary = read_outside_json(run_dir / "summary.json", most_bytes=RUN_BYTES)
        notes = [str(note) for note in summary["notes"]]
    except FileNotFoundError:
        notes = []  # an unfinished run has no summary yet
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"{run_dir / 'summary.json'} is damaged ({error!r}): run the same `aqa fit` command again."
        ) from error
    unfinished = evaluation.num_unfinished
    told = [f"{unfinished} cells are not finished: run the same `aqa fit` again."] if unfinished else []
    return (*notes, *told)


def _metrics(evaluation: Evaluation) -> TableOf:
    rows = []
    for split in evaluation.splits:
        for cell in evaluation.cells:
            if cell.split == split.split:
                rows.append(
                    (
                        split.split,
                        str(cell.seed),
                        *_numbers(cell.scores),
                        _number(cell.last_on_test),
                        _number(cell.best_on_test),
                    )
                )
        if split.num_seeds > 1:
            rows.append((split.split, "ensemble", *_numbers(split.ensemble), "", ""))
            rows.append((split.split, "mean", *_mean_numbers(split), "", ""))
    header = (
        "split",
        "seed",
        "videos",
        TITLES[evaluation.metric],
        "95 % interval",
        "R-l2",
        "MSE",
        "last epoch",
        "best on test*",
    )
    note = f"Kept: {evaluation.select}. * The best epoch on the test videos is not model selection."
    return TableOf(header, rows, note, num_texts=2)


def _numbers(scores: Scores) -> tuple[str, ...]:
    return (
        str(scores.num_videos),
        _number(scores.value),
        _range(scores.value_interval),
        _number(scores.relative_l2),
        _number(scores.mse),
    )


def _mean_numbers(split: SplitScores) -> tuple[str, ...]:
    mean = UNDEFINED if math.isnan(split.mean) else f"{split.mean:.3f} ± {split.std:.3f}"
    return str(split.ensemble.num_videos), mean, _range(split.interval), "", ""


def _pictures(
    run_dir: Path,
    config: Mapping[str, Any],
    evaluation: Evaluation,
    cells: Sequence[Cell],
    residuals: Sequence[SplitResiduals],
) -> list[Picture]:
    folder = run_dir / PLOTS
    groups, note = _groups(config, residuals)
    return [
        _predictions(residuals, config, folder),
        _picture(residuals_by_group(residuals, folder, groups=groups), note),
        _picture(learning_curves(cells, folder), "A dot marks the epoch that was kept."),
        _picture(
            epoch_gap(evaluation.cells, folder), "Papers that report the best epoch report the right end."
        ),
    ]


def _predictions(residuals: Sequence[SplitResiduals], config: Mapping[str, Any], folder: Path) -> Picture:
    points = "Points: mean of the seeds; bars: their deviation"
    classes = class_names(config, [split.split for split in residuals])
    if classes is not None:
        lower, upper = classes
        plot = probabilities(residuals, folder, lower=lower, upper=upper)
        return _picture(plot, f"{points}; orange: on the wrong side of one half.")
    plot = predictions(residuals, folder, target=config["target"]["name"])
    return _picture(plot, f"{points}; band: the interval within which a score is good.")


def _groups(config: Mapping[str, Any], residuals: Sequence[SplitResiduals]) -> tuple[dict[str, str], str]:
    """The dataset's own groups where it is at hand, has some, and they are few enough to see."""
    dataset, reason = find_dataset(config)
    named = {video.video_id: video.group for video in dataset.videos if video.group} if dataset else {}
    tested = [video for split in residuals for video in split.videos]
    own = {video: named.get(video, "no group") for video in tested}
    if named and 1 < len(set(own.values())) <= MAX_GROUPS:
        return own, "Orange: the mean of the group. Groups are those of the dataset."
    why = reason or ("the dataset has no groups" if not named else "there are too many groups, or one only")
    return thirds_of_scores(residuals), f"Orange: the mean. Grouped by the judges' scores, for {why}."


def _picture(plot: Plot, note: str = "") -> Picture:
    return Picture(plot.title, plot.alt, plot.svg_of_page, note)


def _facts(run_dir: Path, config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Dataset", f"{config['dataset']['name']} at {config['dataset']['root']}"
    yield "Target", config["target"]["name"]
    yield "Head", f"{config['head']}, variant {config['variant']}"
    for split, facts in config["splits"].items():
        yield f"Split {split}", f"{facts['num_train']} videos to learn from, {facts['num_test']} to test on"
    yield "Seeds", ", ".join(map(str, config["seeds"]))
    for stream, spec in config["specs"].items():
        facts = spec["facts"]
        random = str(facts.get("weights", "")).startswith("random:")
        weights = f"RANDOM WEIGHTS ({facts['weights']})" if random else facts.get("weights", "unknown")
        yield (
            f"Stream {stream}",
            f"backbone {facts.get('backbone', 'unknown')}; weights {weights}; spec {spec['hash']}",
        )
    recipe = next(iter(config["splits"].values()))["recipe"]
    yield (
        "Recipe",
        "; ".join(f"{name.replace('_', ' ')}: {_plainly(value)}" for name, value in recipe.items()),
    )
    yield "Versions", ", ".join(f"{name} {number}" for name, number in config["versions"].items())
    yield "Plots", f"{run_dir / PLOTS} (SVG and PNG)"


def _plainly(value: object) -> str:
    """A value of a recipe without brackets: 7 of tubes, 150 and 180, none."""
    if isinstance(value, dict):
        return " and ".join(f"{number} of {name}" for name, number in value.items())
    if isinstance(value, list):
        return " and ".join(map(str, value)) or "none"
    return str(value)


def _overview(evaluations: Mapping[Path, Evaluation]) -> tuple[str, TableOf]:
    rows = [
        (
            str(run_dir),
            evaluation.title,
            ", ".join(evaluation.flags),
            _number(evaluation.overall),
            _range(evaluation.overall_interval),
            "" if math.isnan(evaluation.overall_std) else f"{evaluation.overall_std:.3f}",
            _number(evaluation.mean_gap, sign="+"),
        )
        for run_dir, evaluation in evaluations.items()
    ]
    metrics = " or ".join(dict.fromkeys(TITLES[each.metric] for each in evaluations.values()))
    header = ("run", "what", "flags", metrics, "95 % interval", "± over seeds", "best-on-test gap")
    return "All runs", TableOf(header, rows, num_texts=3)


def _pairs(run_dirs: Sequence[Path]) -> Iterator[tuple[str, TableOf]]:
    """Paired differences of all runs of the same task; the others are named with the reason."""
    header = ("split", "videos", "first", "second", "difference", "95 % interval", "p")
    for first, second in combinations(run_dirs, 2):
        title = f"{first} against {second}"
        try:
            comparison = compare(first, second)
        except RunError as error:
            yield title, TableOf(header, [], f"Not comparable: {str(error).splitlines()[0]}")
            continue
        rows = [
            (
                each.name,
                str(each.num_videos),
                _number(each.first),
                _number(each.second),
                _number(each.difference, sign="+"),
                _range(each.interval, sign="+"),
                UNDEFINED if math.isnan(each.p) else f"{each.p:.4f}",
            )
            for each in (*comparison.splits, *([comparison.overall] if comparison.overall else []))
        ]
        yield title, TableOf(header, rows, "Paired bootstrap over videos and seeds; p is two-sided.")
