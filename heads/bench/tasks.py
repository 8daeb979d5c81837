"""One fit of a bench, in plain values that can be sent to another process."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.errors import RunError
from aqa_pipeline.records import Dataset, StreamSpec
from aqa_pipeline.store import Store
from heads.data.stored_specs import SpecChoice
from heads.registry import HeadKind
from heads.runs.config import read_config
from heads.runs.trained_cell import cell_folder, is_complete
from heads.training.options import FeatureOptions, FitOptions, FitRequest, TrainingOptions
from heads.training.pool.workload import SECONDS_PER_EPOCH, UNKNOWN_HEAD_SECONDS, Load, Place


@dataclass(frozen=True)
class BenchTask:
    """The fit of one head on one block, `place`; `dataset` are its adapter, its folder and its name."""

    place: Place
    options: FitOptions
    dataset: tuple[str, Path, str]
    store: Path
    out: Path
    num_epochs: int

    @classmethod
    def of(
        cls,
        place: Place,
        *,
        kind: HeadKind,
        variant: str,
        shuffled: bool,
        dataset: Dataset,
        target: str,
        spec: StreamSpec,
        splits: tuple[str, ...],
        options: FitOptions,
        store: Path,
        out: Path,
    ) -> "BenchTask":
        """Return the fit of that head; `options` hold what all fits of the bench share."""
        lengths = {spec.stream: [1]}  # the number of epochs does not depend on the lengths of the videos
        recipes = [kind.choose_recipe(dataset.adapter, split, variant, lengths) for split in splits]
        at_once = all(recipe.is_closed_form for recipe in recipes)
        epochs = None if at_once else options.training.epochs
        shared: dict[str, Any] = dict(options.training)
        training = TrainingOptions(
            **shared | {"epochs": epochs, "shuffle_labels": shuffled, "baselines": False}
        )
        features = FeatureOptions(
            streams=(spec.stream,),
            specs=SpecChoice({spec.stream: spec.hash}),
            allow_missing=options.features.allow_missing,
        )
        return cls(
            place=place,
            options=FitOptions(
                head=kind.name,
                variant=variant,
                target=target,
                splits=splits,
                features=features,
                training=training,
            ),
            dataset=(dataset.adapter, dataset.root, dataset.name),
            store=store,
            out=out,
            num_epochs=sum(epochs or recipe.epochs for recipe in recipes) * len(training.seeds),
        )

    @property
    def load(self) -> Load:
        """The epochs of all splits and seeds, and the guessed time of one."""
        head, per_epoch = self.options.head, SECONDS_PER_EPOCH.get(self.options.head, UNKNOWN_HEAD_SECONDS)
        return Load(self.num_epochs, per_epoch, (head, self.options.variant, self.place[0]))

    def request(self) -> FitRequest:
        """Return the fit; load the labels of the dataset."""
        adapter, root, name = self.dataset
        return FitRequest(self.options, load_dataset(adapter, root, called=name), Store(self.store), self.out)


def is_finished(task: BenchTask) -> bool:
    """Return True if the run directory holds all splits and seeds of exactly these options.

    Features are compared by their spec only, as `aqa reproduce` does. The device may differ.
    """
    options = task.options
    cells = [(split, seed) for split in options.splits for seed in options.training.seeds]
    if not all(is_complete(cell_folder(task.out, split=split, seed=seed)) for split, seed in cells):
        return False
    if not (task.out / "summary.json").is_file():
        return False
    try:
        there = FitOptions.from_config(read_config(task.out))
    except RunError:  # damaged or of another version: the fit will say what is wrong
        return False
    device = {"device": options.training.device}
    return there.model_copy(update={"training": there.training.model_copy(update=device)}) == options
