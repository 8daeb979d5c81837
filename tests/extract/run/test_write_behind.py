"""Records are written behind: in order, bounded, and what the store says is reported to the caller."""

import threading

import numpy as np
import pytest

from aqa_pipeline.errors import StoreError
from aqa_pipeline.records import Record, Source, StreamSpec
from aqa_pipeline.store import Store
from extract.run.write_behind import MAX_BEHIND, WriteBehind


def record(video_id):
    features, pts = np.zeros((2, 3), np.float32), np.array([[0.0, 1.0], [1.0, 2.0]])
    spec, counts = StreamSpec("frames", {}), {"num_steps_without_person": 1}
    return Record("toy", video_id, spec, features, pts, Source("0" * 64), counts=counts)


def test_what_was_written_is_reported_in_order(tmp_path):
    reported = []
    with WriteBehind(Store(tmp_path / "s")) as writer:
        for name in "abcdefg":
            writer.put([record(name)], when_done=lambda outcome: reported.extend(outcome()))
        writer.settle()
    assert [row.video_id for row in reported] == list("abcdefg")
    assert (reported[0].stream, reported[0].num_steps, reported[0].num_steps_without_person) == (
        "frames",
        2,
        1,
    )
    assert reported[0].num_bytes == Store(tmp_path / "s").path("toy", "a", record("a").spec).stat().st_size


def test_the_caller_waits_only_when_the_disk_is_far_behind(tmp_path, monkeypatch):
    gate, written, order = threading.Event(), [], []
    monkeypatch.setattr(Store, "write", lambda self, record: gate.wait() and written.append(record))
    monkeypatch.setattr("extract.run.write_behind._written", lambda record, path, outside: record.video_id)
    reported = []
    with WriteBehind(Store(tmp_path / "s")) as writer:
        for at in range(MAX_BEHIND):
            writer.put([record(f"v{at}")], when_done=lambda outcome: reported.extend(outcome()))
        assert (written, reported) == ([], [])
        threading.Timer(0.1, lambda: (order.append("the disk goes on"), gate.set())).start()
        writer.put([record("one more")], when_done=lambda outcome: reported.extend(outcome()))
        order.append("the caller goes on")
        assert order == ["the disk goes on", "the caller goes on"]
        assert reported[0] == "v0"
        writer.settle()
    assert reported == [*(f"v{at}" for at in range(MAX_BEHIND)), "one more"]


def test_what_the_store_refuses_is_raised_where_it_is_asked_for(tmp_path, monkeypatch):
    def refuse(self, record):
        raise StoreError(f"no space left for {record.video_id}")

    monkeypatch.setattr(Store, "write", refuse)

    def write():
        with WriteBehind(Store(tmp_path / "s")) as writer:
            writer.put([record("a")], when_done=lambda outcome: outcome())
            writer.settle()

    with pytest.raises(StoreError, match="no space left for a"):
        write()


def test_leaving_drops_what_was_not_begun_and_finishes_what_was(tmp_path, monkeypatch):
    begun, go_on, written = threading.Event(), threading.Event(), []

    def slowly(self, record):
        begun.set()
        go_on.wait()
        written.append(record.video_id)

    monkeypatch.setattr(Store, "write", slowly)
    monkeypatch.setattr("extract.run.write_behind._written", lambda record, path, outside: record.video_id)
    with WriteBehind(Store(tmp_path / "s")) as writer:
        for name in "abc":
            writer.put([record(name)], when_done=lambda outcome: outcome())
        begun.wait()
        (_, _), *others = writer._due
        others[-1][0].add_done_callback(lambda _: go_on.set())  # dropped, in leaving
    assert written == ["a"]
