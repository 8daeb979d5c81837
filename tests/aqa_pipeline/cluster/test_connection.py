"""Getting to a cluster, or a word on why not; and how many workers it holds."""

import os
import socket
import subprocess
import sys

import pytest
from click.testing import CliRunner

import cli
from aqa_pipeline.cluster import Cluster, Placement, connect, pick_cluster_device, place
from aqa_pipeline.cluster.connection import import_ray
from aqa_pipeline.errors import ClusterError

CPUS = Cluster("Ray at test", 2, 16, 0)
GPUS = Cluster("Ray at test", 1, 12, 8)


def test_without_ray_the_command_that_installs_it_is_named(monkeypatch, tmp_path) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ClusterError, match=r"Ray cannot be imported .*pip install .*ray"):
        import_ray()


@pytest.mark.parametrize("command", ["extract", "fit"])
def test_addresses_and_actors_are_for_ray(command: str, tmp_path) -> None:
    words = [
        command,
        "--dataset",
        "folder",
        "--actors",
        "2",
        *(["--out", str(tmp_path)] if command == "fit" else []),
    ]
    result = CliRunner().invoke(cli.main, words)
    assert (result.exit_code, "--ray-address and --actors are for --engine ray" in result.output) == (2, True)


class TestConnecting:
    pytest.importorskip("ray", reason="ray is not installed (pip install '.[ray]')")

    def test_nobody_there(self) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{unused.getsockname()[1]}"
            with pytest.raises(
                ClusterError, match=f"no Ray cluster at {address} .*refused.*`ray start --head`"
            ):
                connect(address).__enter__()

    def test_a_machine_on_which_ray_does_not_start_is_reported(self, monkeypatch: pytest.MonkeyPatch) -> None:
        import ray

        def refuse(*_: object, **__: object) -> None:
            raise Exception("The current node timed out during startup.\nAnd more.")

        monkeypatch.delenv("RAY_ADDRESS", raising=False)
        monkeypatch.setattr(ray, "init", refuse)
        message = r"Ray could not start on this machine \(The current node timed out during startup\.\)"
        with pytest.raises(ClusterError, match=message):
            connect().__enter__()

    def test_a_client_address_is_refused(self) -> None:
        with pytest.raises(
            ClusterError, match=r"cannot use ray://head:10001: .* on a node .*--ray-address auto"
        ):
            connect("ray://head:10001").__enter__()

    @pytest.mark.xdist_group("ray")
    def test_the_environment_names_a_cluster_and_an_address_comes_before_it(
        self, ray_cluster: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("RAY_ADDRESS", ray_cluster)
        with connect() as cluster:
            assert str(cluster) == f"Ray at {ray_cluster}: 2 nodes, 4 CPUs, 0 GPUs"
        monkeypatch.setenv("RAY_ADDRESS", "ray://elsewhere")
        with connect(ray_cluster) as cluster:
            assert cluster.num_nodes == 2


def test_a_cluster_of_this_machine_ends_with_the_block_and_prints_nothing() -> None:
    """In a process of its own: its raylet must be gone with it."""
    pytest.importorskip("ray", reason="ray is not installed (pip install '.[ray]')")
    code = (
        "import os, pathlib\n"
        "from aqa_pipeline.cluster import connect\n"
        "def children():\n"
        "    files = pathlib.Path('/proc').glob('[0-9]*/stat')\n"
        "    stats = [file.read_text().rpartition(')')[2].split() for file in files]\n"
        "    return [s for s in stats if int(s[1]) == os.getpid() and s[0] != 'Z']\n"
        "with connect() as cluster:\n"
        "    assert (cluster.place, cluster.num_nodes) == ('Ray on this machine', 1), cluster\n"
        "    assert children()\n"
        "assert not children()\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("cluster", "settings", "expected"),
    [
        (CPUS, {"device": "cpu", "cpus": 2}, Placement(8, 2)),
        (CPUS, {"device": "cpu", "cpus": 32}, Placement(1, 32)),
        (CPUS, {"device": "cpu", "cpus": 2, "actors": 3}, Placement(3, 2)),
        (GPUS, {"device": "cuda", "cpus": 1}, Placement(8, 1, 1.0)),
        (GPUS, {"device": "cuda", "cpus": 4}, Placement(8, 1, 1.0)),  # else four GPUs would stay idle
        (GPUS, {"device": "cuda", "cpus": 4, "actors": 2}, Placement(2, 4, 1.0)),
        (GPUS, {"device": "cuda", "cpus": 1, "gpus": 0.25, "actors": None}, Placement(32, 1, 0.25)),
        (CPUS, {"device": "cuda", "cpus": 2, "actors": 5}, Placement(5, 2, 1.0)),  # an autoscaler's business
    ],
)
def test_as_many_workers_as_there_is_room_for(cluster, settings, expected) -> None:
    assert place(cluster, **settings) == expected


def test_no_gpu_where_one_is_asked_for() -> None:
    with pytest.raises(ClusterError, match="Ray at test: 2 nodes, 16 CPUs, 0 GPUs has no GPU: use --dev"):
        place(CPUS, device="cuda", cpus=1)


def test_the_device_is_the_clusters_not_this_machines() -> None:
    assert [pick_cluster_device("auto", cluster) for cluster in (CPUS, GPUS)] == ["cpu", "cuda"]
    assert pick_cluster_device("cpu", GPUS) == "cpu"
    with pytest.raises(
        ClusterError, match="'cuda:1': Ray gives each worker a GPU of its own; use --device cuda"
    ):
        pick_cluster_device("cuda:1", GPUS)


def test_a_placement_in_words() -> None:
    assert str(Placement(1, 1)) == "1 worker with 1 CPU each"
    assert str(Placement(8, 2, 1.0)) == "8 workers with 2 CPUs and 1 GPU each"
