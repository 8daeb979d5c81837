"""Which stored features a head reads: the only ones of a stream, or those that are chosen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aqa_pipeline.errors import RunError
from aqa_pipeline.records import Dataset, StreamSpec
from aqa_pipeline.spec_facts import typed_facts
from aqa_pipeline.store import Store
from heads.data.streams import MAP_STREAMS, PIXELS


@dataclass(frozen=True)
class SpecChoice:
    """What is chosen among features that a stream has in several ways.

    `hashes` are starts of a spec's hash by stream, `backbones` names of networks by stream; "" stands for
    every stream that has features of that network.
    """

    hashes: Mapping[str, str] = field(default_factory=dict)
    backbones: Mapping[str, str] = field(default_factory=dict)

    def fitting(self, stream: str, stored: Sequence[StreamSpec]) -> list[StreamSpec]:
        """Return the stored specs of that stream that may be meant."""
        named = [spec for spec in stored if spec.hash.startswith(self.hashes.get(stream, ""))]
        if stream in self.backbones:
            return [spec for spec in named if typed_facts(spec).backbone == self.backbones[stream]]
        of_common = [spec for spec in named if typed_facts(spec).backbone == self.backbones.get("")]
        return of_common or named

    def in_words(self, stream: str) -> str:
        """Return what was chosen for that stream, in words; "" if nothing was."""
        chosen = [repr(self.hashes[stream])] if stream in self.hashes else []
        backbone = self.backbones.get(stream, self.backbones.get(""))
        return " and ".join([*chosen, *([f"--backbone {backbone}"] if backbone else [])])


def choose_specs(
    store: Store, dataset: Dataset, streams: Sequence[str], *, choice: SpecChoice | None = None
) -> dict[str, StreamSpec]:
    """Return the spec to read of each stream: the only one stored, or the only one that fits the choice.

    Raises `RunError` if there is none, or if several are left.
    """
    choice = choice or SpecChoice()
    unknown = sorted({*choice.hashes, *choice.backbones} - {*streams, ""})
    if unknown:
        raise RunError(f"specs are chosen for {unknown}, but the head reads {list(streams)} only.")
    stored = {stream: store.specs(dataset.name, stream) for stream in streams}
    if lacking := [stream for stream in streams if not stored[stream]]:
        raise RunError(_absence(store, dataset, streams, lacking=lacking))
    _check_common_backbone(choice, stored, dataset)
    return {stream: _choose_spec(store, dataset, stream, stored[stream], choice) for stream in streams}


def _absence(store: Store, dataset: Dataset, streams: Sequence[str], *, lacking: Sequence[str]) -> str:
    """Name the streams that are not there, how to get them, and which others could be read instead."""
    text = (
        f"{store.root} has no {' and no '.join(repr(stream) for stream in lacking)} of {dataset.name}. Make "
        f"them with `{making_command(store, dataset, lacking)}`"
    )
    others = readable_instead(store, dataset, streams)
    if not others:
        return f"{text}."
    return f"{text}, or read what is there with `--streams {','.join(others)}`."


def readable_instead(store: Store, dataset: Dataset, streams: Sequence[str]) -> list[str]:
    """Return those of `streams` that are stored, else another stored stream of the same kind."""
    stored = dict.fromkeys(row.spec.stream for row in store.contents() if row.dataset == dataset.name)
    wanted = _kind(streams[0])
    kind = [stream for stream in stored if _kind(stream) == wanted]
    return [stream for stream in streams if stream in kind] or kind[:1]


def _kind(stream: str) -> str:
    return stream if stream == PIXELS else "maps" if stream in MAP_STREAMS else "features"


def _check_common_backbone(
    choice: SpecChoice, stored: Mapping[str, Sequence[StreamSpec]], dataset: Dataset
) -> None:
    wanted = choice.backbones.get("")
    known = {str(typed_facts(spec).backbone) for of_stream in stored.values() for spec in of_stream}
    if wanted is not None and wanted not in known:
        raise RunError(
            f"no {' and no '.join(stored)} of {dataset.name} of the backbone {wanted!r} are stored, but of "
            f"{', '.join(sorted(known))}."
        )


def _choose_spec(
    store: Store, dataset: Dataset, stream: str, stored: Sequence[StreamSpec], choice: SpecChoice
) -> StreamSpec:
    fitting = choice.fitting(stream, stored)
    if len(fitting) == 1:
        return fitting[0]
    listed = "\n".join(f"  {spec.hash}: {_describe(spec, stored)}" for spec in stored)
    chosen = choice.in_words(stream)
    wanted = f", and {chosen} chooses {len(fitting) or 'none'} of them" if chosen else ""
    raise RunError(
        f"{store.root} has {stream!r} of {dataset.name} made in {len(stored)} ways{wanted}:\n{listed}\n"
        f"{_advice(stream, fitting or stored)}"
    )


def _advice(stream: str, specs: Sequence[StreamSpec]) -> str:
    by_hash = f"by its hash, such as --spec {stream}={specs[0].hash}"
    backbones = [str(typed_facts(spec).backbone) for spec in specs]
    alone = [name for name in backbones if backbones.count(name) == 1]
    if not alone or len(specs) == 1:
        return f"Choose one {by_hash}."
    return f"Choose one by its network, such as --backbone {stream}={alone[0]}, or {by_hash}."


def _describe(spec: StreamSpec, among: Sequence[StreamSpec]) -> str:
    """Return the facts in which this spec differs from the others; all facts if there is no other."""
    telling = {
        name
        for other in among
        for name in {*spec.facts, *other.facts}
        if spec.facts.get(name) != other.facts.get(name)
    }
    return ", ".join(
        f"{name}={value}" for name, value in spec.facts.items() if name in telling or not telling
    )


def making_command(store: Store, dataset: Dataset, streams: Sequence[str]) -> str:
    """Return the command that makes these streams, as the dataset's others were made."""
    specs = [row.spec for row in store.contents() if row.dataset == dataset.name]
    place = f"--dataset {dataset.adapter} --root {dataset.root}{_called(dataset)}"
    if specs and all(spec.imported for spec in specs):
        return f"aqa store import {store.root} {place} --stream {streams[0]} --features FOLDER"
    if specs and all(spec.simulated for spec in specs):
        like = f"--like {dataset.adapter} --root {dataset.root}"
        return f"aqa simulate {like} --store {store.root} --streams {','.join(streams)}"
    return extract_command(store, dataset, streams)


def extract_command(store: Store, dataset: Dataset, streams: Sequence[str]) -> str:
    """Return the command that extracts these streams."""
    return (
        f"aqa extract --dataset {dataset.adapter} --root {dataset.root}{_called(dataset)} "
        f"--store {store.root} --streams {','.join(streams)}"
    )


def _called(dataset: Dataset) -> str:
    return f" --name {dataset.name}" if dataset.name not in (dataset.adapter, dataset.root.name) else ""
