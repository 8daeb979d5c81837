"""Options of a fit as records, recipes as arithmetic, and optimizers that follow them."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from aqa_pipeline.errors import RunError
from heads.recipes import Optimization, Recipe
from heads.registry import OURS
from heads.runs.config import read_config
from heads.training.methods.losses import LOSSES
from heads.training.methods.optimizer import make_optimizer
from heads.training.options import FeatureOptions, FitOptions, FitRequest, TrainingOptions

BEGINS = "the options of a fit do not fit: "


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: TrainingOptions(seeds=()), "seeds is '()', "),
        (lambda: TrainingOptions(seeds=(1, 1)), "seeds is '(1, 1)', expected different numbers"),
        (lambda: TrainingOptions(seeds=(0.5,)), "seeds.0 is '0.5', expected a valid integer"),
        (lambda: TrainingOptions(seeds=("0",)), "seeds.0 is '0', expected a valid integer"),
        (lambda: TrainingOptions(seeds=[0]), "seeds is '[0]', expected a valid tuple"),
        (lambda: TrainingOptions(epochs=0), "epochs is '0', expected greater than or equal to 1"),
        (lambda: TrainingOptions(epochs=True), "epochs is 'True', expected a valid integer"),
        (lambda: TrainingOptions(threads=-1), "threads is '-1', expected greater than or equal to 1"),
        (
            lambda: TrainingOptions(select="luck"),
            "select is 'luck', expected 'last', 'val' or 'best-on-test'",
        ),
        (lambda: TrainingOptions(precision="fp16"), "precision is 'fp16', expected 'fp32' or 'bf16'"),
        (lambda: TrainingOptions(shuffle_labels=1), "shuffle_labels is '1', expected a valid boolean"),
        (lambda: TrainingOptions(epoch=3), "'epoch' is no field of it"),
        (lambda: FitOptions(splits=("a", "a")), """splits is "('a', 'a')", expected each split once"""),
        (lambda: FitOptions(head=None), "head is 'None', expected a valid string"),
        (lambda: FitOptions(seeds=(1,)), "'seeds' is no field of it"),
        (lambda: FeatureOptions(second_stage=3), "second_stage is '3'"),
        (lambda: FeatureOptions(allow_missing="yes"), "allow_missing is 'yes', expected a valid boolean"),
    ],
)
def test_options_that_do_not_fit_name_the_field_what_came_and_what_was_expected(make, reason: str) -> None:
    with pytest.raises(RunError) as caught:
        make()
    assert str(caught.value).startswith(BEGINS)
    assert reason in str(caught.value)


def test_several_misfits_are_told_at_once() -> None:
    with pytest.raises(RunError) as caught:
        TrainingOptions(epochs=0, threads=0, select="luck", precision="x", device=3)
    assert str(caught.value).count(" is '") == 3
    assert "; 2 more" in str(caught.value)


@pytest.mark.parametrize("name", ["wd", "net", "svr"])
def test_the_options_of_a_run_make_the_same_config_again(club, tmp_path: Path, name: str) -> None:
    """From config.json to options to a plan and back: nothing is lost."""
    from heads.training.planning.resolve import resolve

    config = read_config(club.run(name))
    options = FitOptions.from_config(config)
    assert options.training.seeds == config.training.seeds
    plan = resolve(FitRequest(options, club.dataset, club.store, tmp_path / "run"))
    assert plan.config().model_copy(update={"store": config.store, "dataset": config.dataset}) == config


def test_changing_the_training_leaves_the_rest(club, tmp_path: Path) -> None:
    request = FitRequest(
        FitOptions.from_config(read_config(club.run("wd"))), club.dataset, club.store, tmp_path
    )
    changed = request.with_training(seeds=(7,), device="cpu")
    assert (changed.training.seeds, changed.training.epochs) == ((7,), request.training.epochs)
    assert changed.options.features == request.options.features
    assert request.training.seeds == (0, 1)
    with pytest.raises(RunError, match="seeds is '\\(7, 7\\)', expected different numbers"):
        request.with_training(seeds=(7, 7))


milestones = st.lists(st.integers(1, 199), max_size=4).map(lambda each: tuple(sorted(each)))


def recipe_of(**changes: object) -> Recipe:
    values = {"epochs": 200, "batch_size": 16, "num_steps": {"segments": 48}}
    return Recipe(**(values | {"optimization": optimization_of()} | changes))


def optimization_of(**changes: object) -> Optimization:
    values = {
        "optimizer": "sgd",
        "lr": 0.01,
        "head_lr": 0.05,
        "momentum": 0.9,
        "weight_decay": 1e-4,
        "milestones": (150, 180),
        "gamma": 0.1,
    }
    return Optimization(**(values | changes))


@given(milestones)
def test_the_decay_is_that_of_torchs_multi_step_schedule(places: tuple[int, ...]) -> None:
    """The oracle steps torch's scheduler after each epoch."""
    optimization = optimization_of(milestones=places)
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, list(places), gamma=0.1)
    for epoch in range(1, 201):
        assert optimization.decay(epoch) == pytest.approx(optimizer.param_groups[0]["lr"]), epoch
        optimizer.step()
        schedule.step()


@given(milestones, st.integers(1, 400))
def test_another_number_of_epochs_moves_the_milestones_in_proportion(
    places: tuple[int, ...], epochs: int
) -> None:
    changed = recipe_of(optimization=optimization_of(milestones=places)).with_epochs(epochs)
    assert changed.epochs == epochs
    for before, after in zip(places, changed.optimization.milestones, strict=True):
        assert abs(after / epochs - before / 200) <= 0.5 / epochs + 1e-9
    assert changed.with_epochs(200).epochs == 200


@pytest.mark.parametrize(
    "changes",
    [{"epochs": 0}, {"batch_size": 0}, {"num_steps": {"segments": 0}}, {"num_steps": {"a": 3, "b": -1}}],
)
def test_a_recipe_of_nothing_is_refused(changes: dict) -> None:
    with pytest.raises(
        ValueError, match="a recipe needs at least 1 epoch, video per batch and step per window"
    ):
        recipe_of(**changes)


@pytest.mark.parametrize("name", [name for name, head in OURS.items() if not head.reads_maps])
def test_every_parameter_is_trained_once_and_the_regressor_at_its_own_rate(name: str) -> None:
    head = OURS[name]
    module = head.build(dict.fromkeys(head.streams, 20), head.variants[0])
    if not list(module.parameters()):
        return  # support vector regression is fitted in closed form
    optimizer = make_optimizer(module, optimization_of(lr=0.01, head_lr=0.5))
    others, regressor = (group["params"] for group in optimizer.param_groups)
    assert len({id(each) for each in (*others, *regressor)}) == len(list(module.parameters()))
    by_name = dict(module.named_parameters())
    assert {id(each) for each in regressor} == {
        id(by_name[each]) for each in by_name if "regressor" in each.split(".")
    }
    assert [group["lr"] for group in optimizer.param_groups] == [0.01, 0.5]


@pytest.mark.parametrize(("kind", "type_"), [("sgd", torch.optim.SGD), ("adam", torch.optim.Adam)])
def test_a_step_of_the_optimizer_is_that_of_its_formula(kind: str, type_: type) -> None:
    module = nn.ModuleDict({"regressor": nn.Linear(1, 1, bias=False), "body": nn.Linear(1, 1, bias=False)})
    for parameter in module.parameters():
        nn.init.ones_(parameter)
        parameter.grad = torch.full_like(parameter, 2.0)
    optimizer = make_optimizer(module, optimization_of(optimizer=kind, lr=0.1, head_lr=0.2, weight_decay=0.0))
    assert isinstance(optimizer, type_)
    optimizer.step()
    size = 2.0 if kind == "sgd" else 1.0  # Adam's first step is the rate itself
    assert module["body"].weight.item() == pytest.approx(1 - 0.1 * size, abs=1e-6)
    assert module["regressor"].weight.item() == pytest.approx(1 - 0.2 * size, abs=1e-6)


@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), min_size=1, max_size=5))
def test_losses_are_zero_for_a_hit_and_symmetric(pairs: list[tuple[float, float]]) -> None:
    scores, labels = (torch.tensor(each, dtype=torch.float64) for each in zip(*pairs, strict=True))
    for name, loss in LOSSES.items():
        assert loss(labels, labels).abs().max() == 0, name
        assert torch.equal(loss(scores, labels), loss(labels, scores)), name
        far = loss(scores + 9, scores)
        assert (far > loss(scores + 1, scores)).all(), name
