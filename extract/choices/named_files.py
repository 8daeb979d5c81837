"""The files that a person named to make features. A run keeps their paths, and `aqa score` tries them first.

Their digests are in the spec of the features, so that another file at the same path is noticed before it is
loaded.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from aqa_pipeline.errors import AqaError
from aqa_pipeline.records import Dataset, StreamSpec
from aqa_pipeline.spec_facts import typed_facts
from aqa_pipeline.store import Origin
from aqa_pipeline.weights.identity import digest_of_any
from extract.choices.options import StreamOptions
from extract.streams import get_stream_kind

OPTIONS = {"weights": "--weights", "detector": "--detector", "tracker_weights": "--tracker-weights"}
# A run may come from a stranger: other exports are loaded only when a person names them.
SAFE_FOLDERS = "_openvino_model"


def named_files(spec: StreamSpec, options: StreamOptions) -> dict[str, str]:
    """Return the full paths of the files that `options` name for that stream, by option; often none."""
    kind = get_stream_kind(spec.stream)
    facts = typed_facts(spec)
    found = {} if kind.takes == "nothing" else {"weights": options.networks.weights_of(kind.name)}
    if facts.detector is not None:
        found["detector"] = options.athlete.detector or ""
    if facts.tracker is not None:
        found["tracker_weights"] = options.athlete.tracker_weights or ""
    return {option: _full(text) for option, text in found.items() if _is_path(option, text)}


def origin_of(dataset: Dataset, specs: Sequence[StreamSpec], options: StreamOptions) -> Origin:
    """Return where the features come from: the dataset's folder, and the files that `options` name."""
    files = {spec.hash: named_files(spec, options) for spec in specs}
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


def with_named_files(spec: StreamSpec, options: StreamOptions, files: Mapping[str, str]) -> StreamOptions:
    """Return the options with the run's own files for those that are left open.

    Raise `AqaError` if such a file is gone or has changed.
    """
    for option, kept in files.items():
        if option not in OPTIONS or _is_chosen(option, spec, options):
            continue
        path = Path(kept.rpartition("yolo:")[2])
        if problem := _problem(path, _fact(option, spec)):
            form = "yolo:PATH" if option == "detector" else "PATH"
            raise AqaError(
                f"the run's {spec.stream} were made with {path}, {problem}: name the same file with "
                f"{OPTIONS[option]} {form}."
            )
        options = _with(option, kept, spec, options)
    return options


def _fact(option: str, spec: StreamSpec) -> str:
    """Return what the spec says of the file that is named by that option."""
    facts = typed_facts(spec)
    by_option = {"weights": facts.weights, "detector": facts.detector, "tracker_weights": facts.tracker}
    return by_option[option] or ""


def _is_chosen(option: str, spec: StreamSpec, options: StreamOptions) -> bool:
    if option == "weights":
        return bool({spec.stream, ""} & set(options.networks.weights))
    athlete = options.athlete
    if option == "detector":
        return athlete.detector is not None
    return athlete.tracker_weights is not None or athlete.tracker is not None


def _with(option: str, kept: str, spec: StreamSpec, options: StreamOptions) -> StreamOptions:
    if option == "weights":
        weights = {**options.networks.weights, spec.stream: kept}
        return options.changed(networks=options.networks.changed(weights=weights))
    return options.changed(athlete=options.athlete.changed(**{option: kept}))


def _problem(path: Path, fact: str) -> str | None:
    """Return why that file is not taken; None if it fits the spec as far as its digest says."""
    if not path.exists():
        return "which is gone"
    if path.is_dir() and not path.name.endswith(SAFE_FOLDERS) and "yolo" in fact:
        return "a folder that is loaded only when it is named"
    digests = re.findall(r"(?<![a-z]:)\bsha256:([0-9a-f]{64})", fact)
    if len(digests) == 1 and digest_of_any(path) != digests[0]:
        return "which is another file now"
    return None
