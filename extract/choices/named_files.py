"""The files that a person named to make features: kept by path, and tried first when a video is scored.

Their digests stand in the spec of the features, so that another file in the same place is noticed before it
is loaded.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from aqa_pipeline.errors import AqaError
from aqa_pipeline.records import Dataset, StreamSpec
from aqa_pipeline.store import Origin
from aqa_pipeline.weights.identity import digest_of_any
from extract.choices.streams import Choices
from extract.streams import get_stream_kind

OPTIONS = {"weights": "--weights", "detector": "--detector", "tracker_weights": "--tracker-weights"}
FACTS = {"weights": "weights", "detector": "detector", "tracker_weights": "tracker"}
# A run may come from a stranger: other exports are loaded only when a person names them.
SAFE_FOLDERS = "_openvino_model"


def named_files(spec: StreamSpec, choices: Choices) -> dict[str, str]:
    """Return the full paths of the files that `choices` names for that stream, by option; often none."""
    kind = get_stream_kind(spec.stream)
    found = {"weights": choices.weights_of(kind.name)}
    if "detector" in spec.facts:
        found["detector"] = choices.detector
    if "tracker" in spec.facts:
        found["tracker_weights"] = choices.tubes.weights or ""
    return {option: _full(text) for option, text in found.items() if _is_path(option, text)}


def origin_of(dataset: Dataset, specs: Sequence[StreamSpec], choices: Choices) -> Origin:
    """Return where the features come from: the dataset's folder, and the files that `choices` names."""
    files = {spec.hash: named_files(spec, choices) for spec in specs}
    named = {key: each for key, each in files.items() if each}
    return Origin(dataset.adapter, dataset.name, dataset.root.absolute(), named)


def _is_path(option: str, text: str) -> bool:
    if option != "detector":
        return text not in ("", "official") and not text.startswith("random:")
    kind, _, model = text.partition(":")
    if kind != "yolo" or not model:
        return False
    from extract.detectors.yolo import MODELS

    return model not in MODELS


def _full(text: str) -> str:
    kind, separator, path = text.rpartition("yolo:")
    return f"{kind}{separator}{Path(path).absolute()}"


def with_named_files(spec: StreamSpec, choices: Choices, files: Mapping[str, str]) -> Choices:
    """Return the choices with the run's own files where they leave them open.

    Raises `AqaError` where such a file is gone, or is another one now.
    """
    for option, kept in files.items():
        if option not in OPTIONS or _is_chosen(option, spec, choices):
            continue
        path = Path(kept.rpartition("yolo:")[2])
        if problem := _problem(path, str(spec.facts.get(FACTS[option], ""))):
            form = "yolo:PATH" if option == "detector" else "PATH"
            raise AqaError(
                f"the run's {spec.stream} were made with {path}, {problem}: name the same file with "
                f"{OPTIONS[option]} {form}."
            )
        choices = _with(option, kept, spec, choices)
    return choices


def _is_chosen(option: str, spec: StreamSpec, choices: Choices) -> bool:
    if option == "weights":
        return bool({spec.stream, ""} & set(choices.weights or {}))
    if option == "detector":
        return bool(choices.detector)
    return choices.tubes.weights is not None or choices.tubes.tracker is not None


def _with(option: str, kept: str, spec: StreamSpec, choices: Choices) -> Choices:
    if option == "weights":
        return replace(choices, weights={**(choices.weights or {}), spec.stream: kept})
    if option == "detector":
        return replace(choices, detector=kept)
    return replace(choices, tubes=replace(choices.tubes, weights=kept))


def _problem(path: Path, fact: str) -> str | None:
    """Return why that file is not taken; None where it may be, for all that its digest tells."""
    if not path.exists():
        return "which is gone"
    if path.is_dir() and not path.name.endswith(SAFE_FOLDERS) and "yolo" in fact:
        return "a folder that is loaded only when it is named"
    digests = re.findall(r"(?<![a-z]:)\bsha256:([0-9a-f]{64})", fact)
    if len(digests) == 1 and digest_of_any(path) != digests[0]:
        return "which is another file now"
    return None
