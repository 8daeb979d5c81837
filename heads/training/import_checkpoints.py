"""A run made from released checkpoints of a head: the files give the weights, everything else is the plan's.

A checkpoint holds tensors alone. The dataset, its split, the stored features and the score scale come from
the request. The run has scores of all videos, like one that was trained here.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from torch import Tensor

from aqa_pipeline.errors import RunError
from aqa_pipeline.weights import load_state_dict, sha256_of
from heads.data.score_scale import ScoreScale
from heads.models import action_net
from heads.models.likert.cofinal import CoFInAl
from heads.models.likert.gdlt import Gdlt
from heads.models.likert.official import check_names
from heads.models.queries import uil_aqa
from heads.runs.epoch import Epoch
from heads.runs.trained_cell import cell_folder, write_cell
from heads.training.fit import CellToTrain, RunSummary, ShowProgress, fit_plan, torch_threads
from heads.training.methods.exemplars import remember_training_set, remembered_state
from heads.training.methods.predictions import score_videos
from heads.training.methods.prepared_network import prepare_module
from heads.training.methods.training import Trained, Training
from heads.training.options import FitRequest
from heads.training.planning.plan import Plan
from heads.training.planning.resolve import resolve
from heads.training.train_cell import make_cell, make_training, write_statistics

State = Mapping[str, Tensor]
VARIANT = "released"  # the authors' checkpoints fit the network of their code


@dataclass(frozen=True)
class ReleasedForm:
    """How authors save a head: `parts` name its networks where a checkpoint holds others, too.

    `convert` returns the state under our names.
    """

    convert: Callable[[State], State]
    parts: tuple[str | None, ...] = (None,)

    def read(self, file: Path) -> State:
        """Return the state of that checkpoint; raise `WeightsError` for a file that is none."""
        parts = [load_state_dict(file, part=part) for part in self.parts]
        return self.convert({name: tensor for state in parts for name, tensor in state.items()})


def _as_regressor(state: State) -> State:
    return {f"regressor.{name}": tensor for name, tensor in state.items()}


RELEASED_FORMS: Mapping[str, ReleasedForm] = {
    "action-net": ReleasedForm(action_net.from_official),
    "dae": ReleasedForm(_as_regressor, parts=("dae",)),
    "core": ReleasedForm(_as_regressor, parts=("regressor",)),
    "uil-aqa": ReleasedForm(uil_aqa.from_official, parts=("neck", "head")),
    "gdlt": ReleasedForm(partial(check_names, network=Gdlt, name="GDLT")),
    "cofinal": ReleasedForm(partial(check_names, network=CoFInAl, name="CoFInAl")),
}


def import_checkpoints(
    request: FitRequest, files: Sequence[Path], *, scale: ScoreScale | None = None
) -> RunSummary:
    """Make a run of checkpoints in the authors' form; the first is that of the first seed, and so on.

    `scale` None stands for the scale that a fit would take: the target's bounds, or the training scores'.
    Raises `RunError` for a head without released checkpoints, several splits, or features of other
    dimensions than the network's, and `WeightsError` for files that are no such checkpoints.
    """
    head = request.options.head
    if head not in RELEASED_FORMS:
        raise RunError(f"no checkpoint of {head} can be imported: expected {', '.join(RELEASED_FORMS)}.")
    states = [RELEASED_FORMS[head].read(file) for file in files]
    with torch_threads(request.training.threads):
        plan = resolve(request)
        if len(plan.splits) != 1:
            raise RunError(
                f"a checkpoint was trained on one split, and {', '.join(s.name for s in plan.splits)} were "
                "chosen: name the split that the authors trained it on with --split."
            )
        (split,) = plan.splits
        split = replace(split, scale=scale or split.scale, recipe=replace(split.recipe, num_components=0))
        imported = replace(plan.head, imported=tuple(sha256_of(file) for file in files))
        plan = replace(plan, splits=[split], head=imported)
        return fit_plan(plan, None, train_cells=partial(_import_cells, states=states))


def _import_cells(
    plan: Plan, cells: Sequence[CellToTrain], progress: ShowProgress | None, *, states: Sequence[State]
) -> None:
    for cell in cells:
        write_statistics(plan, cell.split)
        training = make_training(plan, cell.split, cell.seed)
        imported = _imported(training, states[cell.seed])
        trained = make_cell(training, imported, cell.split, cell.seed)
        folder = cell_folder(plan.request.out, split=cell.split.name, seed=cell.seed)
        write_cell(folder, trained, imported.state)


def _imported(training: Training, state: State) -> Trained:
    """Return the network of that state with its scores of all videos, and one epoch without a loss."""
    samples, recipe = training.samples, training.recipe
    module = prepare_module(training.build, samples.dims, recipe)
    remember_training_set(module, training)
    try:
        module.load_state_dict({**remembered_state(module), **state})
    except RuntimeError as error:
        dims = " and ".join(f"{dim} of {stream}" for stream, dim in samples.dims.items())
        raise RunError(
            f"the checkpoint does not fit features of {dims} dimensions ({error}): choose those that the "
            "authors used with --backbone or --spec."
        ) from error
    scores = score_videos(module, samples, np.arange(len(samples.video_ids)), recipe=recipe)
    on_test = training.agreement(scores[training.fold.test], training.fold.test)
    epoch = Epoch(1, math.nan, 0.0, 0.0, math.nan, on_test, recipe.metric)
    return Trained(dict(module.state_dict()), 1, (epoch,), scores)
