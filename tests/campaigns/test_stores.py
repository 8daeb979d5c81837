"""Short forms of the campaigns on stores; each of them can fail."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aqa_pipeline.store import Store
from campaigns import bit_flips, concurrent, full_disk
from campaigns.inputs import samples
from campaigns.results import campaign, figures
from campaigns.results.campaign import CampaignResult


def test_flipped_bits_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bit_flips, "COMMANDS", 2)
    result = bit_flips.measure(30, tmp_path)
    assert result.kept, (result.summary, result.details)
    assert (result.counts["flips in records"], result.counts["flips in a pack"]) == (30, 3)


def test_a_verify_that_sees_nothing_breaks_the_promise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "verify", lambda store: iter(()))
    monkeypatch.setattr(bit_flips, "COMMANDS", 0)
    result = bit_flips.measure(3, tmp_path)
    assert not result.kept
    assert result.counts["missed"] == 3


@pytest.mark.slow
def test_a_full_disk_is_reported_and_harmless(tmp_path: Path) -> None:
    result = full_disk.measure(3, tmp_path)
    assert result.kept, (result.summary, result.details)


@pytest.mark.slow
def test_a_limit_on_files_stands_in_for_a_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(full_disk.os, "geteuid", lambda: 1000)
    result = full_disk.measure(2, tmp_path)
    assert result.kept, (result.summary, result.details)
    assert result.counts["disk"] == "RLIMIT_FSIZE"


@pytest.mark.slow
def test_extractors_at_once_write_the_store_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concurrent, "NUM_EXTRACTORS", 2)
    result = concurrent.measure(1, tmp_path)
    assert result.kept, (result.summary, result.details)


def test_a_difference_in_one_number_is_noticed(tmp_path: Path) -> None:
    one, other = Store(tmp_path / "one"), Store(tmp_path / "other")
    record = next(r for r in map(samples.random_record, range(9)) if len(r.features) > 3)
    one.write(record)
    other.write(record)
    assert samples.differences(one, other) == []
    features = record.features.copy()
    features[1, 2] = np.nextafter(features[1, 2], features.dtype.type(9))
    other.write(replace(record, features=features))
    assert [text.endswith(": features") for text in samples.differences(one, other)] == [True]
    other.write(replace(record, counts={"num_steps": 1}))
    assert [text.endswith(": counts") for text in samples.differences(one, other)] == [True]
    assert len(samples.differences(one, Store(tmp_path / "empty"))) == 1


@pytest.mark.parametrize("kept", [True, False])
def test_a_campaign_leaves_its_figure_and_its_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kept: bool
) -> None:
    monkeypatch.setattr(sys, "argv", ["tried", "--count", "1200", "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as end:
        campaign.run_campaign(
            "tried",
            "{count} tries",
            lambda count, _: CampaignResult("all well", kept, {"tries": count}),
            count=5,
        )
    assert end.value.code == (0 if kept else 1)
    result = json.loads((tmp_path / "tried.json").read_text())
    assert (result["campaign"], result["figure"], result["summary"]) == ("tried", "1,200 tries", "all well")
    assert result["details"]["kept"] is kept
    assert ("NOT KEPT" in capsys.readouterr().out) is not kept


def test_figures_stand_between_their_marks(tmp_path: Path) -> None:
    results, docs = tmp_path / "results", tmp_path / "docs"
    for folder in (results, docs):
        folder.mkdir()
    for name, kept in (("b", False), ("a", True)):
        result = {"figure": f"5 of {name}", "summary": "well", "seconds": 90, "details": {"kept": kept}}
        (results / f"{name}.json").write_text(json.dumps(result))
    (results / "a.svg").write_text("<svg/>")
    page = docs / "reliability.md"
    page.write_text(f"before\n{figures.BEGIN}\nold\n{figures.END}\nafter\n")
    for _ in range(2):
        figures.put_into_docs(results, docs, order=("a", "b", "never ran"))
        lines = page.read_text().splitlines()
        assert lines[0] == "before"
        assert lines[-1] == "after"
        assert lines[4:6] == ["| 5 of a | well | 1.5 |", "| 5 of b | **NOT KEPT** well | 1.5 |"]
        assert "old" not in lines
    assert (docs / "a.svg").is_file()
