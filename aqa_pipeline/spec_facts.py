"""The typed facts of a stream's spec, checked where a spec comes out of a file that may be a stranger's.

The spec itself keeps the facts as they were stored: its hash is of that text, so nothing is converted there.
Code reads facts from the record that `typed_facts` returns: the type checker finds a misspelled name.
"""

import json
from functools import lru_cache
from typing import TypeVar

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
    """Who found and followed the athlete of crops, tubes and stored frames."""

    detector: str | None = None
    person: str | None = None
    tracker: str | None = None
    start: str | None = None
    init_box: str | None = None
    doubt_below: float | None = None
    look_seconds: float | None = None
    again_seconds: float | None = None
    missed_looks: int | None = None


class PoseFacts(BaseModel):
    """Which joints the network of poses finds, and what their coordinates mean."""

    joints: str | None = None
    coordinates: str | None = None
    region: str | None = None
    pose_features: int | None = None


class PictureFacts(BaseModel):
    """How frames are stored: their size in pixels, the filter that resized them, and their encoding."""

    width: int | None = None
    height: int | None = None
    resize: str | None = None
    encoding: str | None = None
    quality: int | None = None
    subsampling: str | None = None


class ImportedFacts(BaseModel):
    """Where features that others made come from."""

    imported: str | None = None
    dim: int | None = None
    step_seconds: float | str | None = None
    times: str | None = None
    files_sha256: str | None = None
    average_views: bool | None = None


class SimulatedFacts(BaseModel):
    """How features were drawn around known labels."""

    simulated: bool | None = None
    simulation_version: int | None = None
    effect: float | None = None
    signal: str | None = None
    seed: int | None = None


class SpecFacts(
    SamplingFacts, NetworkFacts, AthleteFacts, PoseFacts, PictureFacts, ImportedFacts, SimulatedFacts
):
    """All facts that this package writes.

    Another program's stream may have more facts. Their values must be plain.
    """

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)
    __pydantic_extra__: dict[str, SpecValue]

    stream: str


Facts = TypeVar("Facts", bound=SpecFacts)


class ExtractedFacts(SpecFacts):
    """The facts of a stream that a network here made of videos; these five are always there."""

    backbone: str
    weights: str
    preprocess: str
    precision: str
    dtype: str


def typed_facts(spec: StreamSpec) -> SpecFacts:
    """Return the typed facts of a spec; an absent fact is None. Raise `ValueError` as `parse_spec` does."""
    return _parse_facts(spec.to_json(), SpecFacts)


def extracted_facts(spec: StreamSpec) -> ExtractedFacts:
    """Return the typed facts of a stream that was extracted here. Raise `ValueError` if one is absent."""
    return _parse_facts(spec.to_json(), ExtractedFacts)


def parse_spec(text: str) -> StreamSpec:
    """Return the spec in that JSON text.

    Raise `ValueError`, which names the field, what came and what was expected, if the text does not fit.
    """
    if not _parse_facts(text, SpecFacts).stream:
        raise ValueError("its spec does not fit: stream is '', expected a name")
    return StreamSpec.from_json(text)


def _parse_facts(text: str, kind: type[Facts]) -> Facts:
    facts = _parse_cached(text, kind)
    assert isinstance(facts, kind)
    return facts


@lru_cache(maxsize=NUM_CACHED)
def _parse_cached(text: str, kind: type[SpecFacts]) -> SpecFacts:
    try:
        return kind.model_validate(json.loads(text))
    except ValidationError as error:
        raise ValueError(f"its spec does not fit: {explain_misfit(error)}") from error
