"""Configurations of runs that were never trained."""

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from aqa_pipeline.records import SpecValue, StreamSpec, Target
from heads.data.score_scale import ScoreScale
from heads.recipes import Recipe
from heads.recipes.papers import SECTION_5_2
from heads.runs.run_config import (
    SCHEMA_VERSION,
    DatasetConfig,
    HeadConfig,
    LabelsConfig,
    LeftOutConfig,
    RunConfig,
    SoftwareConfig,
    SplitConfig,
    StreamConfig,
    TrainingConfig,
)


def make_config(
    splits: Iterable[str] = ("only",),
    *,
    dataset: str = "skating",
    target: str = "total",
    head: tuple[str, str] = ("action-net", "paper"),
    loss: str = "mse",
    recipe: Recipe = SECTION_5_2,
    facts: Mapping[str, SpecValue] = MappingProxyType({"backbone": "toy-3d"}),
    **training: object,
) -> RunConfig:
    """Return the configuration of a run that was never trained."""
    defaults = {"seeds": (0,), "select": "last", "epochs": None, "shuffle_labels": False}
    machine = {"device": "cpu", "threads": 1, "precision": "fp32"}
    spec = StreamSpec("segments", facts)
    split = SplitConfig(
        num_train=1,
        num_test=6,
        num_sharing_group=0,
        data_sha256="0" * 16,
        score_scale=ScoreScale(0.0, 25.0),
        recipe=dataclasses.replace(recipe, loss=loss),
    )
    return RunConfig(
        schema_version=SCHEMA_VERSION,
        head=HeadConfig(name=head[0], variant=head[1], imported=()),
        dataset=DatasetConfig(name=dataset, adapter=dataset, root=Path("data") / dataset),
        store=Path("features"),
        labels=LabelsConfig(
            target=Target(target), trained_on=(target,), predicted=target, multiplied_by=None
        ),
        streams={"segments": StreamConfig(hash=spec.hash, facts=dict(facts), dim=24, files={})},
        splits=dict.fromkeys(splits, split),
        training=TrainingConfig(**(defaults | machine | training)),
        left_out=LeftOutConfig(allow_missing=False, missing={}, unlabeled=()),
        software=SoftwareConfig(versions={"torch": "2.6"}, plugins={}),
    )
