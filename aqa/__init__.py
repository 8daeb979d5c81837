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
from typing import TYPE_CHECKING, Any

from aqa.extracting import extract
from aqa.extracting import new_video_extractor as new_video_extractor
from aqa.opening import load_dataset, open_store
from aqa.tables import extract_for_table as extract_for_table
from aqa.training import fit, load_run
from aqa_pipeline.errors import AqaError

if TYPE_CHECKING:
    from extract.choices.options import AthleteOptions, InputOptions, NetworkOptions, StreamOptions
    from heads.scoring.run import Run
    from heads.scoring.scorer import ScoredVideo
    from heads.training.estimator import Head

__all__ = [
    "AqaError",
    "AthleteOptions",
    "Head",
    "InputOptions",
    "NetworkOptions",
    "Run",
    "ScoredVideo",
    "StreamOptions",
    "__version__",  # provided by `__getattr__`
    "extract",
    "fit",
    "load_dataset",
    "load_run",
    "open_store",
]

_LAZY = {  # names that are imported when they are first used
    "AthleteOptions": "extract.choices.options",
    "Head": "heads.training.estimator",
    "InputOptions": "extract.choices.options",
    "NetworkOptions": "extract.choices.options",
    "Run": "heads.scoring.run",
    "ScoredVideo": "heads.scoring.scorer",
    "StreamOptions": "extract.choices.options",
    "absent_weights": "extract.choices.absent_weights",
    "find_head": "heads.registry",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("aqa-pipeline")
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'aqa' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
