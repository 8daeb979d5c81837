"""Work dealt to real Ray actors: every item comes to its end once, whatever happens to the workers."""

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from aqa_pipeline.cluster import Done, Gone, Lost, Note, Placement, Versions, WorkerPool, connect, sharing
from aqa_pipeline.cluster.pool import MAX_DEATHS, MAX_FAILED_STARTS, portion
from aqa_pipeline.errors import ClusterError, StoreError

ray = pytest.importorskip("ray", reason="ray is not installed (pip install '.[ray]')")
pytestmark = pytest.mark.xdist_group("ray")
ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers cannot import a test module


@dataclass(frozen=True)
class Plain:
    """Facts of a worker, one word."""

    word: str

    def differences(self, other: "Plain") -> list[str]:
        return [] if self == other else [f"{self.word} != {other.word}"]


class Squares:
    """Squares numbers, and dies of some: of `deadly` ones always, of others once per file in `once`."""

    def __init__(self, folder: Path, deadly: int | None = None, once: Sequence[int] = ()) -> None:
        self._folder, self._deadly, self._once = folder, deadly, once
        self.facts = Plain("alike")

    def work(self, items: Sequence[tuple[int, int]]) -> Iterator[Done | Note]:
        for index, number in items:
            yield Note(f"at {number}")
            mark = self._folder / str(number)
            if number == self._deadly or (number in self._once and not mark.exists()):
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            yield Done(index, number * number)


def deal(make, items, *, num_workers: int = 2, longest: int = 1) -> list[tuple[int, object]]:
    pool = WorkerPool(make, Placement(num_workers, 1), longest=longest)
    try:
        return list(pool.run(items))
    finally:
        pool.close()


def results(events) -> dict[int, object]:
    ended = [event for _, event in events if isinstance(event, Done | Lost)]
    assert len({event.index for event in ended}) == len(ended), "an item ended twice"
    return {event.index: event.result if isinstance(event, Done) else event.reason for event in ended}


@pytest.fixture
def connected(ray_cluster: str) -> Iterator[None]:
    with connect(ray_cluster):
        yield


@pytest.mark.usefixtures("connected")
def test_every_item_is_done_once(tmp_path: Path) -> None:
    events = deal(partial(Squares, tmp_path), list(range(23)), longest=4)
    assert results(events) == {number: number**2 for number in range(23)}
    assert sum(isinstance(event, Note) for _, event in events) == 23


@pytest.mark.usefixtures("connected")
def test_what_a_lost_worker_had_in_hand_is_done_by_another(tmp_path: Path) -> None:
    events = deal(partial(Squares, tmp_path, once=(3, 7, 8)), list(range(12)), longest=6)
    assert results(events) == {number: number**2 for number in range(12)}
    assert sum(isinstance(event, Gone) for _, event in events) == 3


@pytest.mark.usefixtures("connected")
def test_an_item_that_kills_its_workers_is_given_up_alone(tmp_path: Path) -> None:
    events = deal(partial(Squares, tmp_path, deadly=1), list(range(8)), num_workers=1, longest=4)
    ended = results(events)
    assert "its worker was lost 3 times; the last reason: its worker process has died" in str(ended.pop(1))
    assert ended == {number: number**2 for number in range(8) if number != 1}
    assert sum(isinstance(event, Gone) for _, event in events) == MAX_DEATHS


class Meets:
    """Goes on once another worker is at work too."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.facts = folder, Plain("alike")

    def work(self, items: Sequence[tuple[int, int]]) -> Iterator[Done | Note]:
        (self._folder / str(os.getpid())).touch()
        give_up = time.monotonic() + 300
        while len(list(self._folder.iterdir())) < 2 and time.monotonic() < give_up:
            time.sleep(0.05)
        yield from (Done(index, os.getpid()) for index, _ in items)


@pytest.mark.usefixtures("connected")
def test_workers_work_side_by_side(tmp_path: Path) -> None:
    assert len(set(results(deal(partial(Meets, tmp_path), [1, 2])).values())) == 2


class Refuses:
    """Cannot start, for a reason that concerns all; or stops at its first item."""

    def __init__(self, at_start: bool) -> None:
        if at_start:
            raise StoreError("this store is full of water")
        self.facts = Plain("alike")

    def work(self, items: Sequence[tuple[int, int]]) -> Iterator[Done | Note]:
        raise StoreError("this disk is full")
        yield


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize(("at_start", "message"), [(True, "full of water"), (False, "this disk is full")])
def test_an_error_of_ours_stops_the_work_and_keeps_its_type(at_start: bool, message: str) -> None:
    with pytest.raises(StoreError, match=f"^this .*{message}$|^{message}$"):
        deal(partial(Refuses, at_start), [1, 2, 3])


@dataclass
class Dies:
    facts: Plain

    def __post_init__(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.usefixtures("connected")
def test_workers_that_never_start_stop_the_work() -> None:
    message = f"{MAX_FAILED_STARTS} workers in a row died while they started; .* memory"
    with pytest.raises(ClusterError, match=message):
        deal(partial(Dies, Plain("dead")), [1], num_workers=1)


class Unlike:
    """Two of them say different things of themselves."""

    def __init__(self, folder: Path) -> None:
        self._other = folder / "second"
        try:
            (folder / "first").mkdir()
            self.facts = Plain("weights A")
        except FileExistsError:
            self._other.mkdir(exist_ok=True)
            self.facts = Plain("weights B")

    def work(self, items: Sequence[tuple[int, int]]) -> Iterator[Done | Note]:
        give_up = time.monotonic() + 300
        while not self._other.exists() and time.monotonic() < give_up:
            time.sleep(0.05)
        for index, _ in items:
            time.sleep(0.3)
            yield Done(index, None)


@pytest.mark.usefixtures("connected")
def test_workers_that_are_not_alike_stop_the_work(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"differ .*weights (A != weights B|B != weights A).*same weights"):
        deal(partial(Unlike, tmp_path), list(range(100)))


@pytest.mark.parametrize(
    ("num_left", "num_workers", "longest", "expected"),
    [(1000, 4, 16, 16), (40, 4, 16, 5), (7, 4, 16, 1), (1, 1, 16, 1), (5, 1, 16, 2)],
)
def test_portions_shrink_toward_the_end(num_left, num_workers, longest, expected) -> None:
    assert portion(num_left, num_workers, longest=longest) == expected


def test_a_node_without_the_folder_is_named(tmp_path: Path) -> None:
    with sharing(tmp_path / "store", inputs=[tmp_path / "nowhere"]) as shared:
        here = socket.gethostname()
        with pytest.raises(
            ClusterError, match=f"node {here} does not see {tmp_path}/nowhere. All nodes must"
        ):
            shared.enter()


def test_a_node_with_another_store_under_the_same_path_is_named(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("aqa_pipeline.cluster.shared_files.PATIENCE_SECONDS", 0.2)
    with sharing(tmp_path / "store", inputs=[]) as shared:
        shared.enter()
        shared.witness.unlink()
        with pytest.raises(ClusterError, match=r"has another .*/store than the node where the command runs"):
            shared.enter()


def test_a_node_with_other_libraries_is_named(tmp_path: Path) -> None:
    with sharing(tmp_path / "store", inputs=[]) as shared:
        other = Versions({**shared.versions.libraries, "torch": "1.0"})
        with pytest.raises(ClusterError, match=r"node .* has other versions .*: torch 1\.0 != \d"):
            replace(shared, versions=other).enter()


def test_a_worker_starts_where_its_caller_is_and_looks_for_weights_where_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AQA_HOME", "/shared/aqa")
    with sharing(Path("store"), inputs=[]) as shared:
        monkeypatch.setenv("AQA_HOME", "elsewhere")
        monkeypatch.chdir("/")
        shared.enter()
        assert (Path.cwd(), os.environ["AQA_HOME"]) == (tmp_path, "/shared/aqa")
        monkeypatch.chdir(tmp_path)


def test_the_witness_leaves_nothing_behind(tmp_path: Path) -> None:
    with sharing(tmp_path / "store", inputs=[]):
        assert len(list((tmp_path / "store").iterdir())) == 1
    assert list((tmp_path / "store").iterdir()) == []


def test_a_place_that_cannot_be_written_to_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(ClusterError, match=r"cannot write into .*/file"),
        sharing(tmp_path / "file", inputs=[]),
    ):
        pass
