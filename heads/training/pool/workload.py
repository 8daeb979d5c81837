"""The time that many fits still take: the epochs left times the measured time of an epoch."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

# Seconds of one epoch over 100 videos on one core, per stream. Only the proportions matter, and only until a
# fit of the same kind has been timed. Measured on features of Rhythmic Gymnastics' shapes, in fp32.
SECONDS_PER_EPOCH = {
    "action-net": 0.65,
    "action-net-average": 0.48,
    "action-net-sau": 0.52,
    "action-net-lstm-sau": 0.75,
    "action-net-bi-lstm-sau": 0.70,
    "action-net-rta": 0.53,
    "lstm": 1.0,
    "bi-lstm": 1.0,
    "ms-lstm": 0.65,
    "svr-average": 1.3,
    "svr-maximum": 1.1,
    "pose-dct": 4.0,
}
UNKNOWN_HEAD_SECONDS = 0.6

Place = tuple[str, str]  # names a fit: a table's row and column, or a bench's block and row


@dataclass(frozen=True)
class Load:
    """A fit: its epochs, the guessed time of an epoch, and a key that fits of the same kind share."""

    num_epochs: int
    guessed_seconds: float
    kind: Hashable


@dataclass
class _Seen:
    """The first and the last progress of a fit; the first may count epochs of an earlier call."""

    first_epochs: int
    first_seconds: float
    epochs: int
    seconds: float


@dataclass
class Workload:
    """The progress of all fits on `num_workers` processes, and the time that they still take."""

    loads: Mapping[Hashable, Load]
    num_workers: int
    _seen: dict[Hashable, _Seen] = field(default_factory=dict)

    @property
    def num_epochs(self) -> int:
        """The number of epochs of all fits, splits and seeds."""
        return sum(load.num_epochs for load in self.loads.values())

    @property
    def num_done(self) -> int:
        """The number of epochs done, also in earlier calls."""
        return sum(seen.epochs for seen in self._seen.values())

    def see(self, cell: Hashable, num_epochs: int, *, at_seconds: float) -> None:
        """Note that a fit has done so many epochs, at that time of a monotonic clock."""
        seen = self._seen.setdefault(cell, _Seen(num_epochs, at_seconds, num_epochs, at_seconds))
        seen.epochs, seen.seconds = num_epochs, at_seconds

    def seconds_left(self) -> float | None:
        """Return the seconds left, at least those of the longest fit.

        None until one has been timed.
        """
        timed = {cell: seen for cell, seen in self._seen.items() if seen.epochs > seen.first_epochs}
        guessed = sum(
            self.loads[cell].guessed_seconds * (seen.epochs - seen.first_epochs)
            for cell, seen in timed.items()
        )
        spent = sum(seen.seconds - seen.first_seconds for seen in timed.values())
        if not guessed or not spent:
            return None
        left = [self._seconds_left_of(cell, timed, slowness=spent / guessed) for cell in self.loads]
        return max(sum(left) / self.num_workers, *left)

    def _seconds_left_of(self, cell: Hashable, timed: Mapping[Hashable, _Seen], *, slowness: float) -> float:
        load, seen = self.loads[cell], self._seen.get(cell)
        alike = [one for other, one in timed.items() if self.loads[other].kind == load.kind]
        epochs = sum(one.epochs - one.first_epochs for one in alike)
        per_epoch = (
            sum(one.seconds - one.first_seconds for one in alike) / epochs
            if epochs
            else load.guessed_seconds * slowness
        )
        return (load.num_epochs - (seen.epochs if seen else 0)) * per_epoch
