"""The title of a run, and what must be said of it beside its numbers."""

from heads.runs.run_config import RunConfig


def run_title(config: RunConfig) -> str:
    """Return one line with the head, its streams, the dataset and the target."""
    head = f"{config.head.name} ({config.head.variant})"
    return f"{head} on {' and '.join(config.streams)} of {config.dataset.name}, target {config.target.name}"


def is_closed_form(config: RunConfig) -> bool:
    """Return True if the head has no epochs, as a support vector regression has none."""
    return all(split.recipe.is_closed_form for split in config.splits.values())


def run_flags(config: RunConfig) -> tuple[str, ...]:
    """Return the reasons why the numbers are no result, in capitals; nothing for an honest run."""
    flags = {
        "SIMULATED": config.simulated,
        "RANDOM WEIGHTS": config.random_weights,
        "IMPORTED": bool(config.head.imported),
        "SHUFFLED LABELS": config.training.shuffle_labels,
        "NOT MODEL SELECTION": config.training.select == "best-on-test",
        "GROUPS OVERLAP": any(split.num_sharing_group for split in config.splits.values()),
    }
    return tuple(flag for flag, raised in flags.items() if raised)
