"""Stage 2: a run is trained, and loaded to score new videos."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from aqa.extracting import new_video_extractor
from aqa.paths import PathLike

if TYPE_CHECKING:
    from aqa_pipeline.records import Dataset
    from aqa_pipeline.store import Store
    from aqa_pipeline.video import ReaderName
    from extract.choices.options import StreamOptions
    from heads.data.folds import Select
    from heads.scoring.run import Run

SCORED_FEATURES = "scored-features"  # the store, inside a run, of the features of the videos that it scored


def fit(
    dataset: "Dataset",
    store: "Store",
    *,
    head: str = "action-net",
    out: PathLike | None = None,
    target: str | None = None,
    splits: Sequence[str] = (),
    folds: int | None = None,
    streams: Sequence[str] = (),
    variant: str | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    epochs: int | None = None,
    select: "Select" = "last",
    allow_missing: bool = False,
    device: str = "auto",
    progress: bool = False,
) -> "Run":
    """Train a head on stored features, for every split and seed, and return the run, which can score.

    The arguments are those of `aqa fit`, with its defaults: `out` is the run's folder, by default
    `runs/DATASET-HEAD`; `target`, `splits`, `streams`, `variant` and `epochs` are the dataset's, the head's
    and the recipe's own. `folds` makes so many splits that test every video once; groups stay whole. The
    split "leave-one-group-out" tests each group alone. The same call again trains nothing twice. `progress`
    shows a bar on stderr.

    Raises `RunError` if features are missing or `out` holds another run, `DatasetError` for folds of too few
    videos, and `UnknownName` for an unknown head, split, target or variant. Source: `aqa heads` names each
    head's paper.

    >>> import aqa
    >>> dataset, store = aqa.load_dataset("folder", "my-videos"), aqa.open_store("features")
    >>> run = aqa.fit(dataset, store, head="wd", streams=["frames"], seeds=[0], epochs=2, out="runs/doctest")
    >>> run.evaluate().overall.num_videos   # test videos
    9
    """
    from aqa_pipeline.commands.defaults import RUNS
    from aqa_pipeline.commands.options import pick_device
    from aqa_pipeline.store import file_name
    from heads.commands.fits.training_progress import training_progress
    from heads.training.distributed.fit_together import fit_together
    from heads.training.options import FeatureOptions, FitOptions, FitRequest, TrainingOptions

    fit_options = FitOptions(
        head=head,
        variant=variant,
        target=target,
        splits=_chosen_splits(splits, folds),
        features=FeatureOptions(streams=tuple(streams), allow_missing=allow_missing),
        training=TrainingOptions(
            seeds=tuple(seeds), select=select, epochs=epochs, device=pick_device(device)
        ),
    )
    run_dir = RUNS / file_name(f"{dataset.name}-{head}") if out is None else Path(out)
    request = FitRequest(fit_options, dataset, store, run_dir)
    with training_progress() if progress else nullcontext() as show:
        fit_together(request, show)
    return load_run(request.out)


def _chosen_splits(splits: Sequence[str], folds: int | None) -> tuple[str, ...]:
    from aqa_pipeline.datasets.cross_validation import name_of_folds
    from aqa_pipeline.errors import RunError

    if folds is None:
        return tuple(splits)
    if splits:
        raise RunError(f"folds={folds} and splits={list(splits)} both choose the splits: leave out one.")
    return (name_of_folds(folds),)


def load_run(
    run_dir: PathLike,
    *,
    split: str | None = None,
    options: "StreamOptions | None" = None,
    cache: PathLike | None = None,
    reader: "ReaderName" = "auto",
) -> "Run":
    """Load a run that `aqa fit` or `aqa.fit` wrote, to score new videos.

    `split` names whose networks score: one split, or "all"; by default all splits of the same videos.
    `options` choose how new videos are extracted where the run leaves a choice: device, runtime, weights'
    files, who is followed. `cache` is the store of their features, by default `RUN/scored-features`. No
    network of stage 1 is loaded before the first video is scored.

    Raises `RunError` for an unfinished or damaged run, and `UnknownName` for an unknown split.

    >>> import aqa
    >>> aqa.load_run("runs/mine")
    Run(runs/mine: wd (adapted) on frames of my-videos, target score; 3 networks)
    """
    from extract.choices.options import StreamOptions
    from heads.scoring.ensemble import load_ensemble
    from heads.scoring.run import Run
    from heads.scoring.scorer import make_scorer

    run_dir = Path(run_dir)
    ensemble = load_ensemble(run_dir, split=split)
    cache = run_dir / SCORED_FEATURES if cache is None else Path(cache)
    extractor = new_video_extractor(ensemble, options or StreamOptions(), cache=cache, reader=reader)
    return Run(make_scorer(ensemble), extractor)
