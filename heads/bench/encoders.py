"""Encoders of a bench: stored streams of features, each named by its stream and its backbone."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aqa_pipeline.errors import RunError
from aqa_pipeline.records import StreamSpec
from aqa_pipeline.spec_facts import typed_facts
from aqa_pipeline.store import Store, file_name
from heads.bench.records import encoder_name
from heads.data.streams import LARGE_STREAMS


@dataclass(frozen=True)
class Encoder:
    """One stored stream of features; `name` is that of its folder in a bench."""

    name: str
    spec: StreamSpec


def stored_encoders(store: Store, dataset: str) -> list[Encoder]:
    """Return every stored stream of features of a dataset; maps and pictures are left out.

    The name is `STREAM-BACKBONE`, or `STREAM` without a known backbone. The hash of the spec follows if two
    streams would have the same name.
    """
    specs = [row.spec for row in store.contents() if row.dataset == dataset]
    features = sorted(
        {spec for spec in specs if spec.stream not in LARGE_STREAMS},
        key=lambda spec: (spec.stream, spec.hash),
    )
    times = Counter(map(_name, features))
    return [
        Encoder(file_name(_name(spec) if times[_name(spec)] == 1 else f"{_name(spec)}-{spec.hash}"), spec)
        for spec in features
    ]


def _name(spec: StreamSpec) -> str:
    return encoder_name(spec.stream, typed_facts(spec).backbone)


def choose_encoders(
    stored: Mapping[str, Sequence[Encoder]], names: Sequence[str]
) -> dict[str, list[Encoder | str]]:
    """Return the encoders to bench for each dataset; a text says why an encoder cannot be chosen there.

    A name is a backbone, a stream, `STREAM=BACKBONE`, `STREAM=HASH` or the name of an encoder. Without names
    all stored encoders are chosen. Raises `RunError` for a name that fits no stored features of any dataset,
    and for a dataset without features if nothing is named.
    """
    if not names:
        for dataset, encoders in stored.items():
            if not encoders:
                raise RunError(f"no features of {dataset} are stored: run `aqa extract` first.")
        return {dataset: list(encoders) for dataset, encoders in stored.items()}
    for name in names:
        if not any(_fits(encoder, name) for encoders in stored.values() for encoder in encoders):
            known = sorted({encoder.name for encoders in stored.values() for encoder in encoders})
            raise RunError(
                f"no stored features of the encoder {name!r}. Stored: {', '.join(known) or 'none'}."
            )
    return {
        dataset: list(dict.fromkeys(_choose(dataset, encoders, name) for name in names))
        for dataset, encoders in stored.items()
    }


def _choose(dataset: str, stored: Sequence[Encoder], name: str) -> Encoder | str:
    fitting = [encoder for encoder in stored if _fits(encoder, name)]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        return f"no features of {dataset} by the encoder {name!r} are stored."
    choices = ", ".join(encoder.name for encoder in fitting)
    raise RunError(f"{name!r} stands for several stored encoders of {dataset}: name one of {choices}.")


def _fits(encoder: Encoder, name: str) -> bool:
    stream, equals, rest = name.partition("=")
    backbone = typed_facts(encoder.spec).backbone
    if equals:
        by_hash = len(rest) >= 4 and encoder.spec.hash.startswith(rest)
        return encoder.spec.stream == stream and (backbone == rest or by_hash)
    return name in (encoder.name, encoder.spec.stream, backbone)
