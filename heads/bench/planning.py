"""The plan of a bench: its blocks, the fits of each block, and what cannot be fitted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aqa_pipeline.datasets.cross_validation import choose_splits
from aqa_pipeline.errors import AqaError, RunError
from aqa_pipeline.records import Dataset
from aqa_pipeline.store import Store, file_name
from heads.bench.encoders import Encoder, choose_encoders, stored_encoders
from heads.bench.measuring import MEAN, RIDGE
from heads.bench.records import CONTROL_ENDING, FailedRecord
from heads.bench.tasks import BenchTask
from heads.registry import HeadKind, find_head
from heads.runs.settled_folder import open_settled_folder
from heads.training.options import FitOptions

ALWAYS = (MEAN, RIDGE)
USUAL_CONTROL = "stack"
RUNS = "runs"


@dataclass(frozen=True)
class BenchHead:
    """A head to bench. `variant` None stands for the head's default on each dataset."""

    kind: HeadKind
    variant: str | None = None
    is_control: bool = False

    @property
    def row(self) -> str:
        """The name of its row and of its run's folder: `stack`, `core-released`, `stack-shuffled`."""
        variant = f"-{self.variant}" if self.variant else ""
        return f"{self.kind.name}{variant}{CONTROL_ENDING if self.is_control else ''}"


@dataclass(frozen=True)
class BenchSettings:
    """What a bench asks for; `options` holds seeds, epochs, device and splits, which all its fits share.

    `targets` are the names of targets by dataset, with "" for all others; none stands for the first target.
    """

    out: Path
    options: FitOptions
    heads: tuple[str, ...]
    encoders: tuple[str, ...] = ()
    targets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Block:
    """One dataset with its target and one encoder, and the run of each row relative to the bench's folder."""

    name: str
    encoder: str
    runs: Mapping[str, str]


@dataclass(frozen=True)
class BenchPlan:
    """The blocks of a bench, the fits that it needs, and those that cannot be made."""

    settings: BenchSettings
    blocks: tuple[Block, ...]
    tasks: tuple[BenchTask, ...]
    failed: tuple[FailedRecord, ...]


def heads_of(names: Sequence[str]) -> list[BenchHead]:
    """Return the heads of these names (`HEAD` or `HEAD:VARIANT`), baselines first and the control last.

    The control is `stack` if it is named, else the first head that is trained on the target alone. Raises
    `UnknownName`, and `RunError` for a head that reads maps: the baselines cannot read them.
    """
    found = {head.row: head for head in map(BenchHead, map(find_head, ALWAYS))}
    for name in names:
        head = _head_of(name)
        found.setdefault(head.row, head)
    asked = [head for row, head in found.items() if row not in ALWAYS and not head.kind.of_judges]
    usual = [head for head in asked if head.kind.name == USUAL_CONTROL]
    control = (usual or asked or [found[RIDGE]])[0]
    return [*found.values(), BenchHead(control.kind, control.variant, is_control=True)]


def _head_of(name: str) -> BenchHead:
    head, _, variant = name.partition(":")
    kind = find_head(head)
    if kind.reads_maps:
        raise RunError(
            f"{kind.name} reads maps, which {' and '.join(ALWAYS)} cannot read: a bench compares heads on "
            "features only. Leave it out."
        )
    if variant:
        kind.check_variant(variant)
    return BenchHead(kind, variant or None)


def open_bench(settings: BenchSettings) -> None:
    """Make the bench's folder, or check that its runs have these settings; heads and datasets may differ.

    Raises `RunError` for other settings, or if the folder holds something else.
    """
    options = settings.options
    asked = {
        "seeds": list(options.training.seeds),
        "epochs": options.training.epochs,
        "splits": list(options.splits),
        "allow_missing": options.features.allow_missing,
    }
    open_settled_folder(settings.out, asked, what="bench")


def plan_bench(settings: BenchSettings, datasets: Sequence[Dataset], store: Store) -> BenchPlan:
    """Return the plan of a bench on these datasets, whose features are in the store; train nothing.

    Raises `UnknownName` and `RunError` for heads, encoders and targets that cannot be benched at all. What
    is impossible for a single dataset is among the plan's `failed`.
    """
    heads = heads_of(settings.heads)
    _check_targets(settings.targets, datasets)
    encoders = choose_encoders(
        {each.name: stored_encoders(store, each.name) for each in datasets}, settings.encoders
    )
    plans = _Plans(settings, store, heads)
    for dataset in datasets:
        names = settings.targets.get(dataset.name, settings.targets.get("", ()))
        for target in names or (dataset.target().name,):
            for encoder in encoders[dataset.name]:
                plans.add(dataset, dataset.target(target).name, encoder)
    return BenchPlan(settings, tuple(plans.blocks), tuple(plans.tasks), tuple(plans.failed))


def _check_targets(targets: Mapping[str, tuple[str, ...]], datasets: Sequence[Dataset]) -> None:
    unknown = sorted(set(targets) - {"", *(each.name for each in datasets)})
    if unknown:
        known = ", ".join(each.name for each in datasets)
        raise RunError(f"--target names {unknown[0]!r}, which is none of the bench's datasets ({known}).")


@dataclass
class _Plans:
    """A plan to which blocks are added."""

    settings: BenchSettings
    store: Store
    heads: Sequence[BenchHead]
    blocks: list[Block] = field(default_factory=list)
    tasks: list[BenchTask] = field(default_factory=list)
    failed: list[FailedRecord] = field(default_factory=list)

    def add(self, dataset: Dataset, target: str, encoder: Encoder | str) -> None:
        """Add a block with a fit for each head, or the reason why it cannot be fitted."""
        place = file_name(dataset.name if target == dataset.target().name else f"{dataset.name}-{target}")
        if isinstance(encoder, str):
            self._fail(place, encoder)
            return
        name = f"{place}/{encoder.name}"
        try:
            splits = choose_splits(dataset, self.settings.options.splits, target=target)
            if not splits:
                raise RunError(f"{dataset.name} has no split: expected at least 2 videos with a score.")
        except AqaError as error:
            self._fail(name, str(error))
            return
        self.blocks.append(
            Block(
                name, encoder.name, {head.row: f"{RUNS}/{name}/{file_name(head.row)}" for head in self.heads}
            )
        )
        self.tasks += [
            self._task(name, head, dataset, target, encoder, tuple(split.name for split in splits))
            for head in self.heads
        ]

    def _fail(self, name: str, reason: str) -> None:
        self.failed += [FailedRecord(block=name, row=head.row, reason=reason) for head in self.heads]

    def _task(
        self,
        block: str,
        head: BenchHead,
        dataset: Dataset,
        target: str,
        encoder: Encoder,
        splits: tuple[str, ...],
    ) -> BenchTask:
        return BenchTask.of(
            (block, head.row),
            kind=head.kind,
            variant=head.variant or head.kind.default_variant(dataset.adapter),
            shuffled=head.is_control,
            dataset=dataset,
            target=target,
            spec=encoder.spec,
            splits=splits,
            options=self.settings.options,
            store=self.store.root,
            out=self.settings.out.joinpath(RUNS, *block.split("/"), file_name(head.row)),
        )
