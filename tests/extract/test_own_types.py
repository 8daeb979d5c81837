"""Records hold Python's values, NumPy's arrays and each other: no type of a library that reads files."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from fractions import Fraction
from numbers import Rational
from pathlib import Path

import av
import numpy as np
import pytest

from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.store import Store
from aqa_pipeline.video import Timeline, probe
from aqa_pipeline.video.container import as_fraction, stated_rate
from aqa_pipeline.video.timeline import scan_video
from extract.decoding.decode import Job, decode
from extract.run.extraction import Extraction
from extract.run.stage import extract

OURS = ("aqa_pipeline", "extract")
PLAIN = (str, bytes, bool, int, float, type(None), Fraction, Path, np.ndarray)


class ForeignRational:
    """What a library may call a rational: arithmetic, and nothing else of `Fraction` (PyAV 19 does so)."""

    def __init__(self, numerator: int, denominator: int) -> None:
        self.numerator, self.denominator = numerator, denominator

    def __bool__(self) -> bool:
        return bool(self.numerator and self.denominator)

    def __le__(self, other: object) -> bool:
        return Fraction(self.numerator, self.denominator) <= other


Rational.register(ForeignRational)


def strangers(value: object, at: str = "") -> Iterator[str]:
    """Where in a record a value lies that is neither plain nor ours, and its type."""
    if type(value) in PLAIN or (isinstance(value, Path) and type(value).__module__.startswith("pathlib")):
        return
    if is_dataclass(value) and type(value).__module__.startswith(OURS):
        for field in fields(value):
            yield from strangers(getattr(value, field.name), f"{at}.{field.name}")
    elif isinstance(value, Mapping):
        for key, held in value.items():
            yield from strangers(key, f"{at}[{key!r}]")
            yield from strangers(held, f"{at}[{key!r}]")
    elif isinstance(value, tuple | list | frozenset):
        for number, held in enumerate(value):
            yield from strangers(held, f"{at}[{number}]")
    else:
        yield f"{at}: {type(value).__module__}.{type(value).__qualname__}"


@pytest.fixture
def dataset(tmp_path):
    """Return a folder of an mp4 and an avi file, each of ten frames at 30000/1001 a second."""
    (tmp_path / "data").mkdir()
    for name, codec in (("a.mp4", "libx264"), ("b.avi", "mpeg4")):
        with av.open(str(tmp_path / "data" / name), "w") as container:
            stream = container.add_stream(codec, rate=Fraction(30_000, 1001))
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for number in range(10):
                picture = np.full((48, 64, 3), 20 * number, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode())
    (tmp_path / "data" / "scores.csv").write_text("video,score\na.mp4,3.5\nb.avi,4\n")
    return load_dataset("folder", tmp_path / "data")


def test_a_stranger_would_be_found():
    assert list(strangers(Fraction(1, 3))) == []
    assert list(strangers({"rate": (1, np.float32(2))})) == ["['rate'][1]: numpy.float32"]
    assert [found.split(".")[-1] for found in strangers([ForeignRational(1, 2)])] == ["ForeignRational"]


def test_a_timeline_makes_any_rational_its_own():
    timeline = Timeline(np.array([0, 5, 10]), time_base=ForeignRational(1, 10), end=np.int64(15))
    assert list(strangers(timeline)) == []
    assert timeline.time_base == Fraction(1, 10)
    assert timeline.pts_seconds.tolist() == [0, 0.5, 1]
    assert timeline.duration == Fraction(3, 2)


def test_an_unstated_ratio_is_none():
    assert as_fraction(None) is None
    assert as_fraction(ForeignRational(0, 1)) is None
    assert as_fraction(ForeignRational(0, 0)) is None
    assert as_fraction(ForeignRational(25, 2)) == Fraction(25, 2)
    assert type(as_fraction(ForeignRational(25, 2))) is Fraction


def test_no_librarys_type_enters_a_dataset_or_the_facts_of_a_file(dataset):
    assert list(strangers(dataset)) == []
    for video in dataset.videos:
        assert list(strangers(probe(video.path))) == []
        assert list(strangers(scan_video(video.path))) == []
        assert scan_video(video.path).timeline.num_frames == 10
        with av.open(str(video.path)) as container:
            assert type(stated_rate(container.streams.video[0])) is Fraction


def test_no_librarys_type_enters_a_record(dataset, tmp_path, brightness):
    store, stream = Store(tmp_path / "store"), brightness()
    for video in dataset.videos:
        opened = next(iter(decode(Job(video, (stream.intake,), "auto"))))
        assert list(strangers(opened)) == []
    report = extract(Extraction("toy", store, [stream]), dataset.videos, progress=lambda **_: None)
    assert list(strangers([report.written, report.failures])) == []
    assert list(strangers(store.read("toy", "a", stream.spec))) == []
