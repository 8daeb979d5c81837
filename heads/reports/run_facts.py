"""The facts of a run at the end of its report: data, head, what was chosen, recipe, versions."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from aqa_pipeline.spec_facts import typed_facts
from heads.runs.inner_choice import InnerChoice, read_choice
from heads.runs.run_config import RunConfig, SplitConfig
from heads.runs.title import is_closed_form
from heads.runs.trained_cell import split_folder

PLOTS = "plots"
# Fields of a recipe that mean nothing for a head that is fitted in closed form.
OF_EPOCHS = (
    "epochs",
    "batch_size",
    "optimization",
    "adaptation",
    "frozen",
    "windows",
    "loss",
)


def run_facts(run_dir: Path, config: RunConfig) -> Iterator[tuple[str, str]]:
    """Yield a run's facts as names and texts."""
    yield "Dataset", f"{config.dataset.name} at {config.dataset.root}"
    yield "Target", config.target.name
    yield "Head", f"{config.head.name}, variant {config.head.variant}"
    yield from _splits(config.splits)
    yield from _chosen(run_dir, config.splits)
    yield "Seeds", ", ".join(map(str, config.training.seeds))
    for name, spec in config.specs.items():
        facts = typed_facts(spec)
        weights = facts.weights or "unknown"
        weights = f"RANDOM WEIGHTS ({weights})" if weights.startswith("random:") else weights
        yield (
            f"Stream {name}",
            f"backbone {facts.backbone or 'unknown'}; weights {weights}; spec {spec.hash}",
        )
    recipe = vars(next(iter(config.splits.values())).recipe)
    unused = OF_EPOCHS if is_closed_form(config) else ()
    told = {
        name.replace("_", " "): _plain_text(value) for name, value in recipe.items() if name not in unused
    }
    yield "Recipe", "; ".join(f"{name}: {value}" for name, value in told.items())
    yield "Versions", ", ".join(f"{name} {number}" for name, number in config.software.versions.items())
    yield "Plots", f"{run_dir / PLOTS} (SVG and PNG)"


def _splits(splits: Mapping[str, SplitConfig]) -> Iterator[tuple[str, str]]:
    """Return one row for all splits of the same sizes."""
    names: dict[str, list[str]] = {}
    for name, split in splits.items():
        sizes = f"{split.num_train} training videos, {split.num_test} test videos"
        names.setdefault(sizes, []).append(name)
    for sizes, equal in names.items():
        yield f"Split{'s' * (len(equal) > 1)}", f"{', '.join(equal)}: {sizes}"


def _plain_text(value: object) -> str:
    """Return a value of a recipe without brackets: 7 of tubes, 150 and 180, none."""
    if isinstance(value, dict):
        return " and ".join(f"{number} of {name}" for name, number in value.items())
    if isinstance(value, tuple):
        return " and ".join(map(str, value)) or "none"
    return str(value)


def _chosen(run_dir: Path, splits: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield one fact per choice, which several splits may share; heads without a choice have none."""
    names: dict[str, list[str]] = {}
    for split in splits:
        if (choice := read_choice(split_folder(run_dir, split))) is not None:
            names.setdefault(_in_words(choice), []).append(split)
    for text, equal in names.items():
        yield "Chosen by inner folds", f"{', '.join(equal)}: {text}"


def _in_words(choice: InnerChoice) -> str:
    kept = choice.regularization
    text = (
        f"{choice.epochs} epochs, weight decay {kept.weight_decay:g}, dropout {kept.dropout:g} "
        f"and {kept.input_dropout:g} of the input"
    )
    if choice.ridge_share is None:
        return text
    return f"{text}; ridge regression has {100 * choice.ridge_share:.0f} % of the score, the network the rest"
