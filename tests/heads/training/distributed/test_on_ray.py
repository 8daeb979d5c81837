"""Workers of Ray that train together write the run of torchrun's processes, also if one of them is killed."""

import os
import signal
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import cli
from aqa_pipeline.cluster import Cluster, Placement, check_room, import_ray_train
from aqa_pipeline.errors import ClusterError, RunError
from heads.training import train_cell
from heads.training.distributed import on_ray
from heads.training.distributed.on_ray import WorkerPart, fit_together_on_ray
from heads.training.fit import Progress
from heads.training.methods import loop
from heads.training.options import FitOptions, FitRequest, TrainingOptions

pytest.importorskip("pandas", reason="Ray Train is not installed (pip install '.[ray-train]')")
ray = pytest.importorskip("ray", reason="Ray Train is not installed (pip install '.[ray-train]')")
pytestmark = pytest.mark.xdist_group("ray")
ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import a test module


def contents(run_dir: Path) -> dict[str, bytes]:
    return {str(p.relative_to(run_dir)): p.read_bytes() for p in sorted(run_dir.rglob("*")) if p.is_file()}


def of_ray(together, ray_cluster: str, out: Path, *more: str) -> tuple[str, ...]:
    engine = ("--engine", "ray", "--together", "--ray-address", ray_cluster)
    return (*together.words, *engine, "--out", str(out), *more)


def request_of(together, out: Path) -> FitRequest:
    """Return the request of the words that torchrun got."""
    training = TrainingOptions(seeds=(0,), epochs=2, device="cpu", threads=1)
    options = FitOptions(head="wd", variant="paper", training=training)
    return FitRequest(options, together.club.dataset, together.club.store, out)


@pytest.mark.slow
def test_the_run_is_that_of_torchrun_bit_for_bit(together, ray_cluster: str, tmp_path: Path) -> None:
    """With no --actors there are as many workers as a batch has videos, which are two."""
    result = CliRunner().invoke(cli.main, of_ray(together, ray_cluster, tmp_path / "run"))
    assert result.exit_code == 0, result.output
    assert contents(tmp_path / "run") == contents(together.run)
    assert "2 workers with 1 CPU each, which train every cell together\n" in result.stderr
    assert result.stdout == together.stdout.replace(str(together.run), str(tmp_path / "run"))


class Mortal(WorkerPart):
    """Keep every epoch. The second worker kills itself once, in the middle of the second epoch."""

    def fit(self) -> None:
        draw = loop.training_batches
        passes = self.request.out.with_name(f"passes-{os.environ['RANK']}")

        def drawn(*arguments, **options):
            with passes.open("a") as file:
                file.write("pass\n")
            for number, batch in enumerate(draw(*arguments, **options)):
                if (passes.name, number, passes.read_text().count("pass")) == ("passes-1", 1, 2):
                    os.kill(os.getpid(), signal.SIGKILL)
                yield batch

        loop.training_batches = drawn
        train_cell.takes_long = lambda samples: True
        super().fit()


@pytest.mark.slow
def test_a_killed_worker_costs_one_epoch(
    together,
    ray_cluster: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(on_ray, "WorkerPart", Mortal)
    told: list[Progress] = []
    caplog.set_level("WARNING", logger=on_ray.__name__)
    request = request_of(together, tmp_path / "run")
    fit_together_on_ray(request, told.append, address=ray_cluster, actors=2, tell=str)
    assert contents(tmp_path / "run") == contents(together.run)
    passes = [(tmp_path / f"passes-{rank}").read_text().count("pass") for rank in (0, 1)]
    assert passes == [3, 3], "the first epoch once, the second twice"
    assert [each.epoch.epoch for each in told if each.epoch] == [1, 1, 2]
    assert caplog.messages == [on_ray.RESTARTED]


@pytest.mark.slow
def test_workers_that_die_too_often_end_it_with_a_reason(
    together, ray_cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_ray, "WorkerPart", Mortal)
    request = request_of(together, tmp_path / "run")
    message = (
        r"(?s)lost too often, at last:\n.*  worker 1: its worker process has died\nThe same command goes on"
    )
    with pytest.raises(RunError, match=message):
        fit_together_on_ray(request, address=ray_cluster, actors=2, tell=str, max_restarts=0)


@pytest.mark.slow
def test_an_error_of_the_workers_is_one_message(together, ray_cluster: str, tmp_path: Path) -> None:
    words = of_ray(together, ray_cluster, tmp_path / "run", "--actors", "3")
    result = CliRunner().invoke(cli.main, words)
    assert result.exit_code == 1
    assert "Error: 3 processes cannot divide batches of 2 videos: start at most 2 (--nproc" in result.stderr
    assert "Traceback" not in result.output


def test_together_is_refused_without_ray() -> None:
    result = CliRunner().invoke(cli.main, ["fit", "--together"])
    assert result.exit_code == 2
    assert "--together is for --engine ray. On this machine, several processes" in result.output
    assert "torchrun --nproc-per-node N" in result.output


def test_a_cluster_that_cannot_grow_has_no_room() -> None:
    two = Cluster("Ray on this machine", 1, 2, 0, can_grow=False)
    check_room(Placement(2, 1), two)
    check_room(Placement(3, 1), Cluster("Ray at head:6379", 1, 2, 0))
    with pytest.raises(ClusterError, match="no room for 3 workers with 1 CPU each: use fewer --actors"):
        check_room(Placement(3, 1), two)


def test_a_missing_ray_train_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray.train.torch", None)
    with pytest.raises(ClusterError, match=r"Ray Train cannot be imported .*pip install .*ray-train"):
        import_ray_train()
