"""The test videos with the largest errors of a run, each with a page that shows why."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from aqa_pipeline.errors import AqaError
from aqa_pipeline.records import Dataset
from aqa_pipeline.sources.outdated import find_changed
from aqa_pipeline.store import Store, file_name
from heads.data.labels import DIFFICULTY
from heads.evaluation.residuals import SplitResiduals
from heads.pages.media import relative_address
from heads.pages.run_page import WorstVideo
from heads.runs.config import dataset_of, read_config
from heads.runs.run_config import RunConfig
from heads.scoring.ensemble import load_ensemble
from heads.scoring.result import ScoringResult
from heads.scoring.scorer import Scorer, make_scorer, score_video
from heads.scoring.shown.score_page_content import write_page_of

log = logging.getLogger(__name__)


def find_dataset(config: RunConfig) -> tuple[Dataset | None, str]:
    """Return the run's dataset, or None and the reason: a report must not need the videos."""
    try:
        return dataset_of(config), ""
    except AqaError as error:
        log.info("no dataset: %s", error)
        return None, f"the dataset is not at {config.dataset.root}"


def worst_videos(
    run_dir: Path,
    splits: Sequence[SplitResiduals],
    *,
    folder: Path,
    report: Path,
    number: int,
    embed: bool = False,
) -> list[WorstVideo]:
    """Return the `number` test videos with the largest errors, and write their pages into `folder`.

    A video that several splits test is listed once, with its largest error.
    """
    ranked = sorted(
        ((split, row) for split in splits for row in range(len(split.videos))),
        key=lambda place: -abs(float(place[0].residuals[place[1]])),
    )
    worst_of: dict[str, tuple[SplitResiduals, int]] = {}
    for split, row in ranked:
        worst_of.setdefault(split.videos[row], (split, row))
    make_page = _PageMaker(run_dir, folder, report=report, embed=embed)
    worst = []
    for split, row in list(worst_of.values())[:number]:
        page, reason = "", ""
        try:
            page = relative_address(make_page(split.split, split.videos[row], float(split.true[row])), report)
        except AqaError as error:
            reason = str(error).splitlines()[0]
            log.info("no page of %s: %s", split.videos[row], error)
        worst.append(
            WorstVideo(
                video=split.videos[row],
                split=split.split,
                true=f"{split.true[row]:.2f}",
                predicted=f"{split.mean[row]:.2f}",
                error=f"{-split.residuals[row]:+.2f}",
                page=page,
                reason=reason,
            )
        )
    return worst


class _PageMaker:
    """Write pages of test videos from stored features; load the networks once per split."""

    def __init__(self, run_dir: Path, folder: Path, *, report: Path, embed: bool) -> None:
        self._run_dir, self._folder, self._embed = run_dir, folder, embed
        self._back = (report, "the report")
        config = read_config(run_dir)
        self._dataset, self._reason = find_dataset(config)
        self._store = config.store
        self._scorer = cache(self._load_scorer)

    def _load_scorer(self, split: str) -> Scorer:
        return make_scorer(load_ensemble(self._run_dir, split=split))

    def __call__(self, split: str, video_id: str, true: float) -> Path:
        if self._dataset is None:
            raise AqaError(self._reason)
        scorer, store = self._scorer(split), Store(self._store)
        video = self._dataset.video(video_id)
        if changed := find_changed(store, self._dataset, list(scorer.ensemble.specs.values()), [video_id]):
            raise AqaError(f"it changed since it was extracted ({', '.join(changed[video_id])})")
        if scorer.ensemble.needs_difficulty:
            scorer = replace(scorer, ensemble=scorer.ensemble.with_difficulty(video.labels[DIFFICULTY]))
        records = {
            stream: store.read(self._dataset.name, video_id, spec)
            for stream, spec in scorer.ensemble.specs.items()
        }
        scored_video = score_video(scorer, video_id, records, expected=True)
        path = self._folder / f"{file_name(split)}-{file_name(video_id)}.html"
        scored = ScoringResult(video, scored_video, records, true)
        return write_page_of(scored, scorer, path, embed=self._embed, back=self._back)
