"""From prepared frames to a record: frames into steps, steps into batches, batches through the encoder."""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from aqa_pipeline.footage import Footage
from aqa_pipeline.records import Pictures, Record, Source, SpecValue, Video
from extract.clock import Clock
from extract.streams.stream import Steps, Stream


class Rows:
    """Up to `most` rows that come in batches, (rows, ...) each, as one array.

    Each batch is copied into its place at once: batches joined at the end would be in memory twice. The
    dtype is that of the first batch unless another is named. Rows (dim,) of another length than those before,
    such as JPEG files, end with zeros up to the longest.
    """

    def __init__(self, most: int, dtype: str | None = None) -> None:
        self._most, self._dtype = most, dtype
        self._array: np.ndarray | None = None
        self._num_rows = 0

    def add(self, batch: np.ndarray) -> None:
        """Append the rows of a batch."""
        if self._array is None:  # memory that is not touched is not taken
            self._array = np.empty((self._most, *batch.shape[1:]), self._dtype or batch.dtype)
        end = self._num_rows + len(batch)
        if batch.shape[1:] == self._array.shape[1:]:
            self._array[self._num_rows : end] = batch
        else:
            self._add_of_other_length(self._array, batch)
        self._num_rows = end

    def _add_of_other_length(self, array: np.ndarray, batch: np.ndarray) -> None:
        """Append rows (dim,) in an array as wide as the longest row; few rows are longer than all before."""
        (width,), (length,) = array.shape[1:], batch.shape[1:]
        if length > width:
            self._array = wider = np.empty((self._most, length), array.dtype)
            wider[: self._num_rows, :width] = array[: self._num_rows]
            wider[: self._num_rows, width:] = 0
            array = wider
        rows = array[self._num_rows : self._num_rows + len(batch)]
        rows[:, :length], rows[:, length:] = batch, 0

    @property
    def array(self) -> np.ndarray:
        """All rows added so far. `add` must have been called at least once; the batch may be empty."""
        assert self._array is not None, "no batch has come yet"
        return self._array[: self._num_rows]


class Collector:
    """Gathers one stream's prepared frames into steps, steps into batches, and batches into a record.

    A frame is held as long as a step that is not whole yet needs it: steps may share frames and repeat them.
    """

    def __init__(self, stream: Stream, video: Video, footage: Footage, steps: Steps, clock: Clock) -> None:
        self._stream, self._video, self._steps, self._footage = stream, video, steps, footage
        self._encode = stream.encoder(video, footage, clock)
        self._held: dict[int, np.ndarray] = {}
        self._batch: list[np.ndarray] = []  # the frames of steps [num_encoded, num_whole)
        self._num_whole = 0
        self._num_encoded = 0
        self._features = Rows(len(steps), stream.dtype)
        self._kept = Rows(len(steps))
        self._extras: dict[str, Rows] = {}
        self._counts: Counter[str] = Counter()

    def push(self, frame_index: int, prepared: np.ndarray) -> None:
        """Take the next planned frame; frames come in order."""
        self._held[frame_index] = prepared
        while self._num_whole < len(self._steps) and self._steps.last_frame[self._num_whole] <= frame_index:
            self._batch += [self._held[index] for index in self._steps.frame_index[self._num_whole].tolist()]
            self._num_whole += 1
            self._let_go()
            if self._num_whole - self._num_encoded == self._stream.batch_size:
                self._flush()

    def _let_go(self) -> None:
        """Forget the frames before those that the remaining steps need: none of them comes again."""
        remaining = self._steps.first_frame[self._num_whole :]
        needed_from = remaining[0] if len(remaining) else np.inf
        while self._held and (earliest := next(iter(self._held))) < needed_from:
            del self._held[earliest]

    def _flush(self) -> None:
        if self._batch:
            encoded = self._encode(self._batch, self._steps.frame_index[self._num_encoded : self._num_whole])
            self._features.add(encoded.features)
            self._kept.add(encoded.kept)
            for name, rows in encoded.extras.items():
                self._extras.setdefault(name, Rows(len(self._steps))).add(rows)
            self._counts.update({"num_steps_without_person": int((~encoded.kept).sum())})
            self._counts.update(encoded.counts)
        self._batch, self._num_encoded = [], self._num_whole

    def record(self, dataset: str, *, source: Source, picture: Mapping[str, SpecValue]) -> Record:
        """Return the finished record. It leaves out steps without a person."""
        self._flush()
        assert self._num_encoded == len(self._steps), "the decoder did not deliver every planned frame"
        kept = self._kept.array
        ending = self._encode.finish({name: rows.array for name, rows in self._extras.items()})
        self._counts.update(ending.counts)
        return Record(
            dataset=dataset,
            video_id=self._video.video_id,
            spec=self._stream.spec,
            features=self._features.array,
            pts_seconds=self._steps.pts_seconds[kept],
            source=source,
            extras=ending.extras,
            counts={"num_steps": len(kept), **self._counts, **self._steps.counts},
            events=ending.events,
            pictures=Pictures(self._footage, self._encode.field_of_view, picture),
        )
