"""Give work to Ray actors in portions, and repeat the items of a lost worker.

An actor that dies (a crash, an out-of-memory kill, a lost node) is replaced. Its unfinished items go back to
the end of the queue, and are then given out one by one. So only an item that kills its workers is given up.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from aqa_pipeline.cluster.connection import import_ray
from aqa_pipeline.cluster.placement import Placement
from aqa_pipeline.errors import AqaError, ClusterError

log = logging.getLogger(__name__)

MAX_DEATHS = 3  # workers that may die on one item before it is given up
MAX_FAILED_STARTS = 5  # in a row, before the pool raises an error
POLL_SECONDS = 1.0
PATIENCE_SECONDS = 60.0  # without any worker, before a warning


class Facts(Protocol):
    """The facts of a worker that must be equal on all workers, such as the digest of its weights."""

    def differences(self, other: Any) -> list[str]:
        """Return one text for each fact that differs."""
        ...


@dataclass(frozen=True)
class Done:
    """Item number `index` is finished."""

    index: int
    result: Any


@dataclass(frozen=True)
class Note:
    """A message of a worker that is still working."""

    content: Any


@dataclass(frozen=True)
class Lost:
    """Item number `index` was given up: too many workers died on it."""

    index: int
    reason: str


@dataclass(frozen=True)
class Gone:
    """A worker died; another one replaces it."""

    reason: str


Event = Done | Note | Lost | Gone


class Worker(Protocol):
    """The object in an actor. `work` gets numbered items and yields one `Done` for each."""

    @property
    def facts(self) -> Facts:
        """Return the facts that must be equal on all workers."""
        ...

    def work(self, items: Sequence[tuple[int, Any]]) -> Iterator[Done | Note]:
        """Yield notes, and one `Done` for each numbered item."""
        ...


class Host:
    """The actor. It makes its worker on the node where it runs, and runs it."""

    def __init__(self, make: Callable[[], Worker]) -> None:
        self._make = make

    def start(self) -> Facts:
        """Make the worker; return its facts."""
        self._worker = self._make()
        return self._worker.facts

    def work(self, items: Sequence[tuple[int, Any]]) -> Iterator[Done | Note]:
        """Yield the events of the worker."""
        yield from self._worker.work(items)


@dataclass(eq=False)
class _Task:
    index: int
    item: Any
    num_deaths: int = 0


@dataclass(eq=False)
class _Seat:
    """One actor. `pending` is its start or its current portion; None while it waits for a portion."""

    number: int
    actor: Any
    pending: Any
    is_ready: bool = False
    in_hand: dict[int, _Task] = field(default_factory=dict)


class WorkerPool:
    """Actors that each hold a worker made by `make`. End them with `close`.

    `longest` is the largest number of items that an actor gets at once. An `AqaError` of a worker is raised
    again, because it concerns all items. `ClusterError` is raised if workers cannot start.
    """

    def __init__(self, make: Callable[[], Worker], placement: Placement, *, longest: int = 1) -> None:
        self._ray: Any = import_ray()
        self._make, self._placement, self._longest = make, placement, longest
        self._seats: list[_Seat] = []
        self._num_seats = 0
        self._facts: Any = None
        self._num_failed_starts = 0
        self._patient_until = time.monotonic() + PATIENCE_SECONDS

    def facts(self) -> Any:
        """Return the facts of the first worker that is ready."""
        while self._facts is None:
            self._fill(self._placement.num_workers)
            for seat in self._answering():
                self._listen(seat, deque())
        return self._facts

    def run(self, items: Sequence[Any]) -> Iterator[tuple[int, Event]]:
        """Yield the number of a worker and its event, as events come. Every item ends as `Done` or `Lost`."""
        queue = deque(_Task(index, item) for index, item in enumerate(items))
        while queue or any(seat.in_hand for seat in self._seats):
            self._fill(len(queue) + sum(bool(seat.in_hand) for seat in self._seats))
            self._deal(queue)
            for seat in self._answering():
                yield from ((seat.number, event) for event in self._listen(seat, queue))

    def close(self) -> None:
        """End all actors."""
        for seat in self._seats:
            self._ray.kill(seat.actor)
        self._seats = []

    def _fill(self, num_useful: int) -> None:
        while len(self._seats) < min(self._placement.num_workers, num_useful):
            actor = (
                self._ray.remote(Host)
                .options(num_cpus=self._placement.num_cpus, num_gpus=self._placement.num_gpus, max_restarts=0)
                .remote(self._make)
            )
            self._seats.append(_Seat(self._num_seats, actor, actor.start.remote()))
            self._num_seats += 1

    def _deal(self, queue: deque[_Task]) -> None:
        for seat in self._seats:
            if seat.is_ready and seat.pending is None and queue:
                length = portion(len(queue), self._placement.num_workers, longest=self._longest)
                seat.in_hand = {task.index: task for task in _next_portion(queue, length)}
                numbered = [(task.index, task.item) for task in seat.in_hand.values()]
                seat.pending = seat.actor.work.options(num_returns="streaming").remote(numbered)

    def _answering(self) -> list[_Seat]:
        pending = {seat.pending: seat for seat in self._seats if seat.pending is not None}
        answering, _ = self._ray.wait(list(pending), num_returns=1, timeout=POLL_SECONDS, fetch_local=False)
        if not any(seat.is_ready for seat in self._seats) and time.monotonic() > self._patient_until:
            log.warning(
                "no worker has started yet: is there room for %s? Run `ray status` to see.", self._placement
            )
            self._patient_until = float("inf")
        return [pending[each] for each in answering]

    def _listen(self, seat: _Seat, queue: deque[_Task]) -> list[Event]:
        """Return the events of that seat; none if it has only started or finished its portion."""
        errors = self._ray.exceptions
        try:
            return self._portion_goes_on(seat) if seat.is_ready else self._started(seat)
        except errors.RayTaskError as error:
            if isinstance(error.cause, AqaError):
                raise error.cause from None
            raise
        except errors.RayError as error:
            return self._bury(seat, reason_of(error), queue)

    def _started(self, seat: _Seat) -> list[Event]:
        facts = self._ray.get(seat.pending)
        self._facts = self._facts or facts
        if differences := self._facts.differences(facts):
            raise ClusterError(
                f"the workers of this cluster differ (one != another): {'; '.join(differences)}. "
                "Do all nodes have the same weights?"
            )
        seat.is_ready, seat.pending, self._num_failed_starts = True, None, 0
        return []

    def _portion_goes_on(self, seat: _Seat) -> list[Event]:
        try:
            event = self._ray.get(next(seat.pending))
        except StopIteration:
            assert not seat.in_hand, "a worker yields a result for every item"
            seat.pending = None
            return []
        if isinstance(event, Done):
            del seat.in_hand[event.index]
        return [event]

    def _bury(self, seat: _Seat, reason: str, queue: deque[_Task]) -> list[Event]:
        """Remove the seat of a dead worker, and put its unfinished items back into the queue."""
        log.info("a worker was lost (%s) with %d items in hand", reason, len(seat.in_hand))
        self._seats.remove(seat)
        self._ray.kill(seat.actor)  # Ray may only have lost the connection
        if not seat.is_ready:
            self._count_failed_start(reason)
        events: list[Event] = [Gone(reason)]
        for task in seat.in_hand.values():
            task.num_deaths += 1
            if task.num_deaths < MAX_DEATHS:
                queue.append(task)
            else:
                events.append(
                    Lost(task.index, f"its worker was lost {MAX_DEATHS} times; the last reason: {reason}")
                )
        return events

    def _count_failed_start(self, reason: str) -> None:
        self._num_failed_starts += 1
        if self._num_failed_starts == MAX_FAILED_STARTS:
            raise ClusterError(
                f"{MAX_FAILED_STARTS} workers in a row died while they started; the last reason: {reason}. "
                "Do the nodes have enough memory, and the same aqa-pipeline as this machine?"
            )


def portion(num_left: int, num_workers: int, *, longest: int) -> int:
    """Return how many items to give at once. Portions shrink, so that all workers end together."""
    return max(1, min(longest, num_left // (2 * num_workers)))


def _next_portion(queue: deque[_Task], length: int) -> Iterator[_Task]:
    """Yield the next items; an item on which a worker died comes alone."""
    first = queue.popleft()
    yield first
    while not first.num_deaths and length > 1 and queue and not queue[0].num_deaths:
        length -= 1
        yield queue.popleft()


def reason_of(error: Exception) -> str:
    """Return the first sentence of one of Ray's long messages."""
    text = str(error)
    _, _, after = text.partition("The actor is dead because ")
    return (after or text).split(". ")[0].splitlines()[0].rstrip(".")
