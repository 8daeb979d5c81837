"""The campaign's short form: two workers killed, and the store is the undisturbed one."""

from pathlib import Path

import pytest

pytest.importorskip("ray", reason="ray is not installed (pip install '.[ray]')")


@pytest.mark.slow
@pytest.mark.xdist_group("ray")
def test_killed_workers_leave_the_undisturbed_store(tmp_path: Path) -> None:
    from campaigns import ray_kills

    seen = ray_kills.measure(2, tmp_path)
    assert seen.kept, (seen.what, seen.details)
    assert seen.counts["workers killed"] == 2
    assert (seen.counts["unequal"], seen.counts["decoders left behind"]) == (0, 0)
