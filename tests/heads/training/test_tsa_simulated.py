"""TSA-Net finds what shows in the tube of simulated maps, and the same network without attention does not."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from aqa_pipeline.records import Dataset, Record, Source, Split, Target, Video
from aqa_pipeline.simulation import Simulation
from aqa_pipeline.simulation.tubes import SimulatedTubes
from aqa_pipeline.store import Store
from heads.evaluation.compare import compare
from heads.evaluation.evaluate import evaluate
from heads.training.fit import fit
from heads.training.options import FitOptions, FitRequest, TrainingOptions

NUM_TRAIN, NUM_TEST = 40, 40
ONE_CLIP = SimulatedTubes(16, "reference", num_frames=16)


def simulated(root: Path, *, effect: float) -> tuple[Dataset, Store]:
    """Videos of one clip in a store, labelled with their qualities."""
    num = NUM_TRAIN + NUM_TEST
    qualities = np.random.default_rng(5).permutation(norm.ppf((np.arange(num) + 0.5) / num))
    simulation, store = Simulation(effect=effect, seed=5), Store(root / "store")
    spec, videos = ONE_CLIP.spec(simulation), []
    for number, quality in enumerate(qualities.tolist()):
        labels = {"score": 50 + 15 * quality}
        video = Video(f"{number:02d}", root / "none.mp4", labels, duration_seconds=1.0)
        drawn = ONE_CLIP.draw(simulation, "dives", video, quality=quality)
        maps = (drawn.features, drawn.pts_seconds, Source("drawn"))
        store.write(Record("dives", video.video_id, spec, *maps, extras=drawn.extras))
        videos.append(video)
    ids = tuple(video.video_id for video in videos)
    splits = {"official": Split("official", ids[:NUM_TRAIN], ids[NUM_TRAIN:])}
    return Dataset("dives", root, tuple(videos), splits, (Target("score", 0.0, 100.0),)), store


def fitted(head: str, dataset: Dataset, store: Store, out: Path, *, epochs: int) -> Path:
    """Return a run of the whole network at the paper's learning rate, the second stage as it starts."""
    training = TrainingOptions(seeds=(0,), epochs=epochs, device="cpu", threads=1)
    fit(FitRequest(FitOptions(head=head, variant="frozen", training=training), dataset, store, out))
    return out


@pytest.mark.slow
def test_attention_within_the_tube_beats_none(tmp_path: Path) -> None:
    dataset, store = simulated(tmp_path, effect=1.0)
    runs = [fitted(h, dataset, store, tmp_path / h, epochs=2) for h in ("tsa", "plain-net")]
    (row,) = compare(*runs, num_resamples=2_000).splits
    assert row.first > 0.6
    assert row.second < 0.5
    assert row.interval.low > 0


@pytest.mark.slow
def test_without_effect_there_is_nothing_to_find(tmp_path: Path) -> None:
    dataset, store = simulated(tmp_path, effect=0.0)
    (cell,) = evaluate(fitted("tsa", dataset, store, tmp_path / "tsa", epochs=1)).cells
    assert cell.scores.interval.covers(0)
    assert cell.scores.spearman == pytest.approx(0, abs=0.45)
