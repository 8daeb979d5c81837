"""How long a table still takes: epochs left, times what an epoch of such a cell was seen to take."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

# Seconds of one epoch over 100 videos on one core, by stream read: only the proportions matter, and only
# until a cell of the same kind has been seen. Measured on features of Rhythmic Gymnastics' shapes, in fp32.
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
}
UNKNOWN_HEAD_SECONDS = 0.6


@dataclass(frozen=True)
class Load:
    """One cell: its epochs, what an epoch is first guessed to take, and which cells are of the same kind."""

    num_epochs: int
    guessed_seconds: float
    kind: Hashable


@dataclass
class _Seen:
    """What has been seen of a cell: its first message counts epochs of an earlier call too."""

    first_epochs: int
    first_seconds: float
    epochs: int
    seconds: float


@dataclass
class Workload:
    """Told how far each cell is, it says how long all of them still take on `num_workers` processes."""

    loads: Mapping[Hashable, Load]
    num_workers: int
    _seen: dict[Hashable, _Seen] = field(default_factory=dict)

    @property
    def num_epochs(self) -> int:
        """Of all cells, splits and seeds."""
        return sum(load.num_epochs for load in self.loads.values())

    @property
    def num_done(self) -> int:
        """Epochs done, those of earlier calls included."""
        return sum(seen.epochs for seen in self._seen.values())

    def see(self, cell: Hashable, num_epochs: int, *, at_seconds: float) -> None:
        """The cell has done so many epochs, at that time of a clock that only runs forward."""
        seen = self._seen.setdefault(cell, _Seen(num_epochs, at_seconds, num_epochs, at_seconds))
        seen.epochs, seen.seconds = num_epochs, at_seconds

    def seconds_left(self) -> float | None:
        """None until a cell has been timed. The longest cell left is a bound: it runs on one process."""
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
