"""The typed facts of a stream's spec, checked where a spec comes out of a file that may be a stranger's.

The spec itself keeps the facts as they were stored: its hash is of that text, so nothing is converted here.
"""

import json
from functools import lru_cache

from pydantic import BaseModel, ConfigDict, ValidationError

from aqa_pipeline.misfit import explain_misfit
from aqa_pipeline.records import SpecValue, StreamSpec

NUM_CACHED = 256  # specs; a store has few, and a record of each video repeats them


class SamplingFacts(BaseModel):
    """How frames were chosen."""

    rate_fps: float | None = None
    frames_per_step: int | None = None
    rest: str | None = None
    span: str | None = None
    views: str | None = None
    num_frames: int | None = None
    stride: int | None = None


class NetworkFacts(BaseModel):
    """Which network made the features, and how."""

    backbone: str | None = None
    weights: str | None = None
    preprocess: str | None = None
    precision: str | None = None
    plugin: str | None = None
    endpoint: str | None = None
    dtype: str | None = None


class AthleteFacts(BaseModel):
    """Who found and followed the athlete of crops and tubes."""

    detector: str | None = None
    person: str | None = None
    tracker: str | None = None
    start: str | None = None
    init_box: str | None = None
    doubt_below: float | None = None
    look_seconds: float | None = None
    again_seconds: float | None = None
    missed_looks: int | None = None


class ImportedFacts(BaseModel):
    """Where features that others made come from."""

    imported: str | None = None
    dim: int | None = None
    step_seconds: float | str | None = None
    times: str | None = None
    files_sha256: str | None = None


class SimulatedFacts(BaseModel):
    """How features were drawn around known labels."""

    simulated: bool | None = None
    simulation_version: int | None = None
    effect: float | None = None
    signal: str | None = None
    seed: int | None = None


class SpecFacts(SamplingFacts, NetworkFacts, AthleteFacts, ImportedFacts, SimulatedFacts):
    """All facts that this package writes.

    Another program's stream may have more facts. Their values must be plain.
    """

    model_config = ConfigDict(strict=True, extra="allow")
    __pydantic_extra__: dict[str, SpecValue]

    stream: str


@lru_cache(maxsize=NUM_CACHED)
def parse_spec(text: str) -> StreamSpec:
    """Return the spec in that JSON text.

    Raise `ValueError`, which names the field, what came and what was expected, if the text does not fit.
    """
    try:
        facts = SpecFacts.model_validate(json.loads(text))
    except ValidationError as error:
        raise ValueError(f"its spec does not fit: {explain_misfit(error)}") from error
    if not facts.stream:
        raise ValueError("its spec does not fit: stream is '', expected a name")
    return StreamSpec.from_json(text)
