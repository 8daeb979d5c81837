"""What the options of commands are in a project, where neither the command line nor the environment says."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from aqa_pipeline.project.find import Project

OWN = "folder"
OF_ANOTHER_DATASET = ("--dataset", "--root", "--store", "--name", "--repeat", "--preview")


def option_defaults(project: Project, command: str, words: Sequence[str]) -> Mapping[str, Any]:
    """Return the defaults of a command's options by parameter; none if `words` name another dataset.

    `words` is the rest of the command line. Options that the project leaves open are left out.
    """
    if any(word.split("=")[0] in OF_ANOTHER_DATASET for word in words):
        return {}
    file = project.file
    names_streams = "AQA_EXTRACT_STREAMS" in os.environ or any(word.startswith("--streams") for word in words)
    dataset = {"dataset": OWN, "root": project.root, "called": project.name, "store": project.store}
    defaults: dict[str, dict[str, Any]] = {
        "extract": dataset
        | {
            "preset": file.preset,
            "detector": file.detector,
            "tracker": file.tracker,
            "head": None if names_streams else file.head,
        },
        "fit": dataset
        | {
            "out": project.run,
            "head": file.head,
            "target": file.target,
            "splits": file.split,
            "folds": file.folds,
        },
        "measure": dataset,
        "score": {"run": project.run},
        "evaluate": {"run": project.run},
        "report": {"runs": (project.run,)},
        "store": {name: {"path": project.store} for name in ("ls", "verify")},
    }
    return {name: value for name, value in defaults.get(command, {}).items() if value is not None}
