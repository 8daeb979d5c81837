"""From the options of a fit to its plan: every choice is made and checked before anything is trained."""

import functools
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence

import torch

from aqa_pipeline.datasets.cross_validation import choose_splits
from aqa_pipeline.errors import RunError
from aqa_pipeline.plurals import counted
from aqa_pipeline.precision import check_precision
from aqa_pipeline.records import Dataset, Split, StreamSpec, Target
from heads.data.feature_set import (
    FeatureSet,
    check_complete,
    check_current,
    find_missing,
    load_features,
    raw_labels,
)
from heads.data.labels import LabelChoice, choose_labels, factors_of, find_unlabeled, training_labels
from heads.data.score_scale import scale_of
from heads.data.stored_specs import choose_specs
from heads.data.streams import PIXELS
from heads.registry import HeadKind, find_head
from heads.training.options import FitRequest
from heads.training.planning.fine_tuning import num_stored_frames, reading_of, tune_backbone
from heads.training.planning.plan import LeftOutVideos, Plan, PlannedFeatures, PlannedHead, SplitPlan


def resolve(request: FitRequest) -> Plan:
    """Make every choice of a request and check that it can be carried out, before anything is trained.

    Raises `UnknownName` and `RunError`, with what to do.
    """
    options, dataset, store = request.options, request.dataset, request.store
    head = find_head(options.head)
    variant = options.variant or head.default_variant(dataset.adapter)
    head.check_variant(variant)
    device = _resolve_device(request.training.device)
    check_precision(request.training.precision, device=device)
    target = dataset.target(options.target)
    labels = _choose_labels(request, head, target)
    splits, unlabeled = _choose_splits(request, target, labels.needed(target))
    specs = _choose_specs(request, head)
    missing = _find_missing(request, specs, splits)
    planned = _plan_head(request, head, variant, specs=specs, splits=splits, missing=missing)
    reading = reading_of(head, variant, planned.fine_tuning)

    @functools.lru_cache(maxsize=1)
    def load(video_ids: tuple[str, ...]) -> FeatureSet:
        return load_features(store, dataset, specs, target=target, video_ids=video_ids, reading=reading)

    plans, dims = [], {}
    for split in splits:
        in_split = {*split.train, *split.test} - set(missing)
        samples = load(tuple(v.video_id for v in dataset.videos if v.video_id in in_split))
        dims = samples.dims
        plans.append(_plan_split(request, split, samples, head=planned, labels=labels))
    return Plan(
        request=request,
        head=planned,
        features=PlannedFeatures(specs, dims, load),
        target=target,
        labels=labels,
        splits=plans,
        left_out=LeftOutVideos(missing, unlabeled),
        device=device,
        threads=request.training.threads or torch.get_num_threads(),
    )


def _choose_specs(request: FitRequest, head: HeadKind) -> dict[str, StreamSpec]:
    features = request.options.features
    if request.options.fine_tune is not None:
        if features.streams not in ((), (PIXELS,)):
            raise RunError(f"fine-tuning reads the stream {PIXELS}; got {','.join(features.streams)}.")
        return choose_specs(request.store, request.dataset, (PIXELS,), choice=features.specs)
    streams = features.streams or head.streams
    head.check_streams(streams)
    return choose_specs(request.store, request.dataset, streams, choice=features.specs)


def _plan_head(
    request: FitRequest,
    head: HeadKind,
    variant: str,
    *,
    specs: Mapping[str, StreamSpec],
    splits: Sequence[Split],
    missing: Collection[str],
) -> PlannedHead:
    options, store, dataset = request.options, request.store, request.dataset
    if options.fine_tune is None:
        return PlannedHead(head, variant, head.find_start(specs, options.features.second_stage))
    wanted = sorted({video_id for split in splits for video_id in (*split.train, *split.test)} - {*missing})
    num_stored = num_stored_frames(store, dataset.name, specs[PIXELS], wanted)
    tuned = tune_backbone(options.fine_tune, head, variant, num_stored=num_stored)
    fine_tuning = tuned.fine_tuning(dataset.adapter, splits[0].name)
    return PlannedHead(head, variant, lambda network: None, backbone=tuned, fine_tuning=fine_tuning)


def _choose_splits(
    request: FitRequest, target: Target, labels: Sequence[str]
) -> tuple[list[Split], tuple[str, ...]]:
    """Return the splits without the videos that lack one of the labels, and these videos."""
    dataset = request.dataset
    splits = choose_splits(dataset, request.options.splits, target=target.name)
    if not splits:
        raise RunError(
            f"{dataset.name} in {dataset.root} has no split: expected at least 2 videos with a score, "
            f"it has {sum(bool(video.labels) for video in dataset.videos)}."
        )
    unlabeled = find_unlabeled(dataset, labels, splits)
    return [split.without(unlabeled) for split in splits], unlabeled


def _choose_labels(request: FitRequest, head: HeadKind, target: Target) -> LabelChoice:
    difficulty = request.options.difficulty
    labels = choose_labels(request.dataset, target, of_judges=head.of_judges, difficulty=difficulty)
    if request.training.shuffle_labels and labels.factor:
        raise RunError(
            "shuffled labels are a control that can learn nothing, but the difficulty alone tells something "
            f"of the score: shuffle with --target {labels.predicted.name}"
            + (", without --difficulty." if difficulty else ".")
        )
    return labels


def _find_missing(
    request: FitRequest, specs: Mapping[str, StreamSpec], splits: Sequence[Split]
) -> dict[str, list[str]]:
    store, dataset = request.store, request.dataset
    wanted = sorted({video_id for split in splits for video_id in (*split.train, *split.test)})
    missing = find_missing(store, dataset, specs, video_ids=wanted)
    if not request.options.features.allow_missing:
        check_complete(missing, store=store, dataset=dataset, num_videos=len(wanted))
    check_current(store, dataset, specs, video_ids=set(wanted) - set(missing))
    return missing


def _plan_split(
    request: FitRequest,
    split: Split,
    samples: FeatureSet,
    *,
    head: PlannedHead,
    labels: LabelChoice,
) -> SplitPlan:
    train, test = samples.indices(split.train), samples.indices(split.test)
    if len(train) < 2 or len(test) < 2:
        raise RunError(
            f"split {split.name!r} has {counted(len(train), 'video')} to train and {len(test)} to test on "
            "that have features: expected at least 2 of each. Extract more videos, or name another split."
        )
    steps = {stream: lengths[torch.from_numpy(train)].tolist() for stream, lengths in samples.lengths.items()}
    of_training = raw_labels(request.dataset, labels.predicted, [samples.video_ids[at] for at in train])
    used = split.without({*split.train, *split.test} - {*samples.video_ids})
    epochs = request.training.epochs
    recipe = head.choose_recipe(request.dataset.adapter, split.name, steps)
    try:
        recipe = recipe.with_rank_loss(request.training.rank_loss)
    except ValueError as error:
        raise RunError(f"{head.kind.name} ({head.variant}) takes no such rank loss: {error}.") from error
    return SplitPlan(
        name=split.name,
        video_ids=samples.video_ids,
        train=train,
        test=test,
        recipe=recipe.with_epochs(epochs) if epochs else recipe,
        scale=scale_of(labels.predicted, of_training, unit=recipe.unit),
        digest=_digest(request.dataset, labels, samples, split),
        without_steps=samples.without_steps,
        empty_tubes={stream: maps.num_empty for stream, maps in samples.maps.items()},
        num_sharing_group=request.dataset.num_sharing_group(used),
    )


def _digest(dataset: Dataset, labels: LabelChoice, samples: FeatureSet, split: Split) -> str:
    """Return the digest of the samples, of the test set, and of labels other than the target."""
    content = hashlib.sha256(samples.digest.encode())
    content.update(json.dumps(sorted(set(split.test) & set(samples.video_ids))).encode())
    if not labels.is_target_alone:
        content.update(training_labels(dataset, labels, samples.video_ids).tobytes())
        content.update(factors_of(dataset, labels, samples.video_ids).tobytes())
    return content.hexdigest()[:16]


def _resolve_device(device: str) -> str:
    available = torch.cuda.is_available()
    if device == "auto":
        return "cuda" if available else "cpu"
    if device.startswith("cuda") and not available:
        raise RunError(
            f"device {device!r} was asked for, but torch {torch.__version__} sees no GPU: use cpu."
        )
    return device
