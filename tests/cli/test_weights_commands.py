"""`aqa weights fetch`: one file that cannot be had does not stop the others."""

from pathlib import Path

import pytest
from click.testing import CliRunner

import cli
from aqa_pipeline.errors import WeightsError


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    """Replace `fetch`: it succeeds for the names that the returned dictionary holds as true."""
    has: dict[str, bool] = {}

    def fetch(name: str, progress: object) -> Path:
        if not has.get(name, False):
            raise WeightsError(f"could not fetch {name!r}: no connection")
        return Path(name)

    monkeypatch.setattr("aqa_pipeline.weights.fetch", fetch)
    return has


def test_the_others_are_fetched_and_the_exit_code_tells(network: dict[str, bool]) -> None:
    names = ["yolo11n", "yolov3u", "yolo11s"]
    network |= {"yolov3u": True}
    result = CliRunner().invoke(cli.main, ["weights", "fetch", *names])
    assert result.exit_code == 3
    assert result.stdout == "yolov3u: yolov3u\n"
    assert result.stderr.splitlines() == [
        "yolo11n: could not fetch 'yolo11n': no connection",
        "yolo11s: could not fetch 'yolo11s': no connection",
        "Not fetched: yolo11n, yolo11s.",
    ]
    assert CliRunner().invoke(cli.main, ["weights", "fetch", "yolov3u", "yolov3u"]).exit_code == 0
    assert CliRunner().invoke(cli.main, ["weights", "fetch", "yolo11n"]).exit_code == 1


def test_a_wrong_name_is_reported_before_anything_comes(network: dict[str, bool]) -> None:
    result = CliRunner().invoke(cli.main, ["weights", "fetch", "yolov3u", "yolo11"])
    assert result.exit_code == 1
    assert "unknown weights 'yolo11'" in result.output
    assert "could not fetch" not in result.output


def test_sizes_are_reported_where_they_are_known() -> None:
    lines = CliRunner().invoke(cli.main, ["weights", "list"]).output.splitlines()
    sizes = {line.split()[1]: line for line in lines if "  " in line}
    assert " 103 MB " in sizes["resnet50-imagenet-v1"]
    assert " ~51 MB " in sizes["i3d-kinetics-piergiaj"]
    assert "MB" not in sizes["yolov3u"]
