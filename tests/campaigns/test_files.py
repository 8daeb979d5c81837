"""A short form of the campaign on mutated files. Mutations do what they say; bad outcomes are noticed."""

import random
from pathlib import Path

import pytest

from campaigns import mutated_files
from campaigns.inputs.file_kinds import FILE_KINDS
from campaigns.inputs.mutations import MUTATIONS, mutate
from campaigns.mutated_files import FINE, _verdict_on


@pytest.mark.slow
def test_mutated_files_of_every_kind_are_opened_or_refused(tmp_path: Path) -> None:
    result = mutated_files.measure(len(FILE_KINDS), tmp_path)
    assert result.kept, (result.summary, result.details["bad"])
    assert sum(result.counts.get(verdict, 0) for verdict in FINE) == len(FILE_KINDS)
    assert all(sum(verdicts.values()) == 1 for verdicts in result.details["by kind"].values())


@pytest.mark.parametrize("name", MUTATIONS)
@pytest.mark.parametrize("content", [b"", b"a", bytes(range(256)) * 8, b"video,score\na.mp4,12.5\n"])
def test_any_content_can_be_mutated(name: str, content: bytes) -> None:
    results = {MUTATIONS[name](bytearray(content), random.Random(seed)) for seed in range(20)}
    assert all(isinstance(result, bytes) for result in results)
    if len(content) > 10:
        assert results != {content}


def test_a_mutation_is_the_same_whenever_it_is_made() -> None:
    content = bytes(range(256)) * 4
    made = [mutate(content, random.Random(seed)) for seed in range(50)]
    assert made == [mutate(content, random.Random(seed)) for seed in range(50)]
    assert len({result for _, result in made}) > 40


@pytest.mark.parametrize(
    ("code", "text", "verdict"),
    [
        (0, "fine", "opened"),
        (1, "FOLDER/a.csv line 3 is bad", "refused"),
        (3, "FOLDER: 2 of 3", "opened in part"),
        (1, "something is wrong", "unclear"),
        (2, "FOLDER: no such option", "unclear"),
        (0, "Traceback (most recent call last): ...", "traceback"),
    ],
)
def test_only_a_clear_error_counts_as_one(tmp_path: Path, code: int, text: str, verdict: str) -> None:
    assert _verdict_on(code, text.replace("FOLDER", str(tmp_path)), folder=tmp_path) == verdict


def test_code_that_runs_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    canary = tmp_path / "canary"
    monkeypatch.setenv("AQA_CANARY", str(canary))
    number = list(FILE_KINDS).index("boxes")
    kind = FILE_KINDS["boxes"]

    def careless(folder: Path) -> tuple[int, str]:
        canary.touch()
        return 0, ""

    monkeypatch.setitem(FILE_KINDS, "boxes", type(kind)(kind.prepare, careless))
    assert mutated_files._tried(number, tmp_path).verdict == "code run"
    assert not canary.exists()


def test_a_traceback_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AQA_CANARY", str(tmp_path / "canary"))
    kind = FILE_KINDS["boxes"]

    def broken(folder: Path) -> tuple[int, str]:
        raise KeyError("x")

    monkeypatch.setitem(FILE_KINDS, "boxes", type(kind)(kind.prepare, broken))
    assert mutated_files._tried(list(FILE_KINDS).index("boxes"), tmp_path).verdict == "traceback"
