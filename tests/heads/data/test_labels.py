"""Scores made of an execution and a difficulty, and of judges' marks: labels, networks, runs, new videos."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import cli
from aqa_pipeline.errors import RunError
from aqa_pipeline.metrics import spearman
from aqa_pipeline.records import Dataset, Record, Source, Split, StreamSpec, Target, Video
from aqa_pipeline.store import Store
from heads.data.labels import FinalScores, choose_labels, factors_of, training_labels
from heads.data.score_scale import ScoreScale
from heads.models.score_mlp import JudgePanel, find_task
from heads.registry import find_head
from heads.runs.config import read_config
from heads.runs.trained_cell import read_cell
from heads.scoring.ensemble import load_ensemble
from heads.scoring.predict import predict
from heads.training.fit import fit
from heads.training.options import FitOptions, FitRequest, TrainingOptions

NUM_VIDEOS, NUM_TRAIN = 6, 4
DIFFICULTIES = (1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
SPEC = StreamSpec("tubes", {"weights": "random:1", "endpoint": "Mixed_4e"})
TARGETS = (Target("score", 0.0, 104.5), Target("execution", 0.0, 30.0), Target("difficulty", 1.0, 5.0))
JUDGES = tuple(Target(f"judge-{number}", 0.0, 10.0) for number in range(1, 8))


def dive(number: int, root: Path) -> Video:
    """Return marks between 3 and 9.5 in halves, and what the rules make of them."""
    marks = np.random.default_rng(number).integers(6, 20, 7) / 2
    execution = float(np.sort(marks)[2:5].sum())
    labels = {"score": execution * DIFFICULTIES[number], "execution": execution}
    labels |= {"difficulty": DIFFICULTIES[number]}
    labels |= {f"judge-{judge}": float(mark) for judge, mark in enumerate(marks, start=1)}
    return Video(f"01_{number:02d}", root / "none.mp4", labels)


def record(video_id: str, number: int) -> Record:
    """Return a clip of noise, with a box that stays."""
    rng = np.random.default_rng([7, number])
    quads = np.broadcast_to(np.array([[80, 80], [144, 80], [144, 160], [80, 160]], np.float32), (1, 16, 4, 2))
    starts = np.zeros(1)
    return Record(
        "mtl-aqa",
        video_id,
        SPEC,
        np.abs(rng.normal(size=(1, 1, 528, 4, 14, 14))).astype(np.float16),
        np.stack([starts, starts + 0.64], axis=1),
        Source("no file"),
        extras={"quads": quads[:, None]},
    )


@pytest.fixture(scope="module")
def dives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, Store]:
    root = tmp_path_factory.mktemp("dives")
    videos = tuple(dive(number, root) for number in range(NUM_VIDEOS))
    ids = tuple(video.video_id for video in videos)
    store = Store(root / "store")
    views = replace(SPEC, facts={**SPEC.facts, "views": "end-0"})
    for number, video_id in enumerate(ids):
        store.write(replace(record(video_id, number), spec=views))
    splits = {"official": Split("official", ids[:NUM_TRAIN], ids[NUM_TRAIN:])}
    return Dataset("mtl-aqa", root, videos, splits, (*TARGETS, *JUDGES)), store


# What is learned.


def test_the_score_itself_is_learned_unless_asked_otherwise(dives: tuple[Dataset, Store]) -> None:
    dataset, _ = dives
    choice = choose_labels(dataset, TARGETS[0], of_judges=False, difficulty=False)
    assert choice.is_target_alone
    ids = [video.video_id for video in dataset.videos]
    assert training_labels(dataset, choice, ids).tolist() == [v.labels["score"] for v in dataset.videos]
    assert factors_of(dataset, choice, ids).tolist() == [1.0] * NUM_VIDEOS


def test_execution_times_difficulty_is_the_score(dives: tuple[Dataset, Store]) -> None:
    dataset, _ = dives
    ids = [video.video_id for video in dataset.videos]
    scores = [video.labels["score"] for video in dataset.videos]
    choice = choose_labels(dataset, TARGETS[0], of_judges=False, difficulty=True)
    labels, factors = training_labels(dataset, choice, ids), factors_of(dataset, choice, ids)
    final = FinalScores(np.array(scores), ScoreScale(0.0, 30.0), factors)
    np.testing.assert_allclose(final.of(labels / 30, np.arange(NUM_VIDEOS)), scores)
    np.testing.assert_allclose(final.of(labels[[4, 1]] / 30, np.array([4, 1])), [scores[4], scores[1]])
    assert [target.name for target in choice.trained_on] == [choice.predicted.name] == ["execution"]
    assert choice.factor is not None
    assert choice.factor.name == "difficulty"


def test_judges_marks_are_a_column_each(dives: tuple[Dataset, Store]) -> None:
    dataset, _ = dives
    ids = [video.video_id for video in dataset.videos]
    choice = choose_labels(dataset, TARGETS[0], of_judges=True, difficulty=False)
    marks = training_labels(dataset, choice, ids)
    assert marks.shape == (NUM_VIDEOS, 7)
    assert marks[2, 6] == dataset.videos[2].labels["judge-7"]
    middle = np.sort(marks, axis=1)[:, 2:5].sum(axis=1) * factors_of(dataset, choice, ids)
    np.testing.assert_allclose(middle, [video.labels["score"] for video in dataset.videos])
    of_execution = choose_labels(dataset, TARGETS[1], of_judges=True, difficulty=False)
    assert of_execution.factor is None


def test_labels_that_are_not_there_are_told_of(dives: tuple[Dataset, Store]) -> None:
    dataset, _ = dives
    plain = replace(dataset, targets=TARGETS[:1])
    with pytest.raises(
        RunError, match="mtl-aqa has no execution, only score: expected a dataset with a diff"
    ):
        choose_labels(plain, TARGETS[0], of_judges=False, difficulty=True)
    without_judges = replace(dataset, targets=TARGETS)
    with pytest.raises(RunError, match=r"no judge-1, judge-2.*augmented_final_annotations_dict\.pkl"):
        choose_labels(without_judges, TARGETS[0], of_judges=True, difficulty=False)
    with pytest.raises(RunError, match="target 'execution' is not made of an execution: expected score"):
        choose_labels(dataset, TARGETS[1], of_judges=False, difficulty=True)
    with pytest.raises(RunError, match=r"target 'difficulty'.*expected score or execution"):
        choose_labels(dataset, TARGETS[2], of_judges=True, difficulty=False)


# The network of judges.


def test_judges_share_nothing_but_the_clips() -> None:
    torch.manual_seed(0)
    panel = JudgePanel(dim=16)
    clips = torch.rand(3, 4, 16)
    before = panel(clips)
    assert before.shape == (3, 7, 21)
    with torch.no_grad():
        for parameter in panel.judges[2].parameters():
            parameter.add_(0.1)
    changed = (panel(clips) != before).flatten(2).any(dim=2)
    assert changed.all(dim=0).tolist() == [judge == 2 for judge in range(7)]
    assert not changed[:, [0, 1, 3, 4, 5, 6]].any()
    mask = torch.tensor([[True, True, False, False]] * 3)
    torch.testing.assert_close(panel(clips, mask), panel(clips[:, :2]))


def test_the_loss_of_judges_is_the_formula() -> None:
    """KL against a normal density at the bins 0, 0.5, ..., 10, mean over bins and judges, as nn.KLDivLoss."""
    rng = np.random.default_rng(0)
    marks, outputs = rng.uniform(0, 10, (2, 7)), rng.normal(size=(2, 7, 21))
    expected = []
    for video in range(2):
        terms = []
        for judge in range(7):
            density = np.exp(-((np.arange(21) - 2 * marks[video, judge]) ** 2) / (2 * 5.0**2))
            density /= density.sum()
            predicted = np.exp(outputs[video, judge]) / np.exp(outputs[video, judge]).sum()
            terms += list(density * np.log(density / predicted))
        expected.append(np.mean(terms))
    losses = find_task("judges").loss(torch.from_numpy(outputs), torch.from_numpy(marks / 10))
    np.testing.assert_allclose(losses.numpy(), expected, rtol=1e-9)


def test_the_score_of_judges_is_the_sum_of_the_middle_three() -> None:
    outputs = torch.full((1, 7, 21), -5.0)
    likeliest = [20, 0, 10, 12, 14, 19, 1]  # marks 10, 0, 5, 6, 7, 9.5, 0.5
    outputs[0, torch.arange(7), likeliest] = 5.0
    assert find_task("judges").score(outputs).item() == pytest.approx((5 + 6 + 7) / 30)


# Runs.


def request(
    dives: tuple[Dataset, Store], head: str, out: Path, *, shuffle_labels: bool = False, **choices: object
) -> FitRequest:
    dataset, store = dives
    training = TrainingOptions(seeds=(0,), epochs=1, device="cpu", shuffle_labels=shuffle_labels)
    options = FitOptions(**({"head": head, "variant": "frozen", "training": training} | choices))
    return FitRequest(options, dataset, store, out)


@pytest.mark.parametrize(
    ("head", "choices", "marks_per_point"),
    [("tsa-musdl", {}, 2.0), ("tsa-usdl", {"difficulty": True}, 100 / 30)],
)
def test_a_run_multiplies_by_the_difficulty(
    dives: tuple[Dataset, Store], tmp_path: Path, head: str, choices: dict[str, bool], marks_per_point: float
) -> None:
    """Predictions over their difficulty are whole bins; the log, later scores and --repeat agree."""
    dataset, store = dives
    fit(request(dives, head, tmp_path / "run", **choices))
    cell = read_cell(tmp_path / "run", split="official", seed=0)
    for row in cell.predictions:
        labels = dataset.video(row.video_id).labels
        assert row.true == labels["score"]
        bins = row.predicted / labels["difficulty"] * marks_per_point
        assert bins == pytest.approx(round(bins), abs=1e-4)
    test = [row for row in cell.predictions if row.part == "test"]
    expected = spearman([row.predicted for row in test], [row.true for row in test])
    np.testing.assert_array_equal(cell.epochs[-1].test, expected)
    assert (cell.scale.low, cell.scale.high) == (0.0, 30.0)

    ensemble, video = load_ensemble(tmp_path / "run"), dataset.videos[-1]
    (spec,) = ensemble.specs.values()
    streams = {"tubes": store.read("mtl-aqa", video.video_id, spec)}
    with pytest.raises(RunError, match=r"predicts execution.*--difficulty"):
        predict(ensemble, streams)
    (written,) = [row.predicted for row in cell.predictions if row.video_id == video.video_id]
    difficult = ensemble.with_difficulty(video.labels["difficulty"])
    assert predict(difficult, streams).score == pytest.approx(written, abs=1e-4)
    assert predict(ensemble.with_difficulty(1.0), streams).score == pytest.approx(
        written / video.labels["difficulty"], abs=1e-4
    )
    with pytest.raises(RunError, match="expected a number above 0, once"):
        difficult.with_difficulty(2.0)

    config = read_config(tmp_path / "run")
    assert config.labels.multiplied_by == "difficulty"
    again = FitRequest(FitOptions.from_config(config), dataset, store, tmp_path / "again")
    fit(again)
    assert read_cell(tmp_path / "again", split="official", seed=0).predictions == cell.predictions


def test_a_plain_run_takes_no_difficulty(dives: tuple[Dataset, Store], tmp_path: Path) -> None:
    fit(request(dives, "plain-net", tmp_path / "run"))
    assert read_config(tmp_path / "run").labels.multiplied_by is None
    ensemble = load_ensemble(tmp_path / "run")
    assert not ensemble.needs_difficulty
    assert ensemble.with_difficulty(None) is ensemble
    with pytest.raises(
        RunError, match=r"was given the difficulty 3\.2: expected .*for a run of `aqa fit --diff"
    ):
        ensemble.with_difficulty(3.2)
    command = ["score", "dive.mp4", "--run", str(tmp_path / "run"), "--difficulty", "3.2"]
    result = CliRunner().invoke(cli.main, command)
    assert result.exit_code == 1
    assert "was given the difficulty 3.2" in result.output


def test_a_control_does_not_leave_the_difficulty_in(dives: tuple[Dataset, Store], tmp_path: Path) -> None:
    for head, choices, advice in (
        ("plain-net", {"difficulty": True}, "shuffle with --target execution, without --difficulty"),
        ("tsa-musdl", {}, r"shuffle with --target execution\."),
    ):
        with pytest.raises(RunError, match=advice):
            fit(request(dives, head, tmp_path / "run", shuffle_labels=True, **choices))


def test_the_digest_tells_of_other_marks(dives: tuple[Dataset, Store], tmp_path: Path) -> None:
    dataset, store = dives
    first, *others = dataset.videos
    changed = replace(first, labels={**first.labels, "judge-1": 10.0 - first.labels["judge-1"]})
    fit(request(dives, "tsa-musdl", tmp_path / "run"))
    with pytest.raises(RunError, match=r"data_sha256"):
        fit(request((replace(dataset, videos=(changed, *others)), store), "tsa-musdl", tmp_path / "run"))


def test_only_musdl_learns_judges() -> None:
    assert find_head("tsa-musdl").of_judges
    assert not find_head("tsa-usdl").of_judges
