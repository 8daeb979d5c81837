"""Scores of new videos by a trained run: mean and spread over its seeds, and where the heads looked."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from aqa_pipeline.athlete.tube_masks import MaskVariant
from aqa_pipeline.errors import RunError, SpecMismatch, UnknownName
from aqa_pipeline.records import Record, StreamSpec
from heads.data.feature_set import FeatureSet
from heads.data.score_scale import ScoreScale
from heads.data.streams import MAP_STREAMS
from heads.data.tube_maps import OpenedRecord, open_maps, tubes_of_variant
from heads.data.windows import evaluation_starts
from heads.evaluation.evaluate import are_classes
from heads.recipes import Recipe
from heads.runs.config import read_config
from heads.runs.predictions import over_seeds_of
from heads.runs.run_plugins import head_of
from heads.runs.trained_cell import (
    cell_folder,
    is_complete,
    read_cell,
    read_state,
    shapes_of_state,
    split_folder,
)
from heads.training.loop import evaluate_videos, prepare_module

ALL_SPLITS = "all"


@dataclass(frozen=True, eq=False)
class LoadedCell:
    """One trained network in evaluation mode, with what it needs to be asked."""

    split: str
    seed: int
    module: nn.Module
    recipe: Recipe
    scale: ScoreScale
    train_ids: frozenset[str]


@dataclass(frozen=True, eq=False)
class TrainedHead:
    """A run that can score: its cells, and the specs its features must have."""

    run_dir: Path
    config: Mapping[str, Any]
    specs: Mapping[str, StreamSpec]
    cells: tuple[LoadedCell, ...]
    has_difficulty: bool = False

    @property
    def needs_difficulty(self) -> bool:
        """Whether it learned the execution alone, which a video's difficulty makes the score of."""
        learned = self.config.get("learned")
        return learned is not None and learned["factor"] is not None

    def of_difficulty(self, difficulty: float | None) -> "TrainedHead":
        """The head for videos of that difficulty; raises `RunError` where it needs none, or has it already.

        Without one the head stays as it is.
        """
        if difficulty is None:
            return self
        if not self.needs_difficulty or self.has_difficulty or not difficulty > 0:
            raise RunError(
                f"the run {self.run_dir} was given the difficulty {difficulty}: expected a number above 0, "
                "once, for a run of `aqa fit --difficulty` or of a head of judges."
            )
        cells = tuple(replace(cell, scale=cell.scale.times(difficulty)) for cell in self.cells)
        return replace(self, cells=cells, has_difficulty=True)

    def split_folder(self, split: str) -> Path:
        """Where that split's cells and the facts of its training videos are."""
        return split_folder(self.run_dir, split)


@dataclass(frozen=True, eq=False)
class Prediction:
    """One video's score on the raw scale: mean and sample standard deviation (nan for one cell) over cells.

    `scores` are the cells' own. Per stream, `attention` holds the mean weight of each time step (0 for a
    step that the variant does not look at) beside its `pts_seconds`. `step_scores` holds the raw score that
    each step would get alone, where the head scores steps one by one (TSA-Net, Figure 7: the pooling left
    out). `seen_in_training` tells that some cell learned from this very video.
    """

    score: float
    std: float
    scores: tuple[float, ...]
    attention: Mapping[str, NDArray[np.float64]]
    pts_seconds: Mapping[str, NDArray[np.float64]]
    step_scores: Mapping[str, NDArray[np.float64]]
    seen_in_training: bool


def load_run(run_dir: Path, *, split: str | None = None) -> TrainedHead:
    """Load the run's networks of one split, all its seeds; by default of all splits of the same videos.

    Splits of different videos (one per apparatus) must be chosen from: "all" takes them together.
    Raises `RunError` for an unfinished run or an open choice, `UnknownName` for an unknown split.
    """
    run_dir = Path(run_dir)
    config = read_config(run_dir)
    splits = _choose_splits(run_dir, config, split)
    asked = [(name, seed) for name in splits for seed in config["seeds"]]
    finished = [(s, k) for s, k in asked if is_complete(cell_folder(run_dir, split=s, seed=k))]
    if not finished:
        raise RunError(f"{run_dir} has no finished cell of {splits}: run the same `aqa fit` command again.")
    return TrainedHead(
        run_dir=run_dir,
        config=config,
        specs={stream: StreamSpec(stream, spec["facts"]) for stream, spec in config["specs"].items()},
        cells=tuple(_load_cell(run_dir, config, split=name, seed=seed) for name, seed in finished),
    )


def predict(trained: TrainedHead, streams: Mapping[str, Record]) -> Prediction:
    """The score of one video from its records, one per stream of the run.

    Raises `SpecMismatch` if they were made otherwise than what the run learned from, `RunError` if a stream
    is missing or no stream has a step, or if the run wants a difficulty and has none.
    """
    _check_specs(trained, streams)
    if trained.needs_difficulty and not trained.has_difficulty:
        raise RunError(
            f"the run {trained.run_dir} learned how well a video is executed, and the score is that times "
            "the difficulty: say how difficult it is with --difficulty (TrainedHead.of_difficulty)."
        )
    records = {stream: streams[stream] for stream in trained.specs}
    tubes = tubes_of_variant(trained.config["variant"])
    samples = _as_samples(records, trained.config["dims"], tubes=tubes)
    outputs = [_ask(cell, samples) for cell in trained.cells]
    scores = [score for score, _ in outputs]
    video_id = next(iter(streams.values())).video_id
    return Prediction(
        score=float(np.mean(scores)),
        std=float(np.std(scores, ddof=1)) if len(scores) > 1 else float("nan"),
        scores=tuple(scores),
        attention={s: np.mean([attention[s] for _, attention in outputs], axis=0) for s in trained.specs},
        pts_seconds={s: streams[s].pts_seconds for s in trained.specs},
        step_scores=_scores_of_steps(trained, samples),
        seen_in_training=any(video_id in cell.train_ids for cell in trained.cells),
    )


def _choose_splits(run_dir: Path, config: Mapping[str, Any], split: str | None) -> list[str]:
    names = list(config["splits"])
    if split == ALL_SPLITS or (len(names) == 1 and split is None):
        return names
    if split is None:
        if not _are_classes(run_dir, config):
            return names
        raise RunError(
            f"the run has {len(names)} splits of different videos ({', '.join(names)}), such as one for each "
            f"apparatus: choose one with --split."
        )
    if split not in names:
        raise UnknownName("split of the run", split, [*names, ALL_SPLITS])
    return [split]


def _are_classes(run_dir: Path, config: Mapping[str, Any]) -> bool:
    cells = [
        read_cell(run_dir, split=split, seed=config["seeds"][0])
        for split in config["splits"]
        if is_complete(cell_folder(run_dir, split=split, seed=config["seeds"][0]))
    ]
    return are_classes([over_seeds_of([cell]) for cell in cells])


def _load_cell(run_dir: Path, config: Mapping[str, Any], *, split: str, seed: int) -> LoadedCell:
    cell = read_cell(run_dir, split=split, seed=seed)
    head, folder = head_of(config), cell_folder(run_dir, split=split, seed=seed)
    try:
        recipe = Recipe.from_dict(config["splits"][split]["recipe"])

        def build() -> nn.Module:
            return prepare_module(lambda dims: head.build(dims, config["variant"]), config["dims"], recipe)

        with torch.device("meta"):  # numbers that a stranger wrote down take no memory there
            claimed = {name: tuple(tensor.shape) for name, tensor in build().state_dict().items()}
        _check_shapes(folder, claimed)
        module = build()
    except (TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise RunError(f"{run_dir / 'config.json'} describes no network of ours ({error}).") from error
    try:
        module.load_state_dict(read_state(folder))
    except RuntimeError as error:
        raise RunError(
            f"{folder / 'model.safetensors'} does not fit {config['head']} ({config['variant']}): {error}"
        ) from error
    learned_from = frozenset(row.video_id for row in cell.predictions if row.part != "test")
    return LoadedCell(split, seed, module.eval(), recipe, cell.scale, learned_from)


def _check_shapes(folder: Path, claimed: Mapping[str, tuple[int, ...]]) -> None:
    """Raise `RunError` unless the state of the cell is that of the network that config.json describes."""
    stored = shapes_of_state(folder)
    differing = sorted(name for name in {*claimed, *stored} if claimed.get(name) != stored.get(name))
    if differing:
        name = differing[0]
        raise RunError(
            f"{folder / 'model.safetensors'} does not fit config.json: {name} has the shape "
            f"{stored.get(name, 'of nothing')}, expected {claimed.get(name, 'nothing')}"
            f" ({len(differing)} tensors differ). Fit again into a new folder."
        )


def _check_specs(trained: TrainedHead, streams: Mapping[str, Record]) -> None:
    missing = [stream for stream in trained.specs if stream not in streams]
    if missing:
        raise RunError(f"the run reads {list(trained.specs)}; {missing} of this video were not given.")
    for stream, wanted in trained.specs.items():
        given = streams[stream].spec
        if not given.serves_for(wanted):
            shown = "\n".join(f"  {line}" for line in wanted.differences(given))
            raise SpecMismatch(
                f"the run {trained.run_dir} learned from other {stream} (run != video):\n{shown}\n"
                "Extract the video with the run's settings."
            )


def _as_samples(records: Mapping[str, Record], dims: Mapping[str, int], *, tubes: MaskVariant) -> FeatureSet:
    """One video as a feature set; a stream without steps becomes one masked row of zeros."""
    if not any(len(record.features) for record in records.values()):
        raise RunError(f"the video has no step in any of {list(records)}: is it too short, or empty?")
    streams, maps = {}, {}
    for stream, record in records.items():
        if stream in MAP_STREAMS:
            opened = OpenedRecord(record.spec, record.features, record.extras)
            maps[stream] = open_maps(stream, [opened], variant=tubes)
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
        lengths={stream: torch.tensor([len(record.features)]) for stream, record in records.items()},
        pts_seconds={stream: (record.pts_seconds,) for stream, record in records.items()},
        labels=np.array([np.nan]),
        maps=maps,
    )


def _ask(cell: LoadedCell, samples: FeatureSet) -> tuple[float, dict[str, NDArray[np.float64]]]:
    """One cell's raw score and, per stream, the weight of each time step of the video."""
    video = np.zeros(1, dtype=np.int64)
    output = evaluate_videos(cell.module, samples, video, recipe=cell.recipe)
    attention = {}
    for stream, weights in output.attention.items():
        lengths = samples.lengths[stream]
        start = int(evaluation_starts(lengths, cell.recipe.num_steps[stream], windows=cell.recipe.windows))
        seen = weights[0, : int(lengths) - start].double().numpy()
        attention[stream] = np.zeros(int(lengths))
        attention[stream][start : start + len(seen)] = seen
    return float(cell.scale.restore(output.scores.item())), attention


def _scores_of_steps(trained: TrainedHead, samples: FeatureSet) -> dict[str, NDArray[np.float64]]:
    """Per stream, each step's raw score as a video of its own, mean over cells; empty for other heads."""
    if not head_of(trained.config).scores_steps:
        return {}
    if samples.maps:
        return _step_scores_of_heads(trained, samples)
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
        cell.scale.restore(evaluate_videos(cell.module, alone, every, recipe=cell.recipe).scores.numpy())
        for cell in trained.cells
    ]
    return {stream: np.mean(scores, axis=0)}


def _step_scores_of_heads(trained: TrainedHead, samples: FeatureSet) -> dict[str, NDArray[np.float64]]:
    """The same from heads that score the steps of the whole video themselves, after attention among them."""
    ((stream, lengths),) = samples.lengths.items()
    scores = []
    for cell in trained.cells:
        output = evaluate_videos(cell.module, samples, np.zeros(1, dtype=np.int64), recipe=cell.recipe)
        assert output.step_scores is not None, "heads on maps score their steps"
        scores.append(cell.scale.restore(output.step_scores[0, : int(lengths)].numpy()))
    return {stream: np.mean(scores, axis=0)}
