"""A short form of the campaign: after two killed workers, the store equals the undisturbed one."""

from pathlib import Path

import pytest

pytest.importorskip("ray", reason="ray is not installed (pip install '.[ray]')")


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_killed_workers_leave_the_undisturbed_store(tmp_path: Path) -> None:
    from campaigns import ray_kills

    result = ray_kills.measure(2, tmp_path)
    assert result.kept, (result.summary, result.details)
    assert result.counts["workers killed"] == 2
    assert (result.counts["unequal"], result.counts["decoders left behind"]) == (0, 0)
