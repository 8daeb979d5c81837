"""What must be said of a run beside its numbers."""

from collections.abc import Mapping
from typing import Any


def run_title(config: Mapping[str, Any]) -> str:
    """What was learned from what, in one line."""
    head, target = f"{config['head']} ({config['variant']})", config["target"]["name"]
    return f"{head} on {' and '.join(config['specs'])} of {config['dataset']['name']}, target {target}"


def is_fitted_at_once(config: Mapping[str, Any]) -> bool:
    """Return whether the head has no epochs, as a support vector regression has none."""
    return all(split["recipe"].get("optimiser") == "closed-form" for split in config["splits"].values())


def run_flags(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Why its numbers are no result, in capitals; nothing for an honest run."""
    flags = {
        "SIMULATED": config["simulated"],
        "RANDOM WEIGHTS": config["random_weights"],
        "SHUFFLED LABELS": config["shuffle_labels"],
        "NOT MODEL SELECTION": config["select"] == "best-on-test",
        "GROUPS OVERLAP": any(split.get("num_sharing_group") for split in config["splits"].values()),
    }
    return tuple(flag for flag, raised in flags.items() if raised)
