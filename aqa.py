"""Action Quality Assessment from Python: both stages in a row, from videos to scores::

    import aqa

    dataset = aqa.load_dataset("folder", "my-videos")
    store = aqa.open_store("features")
    aqa.extract(dataset, store, streams=["segments", "crops"])
    run = aqa.fit(dataset, store, head="action-net", out="runs/mine")
    run.score("new.mp4")
    aqa.Head("wd").fit(X, y, groups=groups).predict(X_new)

Errors that the caller can mend are subclasses of `aqa.AqaError`; their messages say what came, what was
expected, and what to do. Importing this module imports neither torch nor numpy.
"""

import importlib
import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aqa_pipeline.errors import AqaError

if TYPE_CHECKING:
    from aqa_pipeline.records import Dataset
    from aqa_pipeline.store import Store
    from aqa_pipeline.video import ReaderName
    from extract.choices.streams import Choices
    from extract.run.new_video import NewVideoExtractor
    from extract.run.stage import ExtractReport
    from heads.data.folds import Select
    from heads.scoring.ensemble import Ensemble
    from heads.scoring.run import Run
    from heads.scoring.scorer import ScoredVideo
    from heads.training.estimator import Head

__all__ = [
    "AqaError",
    "Choices",
    "Head",
    "Run",
    "ScoredVideo",
    "__version__",  # noqa: F822  # provided by `__getattr__`
    "extract",
    "fit",
    "load_dataset",
    "load_run",
    "open_store",
]

_LAZY = {  # names that are imported when they are first used
    "Choices": "extract.choices.streams",
    "Head": "heads.training.estimator",
    "Run": "heads.scoring.run",
    "ScoredVideo": "heads.scoring.scorer",
}
SCORED_FEATURES = "scored-features"  # the store, inside a run, of the features of the videos that it scored

PathLike = str | os.PathLike[str]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("aqa-pipeline")
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'aqa' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load_dataset(name: str, root: PathLike | None = None, *, called: str | None = None) -> "Dataset":
    """Return the videos, scores and splits of a dataset.

    `name` is one of `aqa datasets list`; "folder" reads your own videos beside a `scores.csv`. `root` is the
    dataset's folder, by default `data/NAME`. `called` names your own folder in stores and runs, by default
    as the folder is named. Scores are raw, on the scale of the judges.

    Raises `UnknownName` for an unknown name, and `DatasetError` if the folder does not hold the dataset.

    >>> import aqa
    >>> aqa.load_dataset("folder", "my-videos")
    Dataset(my-videos: 9 videos; ... splits (...); targets score)
    """
    from aqa_pipeline.datasets import load_dataset as load

    return load(name, Path("data") / name if root is None else Path(root), called=called)


def open_store(path: PathLike, *, verify: bool = False) -> "Store":
    """Open a store of features: a folder to read and write, or a packed .h5 file to read.

    `len(store)` counts records; iterating yields (dataset, video id, spec) of each. `store[dataset, video
    id, stream]` is a record: `features` (time, dim), `pts_seconds` (time, 2) as [start, stop) seconds from
    the performance's first frame. `verify` compares checksums before parts of a record are read.

    Raises `StoreError` if the path holds something else.

    >>> import aqa
    >>> store = aqa.open_store("features")
    >>> store
    Store(features: 9 records of 1 dataset)
    >>> store["my-videos", "v0", "frames"].features.shape                           # (time, dim)
    (4, 512)
    """
    from aqa_pipeline.store import Store

    return Store(Path(path), verify=verify)


def extract(
    dataset: "Dataset",
    store: "Store",
    *,
    streams: Sequence[str] = (),
    options: "Choices | None" = None,
    videos: Sequence[str] = (),
    reader: "ReaderName" = "auto",
    workers: int = 2,
    overwrite: bool = False,
    progress: bool = False,
) -> "ExtractReport":
    """Extract the streams of a dataset's videos into the store; records that are there already stay.

    `streams` are names such as "segments", "crops", "frames", "clips" and "tubes", by default those that the
    head action-net reads. `options` choose networks, weights, detector and device, by default as
    `aqa extract` does for this dataset. `videos` are ids, by default all. `workers` videos are decoded at a
    time. `progress` shows a bar on stderr. A video that fails does not stop the others: the report's
    `failures` say which failed and why.

    Raises `WeightsError` if weights are absent, `UnknownName` for an unknown stream, video or network, and
    `StoreError` if the store cannot be written.

    >>> import aqa
    >>> dataset, store = aqa.load_dataset("folder", "my-videos"), aqa.open_store("features")
    >>> random = aqa.Choices(backbones={"": "resnet18"}, weights={"": "random:0"})  # no download, no result
    >>> report = aqa.extract(dataset, store, streams=["frames"], videos=["v0"], options=random)
    >>> report.num_already_there, report.failures
    (1, [])
    """
    from aqa_pipeline.store import write_origin
    from aqa_pipeline.video import check_reader
    from extract.choices.named_files import origin_of
    from extract.choices.usual import usual_choices
    from extract.run.engine import Order
    from extract.run.extraction import Extraction
    from extract.run.local import local_engine
    from extract.run.progress import extraction_progress
    from heads.registry import find_head

    check_reader(reader)
    options = options or usual_choices(dataset.adapter)
    chosen = [dataset.video(video_id) for video_id in videos] or list(dataset.videos)
    extraction = Extraction(dataset.name, store, (), reader=reader, workers=workers, overwrite=overwrite)
    names = list(streams) or list(find_head("action-net").streams)
    with local_engine(Order(names, options, extraction, dataset.root)) as engine:
        write_origin(store.root, origin_of(dataset, engine.specs, options))
        if not progress:
            return engine.extract(chosen, progress=lambda **_: None)
        with extraction_progress(len(chosen)) as show:
            return engine.extract(chosen, progress=show)


def fit(
    dataset: "Dataset",
    store: "Store",
    *,
    head: str = "action-net",
    out: PathLike | None = None,
    target: str | None = None,
    splits: Sequence[str] = (),
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
    and the recipe's own. The same call again trains nothing twice. `progress` shows a bar on stderr.

    Raises `RunError` if features are missing or `out` holds another run, and `UnknownName` for an unknown
    head, split, target or variant. Source: `aqa heads` names each head's paper.

    >>> import aqa
    >>> dataset, store = aqa.load_dataset("folder", "my-videos"), aqa.open_store("features")
    >>> run = aqa.fit(dataset, store, head="wd", streams=["frames"], seeds=[0], epochs=2, out="runs/doctest")
    >>> run.evaluate().overall.num_videos   # test videos
    9
    """
    from aqa_pipeline.commands.defaults import RUNS
    from aqa_pipeline.commands.options import pick_device
    from aqa_pipeline.store import file_name
    from heads.commands.fit import training_progress
    from heads.training.fit import fit as train
    from heads.training.options import FeatureOptions, FitOptions, FitRequest, TrainingOptions

    fit_options = FitOptions(
        head=head,
        variant=variant,
        target=target,
        splits=tuple(splits),
        features=FeatureOptions(streams=tuple(streams), allow_missing=allow_missing),
        training=TrainingOptions(
            seeds=tuple(seeds), select=select, epochs=epochs, device=pick_device(device)
        ),
    )
    run_dir = RUNS / file_name(f"{dataset.name}-{head}") if out is None else Path(out)
    request = FitRequest(fit_options, dataset, store, run_dir)
    with training_progress() if progress else nullcontext() as show:
        train(request, show)
    return load_run(request.out)


def load_run(
    run_dir: PathLike,
    *,
    split: str | None = None,
    options: "Choices | None" = None,
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
    Run(runs/mine: wd (paper) on frames of my-videos, target score; 3 networks)
    """
    from aqa_pipeline.commands.options import pick_device
    from extract.choices.streams import Choices
    from heads.scoring.ensemble import load_ensemble
    from heads.scoring.run import Run
    from heads.scoring.scorer import make_scorer

    run_dir = Path(run_dir)
    ensemble = load_ensemble(run_dir, split=split)
    options = options or Choices(detector="", device=pick_device("auto"))
    cache = run_dir / SCORED_FEATURES if cache is None else Path(cache)
    return Run(make_scorer(ensemble), new_video_extractor(ensemble, options, cache=cache, reader=reader))


def new_video_extractor(
    ensemble: "Ensemble",
    options: "Choices",
    *,
    cache: Path,
    reader: "ReaderName" = "auto",
    show_progress: bool = False,
) -> "NewVideoExtractor":
    """Return what makes the records of a new video as those were made that the networks learned from.

    `Run.score` and `aqa score` use it. `cache` is the folder of the store that keeps the records. It raises
    `SpecMismatch` where weights or detector here are not the run's, at the first video.
    """
    from aqa_pipeline.video import check_reader
    from extract.run.new_video import NewVideoExtractor

    check_reader(reader)
    files: Mapping[str, Mapping[str, str]] = ensemble.config.files or {}
    specs = list(ensemble.specs.values())
    return NewVideoExtractor(specs, options, files, cache=cache, reader=reader, show_progress=show_progress)
