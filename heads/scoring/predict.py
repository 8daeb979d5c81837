"""The score of a new video by an ensemble: mean and spread over its networks, and attention per step."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from aqa_pipeline.errors import RunError, SpecMismatch
from aqa_pipeline.records import Record
from heads.data.batches import Batch, evaluation_batch
from heads.data.feature_set import FeatureSet
from heads.data.large_streams import Reading
from heads.data.streams import LARGE_STREAMS, PIXELS
from heads.data.tube_maps import OpenedRecord
from heads.data.windows import evaluation_starts
from heads.models.closed_form.beside_ridge import network_of, ridge_part
from heads.models.fine_tuned import FineTuned
from heads.models.output import HeadOutput
from heads.runs.run_plugins import head_of
from heads.scoring.ensemble import Ensemble, LoadedCell
from heads.scoring.occlusion import step_effects
from heads.scoring.query_scores import QueryScore, query_scores
from heads.training.methods.predictions import evaluate_videos

StepValues = dict[str, NDArray[np.float64]]  # (time,) per stream


@dataclass(frozen=True, eq=False)
class Prediction:
    """One video's score on the raw scale: mean and sample standard deviation over the networks.

    `scores` are the networks' own; `std` is nan for one network. Per stream, `attention` (time,) is the mean
    weight of each step, 0 for a step that the variant does not read, and `pts_seconds` (time, 2) its
    [start, stop). `step_scores` (time,) is the raw score of each step alone, for heads that score single
    steps (TSA-Net, Figure 7: without the pooling). `effects` (time,) is the score minus the raw score without
    the step (occlusion), the mean over networks. `seen_in_training` is true if the video is in the training
    set of a network. `predicted_std` is the score's standard deviation as the networks predict it; None for
    heads that predict none. `queries` are what the queries of each network say, for heads that have some.
    """

    score: float
    std: float
    scores: tuple[float, ...]
    attention: Mapping[str, NDArray[np.float64]]
    pts_seconds: Mapping[str, NDArray[np.float64]]
    step_scores: Mapping[str, NDArray[np.float64]]
    seen_in_training: bool
    effects: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    predicted_std: float | None = None
    queries: tuple[tuple[QueryScore, ...], ...] = ()


def predict(ensemble: Ensemble, streams: Mapping[str, Record]) -> Prediction:
    """Return the score of one video from its records, one per stream of the run.

    Raises `SpecMismatch` if the records have other specs than the training set, and `RunError` if a stream
    is missing, no stream has a step, or the run needs a difficulty.
    """
    _check_specs(ensemble, streams)
    if ensemble.needs_difficulty and ensemble.difficulty is None:
        raise RunError(
            f"the run {ensemble.run_dir} predicts execution; the score is execution x difficulty: give the "
            "video's difficulty with --difficulty."
        )
    records = {stream: streams[stream] for stream in ensemble.specs}
    samples = _as_samples(records, ensemble.config.dims, reading=ensemble.reading)
    if ensemble.difficulty is not None:
        samples = replace(samples, difficulties=np.array([ensemble.difficulty]))
    outputs = [_score(cell, samples) for cell in ensemble.cells]
    scores = [output.score for output in outputs]
    video_id = next(iter(streams.values())).video_id
    return Prediction(
        score=float(np.mean(scores)),
        std=float(np.std(scores, ddof=1)) if len(scores) > 1 else float("nan"),
        scores=tuple(scores),
        attention={s: np.mean([output.attention[s] for output in outputs], axis=0) for s in ensemble.specs},
        effects={s: np.mean([output.effects[s] for output in outputs], axis=0) for s in ensemble.specs},
        pts_seconds={s: samples.pts_seconds[s][0] for s in ensemble.specs},
        step_scores=_step_scores(ensemble, samples),
        seen_in_training=any(video_id in cell.train_ids for cell in ensemble.cells),
        predicted_std=_predicted_std(ensemble, outputs),
        queries=() if _is_mostly_ridge(ensemble) else tuple(each.queries for each in outputs if each.queries),
    )


def _check_specs(ensemble: Ensemble, streams: Mapping[str, Record]) -> None:
    missing = [stream for stream in ensemble.specs if stream not in streams]
    if missing:
        raise RunError(f"the run reads {list(ensemble.specs)}; {missing} of this video were not given.")
    for stream, wanted in ensemble.specs.items():
        given = streams[stream].spec
        if not given.serves_for(wanted):
            shown = "\n".join(f"  {line}" for line in wanted.differences(given))
            raise SpecMismatch(
                f"the run {ensemble.run_dir} learned from other {stream} (run != video):\n{shown}\n"
                "Extract the video with the run's settings."
            )


def _as_samples(records: Mapping[str, Record], dims: Mapping[str, int], *, reading: Reading) -> FeatureSet:
    """Return one video as a feature set; a stream without steps becomes one masked row of zeros."""
    if not any(len(record.features) for record in records.values()):
        raise RunError(f"the video has no step in any of {list(records)}: is it too short, or empty?")
    streams, maps = {}, {}
    seconds: dict[str, tuple[NDArray[np.float64], ...]] = {}
    for stream, record in records.items():
        seconds[stream] = (record.pts_seconds,)
        if stream in LARGE_STREAMS:
            opened = OpenedRecord(record.spec, record.features, record.extras)
            maps[stream] = reading.open(stream, [opened])
            seconds[stream] = maps[stream].clip_seconds([record.pts_seconds])
            continue
        if len(record.features) and record.features.shape[-1] != dims[stream]:
            raise RunError(
                f"the {stream!r} features have {record.features.shape[-1]} dimensions, "
                f"the run learned from {dims[stream]}: extract the video again."
            )
        num_views = record.features.shape[1:-1]
        rows = torch.zeros(1, max(1, len(record.features)), *num_views, dims[stream])
        rows[0, : len(record.features)] = torch.from_numpy(np.asarray(record.features, dtype=np.float32))
        streams[stream] = rows
    return FeatureSet(
        video_ids=(next(iter(records.values())).video_id,),
        streams=streams,
        lengths={stream: torch.tensor([len(of_video)]) for stream, (of_video,) in seconds.items()},
        pts_seconds=seconds,
        labels=np.array([np.nan]),
        maps=maps,
    )


class _Output(NamedTuple):
    """One network's raw score and, per stream, weight and effect of each step (time,).

    `deviation` is the standard deviation that the network predicts, nan for networks that predict none.
    """

    score: float
    deviation: float
    attention: StepValues
    effects: StepValues
    queries: tuple[QueryScore, ...]


def _predicted_std(ensemble: Ensemble, outputs: Sequence[_Output]) -> float | None:
    """Return the deviation of the mixture of the networks' distributions, without the spread of their means.

    None for heads that predict no deviation, and where ridge regression has most of the score.
    """
    deviations = np.array([output.deviation for output in outputs])
    if np.isnan(deviations).any() or _is_mostly_ridge(ensemble):
        return None
    return float(np.sqrt(np.mean(deviations**2)))


def _score(cell: LoadedCell, samples: FeatureSet) -> _Output:
    """Return what one network says of the video."""
    video = np.zeros(1, dtype=np.int64)
    output = evaluate_videos(cell.module, samples, video, recipe=cell.recipe)
    found = step_effects(cell.module, evaluation_batch(samples, video, recipe=cell.recipe))
    attention, effects = {}, {}
    queries: tuple[QueryScore, ...] = ()
    for stream, weights in output.attention.items():
        lengths = samples.lengths[stream]
        start = int(evaluation_starts(lengths, cell.recipe.num_steps[stream], windows=cell.recipe.windows))
        seen = weights[0, : int(lengths) - start].double().numpy()
        attention[stream] = np.zeros(int(lengths))
        attention[stream][start : start + len(seen)] = seen
        effects[stream] = np.zeros(int(lengths))
        raw = found[stream] * (cell.scale.high - cell.scale.low)
        effects[stream][start : start + len(raw)] = raw[: int(lengths) - start]
        if output.queries is not None:
            queries = query_scores(output.queries, cell.scale, samples.pts_seconds[stream][0][start:])
    width = cell.scale.high - cell.scale.low
    deviation = math.nan if output.deviations is None else output.deviations.item() * width
    return _Output(float(cell.scale.restore(output.scores.item())), deviation, attention, effects, queries)


def _step_scores(ensemble: Ensemble, samples: FeatureSet) -> dict[str, NDArray[np.float64]]:
    """Return per stream the raw score of each step as a video of its own (time,), the mean over networks.

    The result is empty for heads that do not score single steps, and where ridge regression has most of the
    score: it reads whole videos.
    """
    if not head_of(ensemble.config).scores_steps or _is_mostly_ridge(ensemble):
        return {}
    if samples.maps:
        return _step_scores_on_maps(ensemble, samples)
    ((stream, rows),) = samples.streams.items()
    num_steps = int(samples.lengths[stream])
    alone = FeatureSet(
        video_ids=tuple(str(step) for step in range(num_steps)),
        streams={stream: rows[0, :num_steps, None]},
        lengths={stream: torch.ones(num_steps, dtype=torch.int64)},
        pts_seconds={stream: tuple(samples.pts_seconds[stream][0][:, None])},
        labels=np.full(num_steps, np.nan),
    )
    every = np.arange(num_steps)
    scores = [
        cell.scale.restore(
            evaluate_videos(network_of(cell.module), alone, every, recipe=cell.recipe).scores.numpy()
        )
        for cell in ensemble.cells
    ]
    return {stream: np.mean(scores, axis=0)}


def _is_mostly_ridge(ensemble: Ensemble) -> bool:
    return any(ridge_part(cell.module) > 0.5 for cell in ensemble.cells)


def _step_scores_on_maps(ensemble: Ensemble, samples: FeatureSet) -> dict[str, NDArray[np.float64]]:
    """Return the same for heads on maps, which score the steps themselves after attention among them.

    A head that was trained with its backbone scores each clip alone.
    """
    ((stream, lengths),) = samples.lengths.items()
    scores = []
    for cell in ensemble.cells:
        video = np.zeros(1, dtype=np.int64)
        found = evaluate_videos(cell.module, samples, video, recipe=cell.recipe).step_scores
        if found is None:
            found = _clip_scores(cell, evaluation_batch(samples, video, recipe=cell.recipe))
        scores.append(cell.scale.restore(found[0, : int(lengths)].numpy()))
    return {stream: np.mean(scores, axis=0)}


def _clip_scores(cell: LoadedCell, batch: Batch) -> Tensor:
    """Return the normalized score of each clip of one video alone `(1, clip)`, by a backbone and its head."""
    assert isinstance(cell.module, FineTuned), "a head on maps returns step scores"
    with torch.no_grad():
        alone = cell.module.encode(batch.features, batch.masks)[PIXELS][0][:, None]
        every = torch.ones(alone.shape[:2], dtype=torch.bool)
        output: HeadOutput = cell.module.head({PIXELS: alone}, {PIXELS: every})
    return output.scores[None]
