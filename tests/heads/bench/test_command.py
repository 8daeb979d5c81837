"""`aqa bench` as a person types it: numbers, files, continuing, and what fails."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from scipy.stats import spearmanr

import cli
from heads.bench.records import BenchResults, BlockRecord, read_results
from heads.evaluation.compare import compare
from heads.evaluation.evaluate import evaluate

DOCS = Path(__file__).resolve().parents[3] / "docs"
ROWS = ["mean", "ridge", "svr-average", "wd-paper", "svr-average-shuffled"]
FILES = ("results.json", "results.md", "results.csv", "results.tex", "leaderboard.html")


def results_in(out: Path) -> BenchResults:
    return read_results(out / "results.json")


def of_seeds(folder: Path) -> list[float]:
    """Return Spearman's correlation of each seed, from the files, by scipy."""
    found = []
    for seed in (0, 1):
        with (folder / "split-given" / f"seed-{seed}" / "predictions.csv").open(newline="") as file:
            tested = [row for row in csv.DictReader(file) if row["part"] == "test"]
        pairs = [(float(row["predicted"]), float(row["true"])) for row in tested]
        found.append(spearmanr(np.array(pairs)).statistic)
    return found


def test_every_block_has_every_row(finished_bench) -> None:
    out, printed = finished_bench
    assert printed.exit_code == 0, printed.output
    results = results_in(out)
    assert [block.name for block in results.blocks] == ["club/clips-toy-clips", "club/segments-toy-3d"]
    for block in results.blocks:
        assert [cell.row for cell in block.cells] == ROWS
        assert len({tuple(cell.data_sha256.items()) for cell in block.cells}) == 1
    assert all((out / name).is_file() for name in FILES)
    assert printed.output.rstrip().endswith(f"next: aqa bench verify {out / FILES[0]}")


def test_numbers_are_those_of_the_predictions(finished_bench) -> None:
    out, _ = finished_bench
    for block in results_in(out).blocks:
        for cell in block.cells:
            if cell.row == "mean":
                assert cell.value is None
                continue
            values = of_seeds(out / cell.run)
            assert [seed.value for seed in cell.per_seed] == pytest.approx(values)
            assert cell.value == pytest.approx(np.mean(values))
            interval = evaluate(out / cell.run).splits[0].interval
            assert (cell.interval.low, cell.interval.high) == (interval.low, interval.high)


def test_the_difference_is_that_of_aqa_compare(finished_bench) -> None:
    out, _ = finished_bench
    block = results_in(out).blocks[0]
    cell = block.cell("wd-paper")
    (expected,) = compare(out / cell.run, out / block.cell("ridge").run).splits
    assert cell.against_ridge.difference == expected.difference
    assert cell.against_ridge.interval.low == expected.interval.low
    assert cell.against_ridge.p == expected.p
    assert block.cell("ridge").against_ridge is block.cell("svr-average-shuffled").against_ridge is None


def test_heads_with_a_value_are_ranked_without_the_control(finished_bench) -> None:
    out, printed = finished_bench
    results = results_in(out)
    ranking = results.ranking
    assert {head.row for head in ranking.heads} == {"ridge", "svr-average", "wd-paper"}
    assert ranking.left_out == {"mean": "no value on every block"}
    for head in ranking.heads:
        ranks = [rank_of(block, head.row) for block in results.blocks]
        assert head.average_rank == pytest.approx(np.mean(ranks))
    assert (out / "critical-difference.svg").is_file()
    assert "Blocks of one dataset share their videos" in printed.output


def rank_of(block: BlockRecord, row: str) -> float:
    values = [cell.value for cell in block.cells if cell.row in ("ridge", "svr-average", "wd-paper")]
    value = block.cell(row).value
    return 1 + sum(other > value for other in values) + (values.count(value) - 1) / 2


def test_the_same_command_trains_nothing_again(copied_bench, bench_club, run_bench, monkeypatch) -> None:
    before = (copied_bench / "results.json").read_bytes()
    monkeypatch.setattr("heads.training.pool.fits.fit", lambda *_: pytest.fail("trained again"))
    assert run_bench(bench_club, copied_bench).exit_code == 0
    assert (copied_bench / "results.json").read_bytes() == before


def test_an_interrupted_bench_goes_on(copied_bench, bench_club, run_bench) -> None:
    before = (copied_bench / "results.json").read_bytes()
    shutil.rmtree(copied_bench / "runs/club/segments-toy-3d/ridge/split-given/seed-1")
    shutil.rmtree(copied_bench / "runs/club/segments-toy-3d/svr-average")
    assert run_bench(bench_club, copied_bench).exit_code == 0
    assert (copied_bench / "results.json").read_bytes() == before


def test_a_fit_that_fails_does_not_stop_the_others(bench_club, run_bench, tmp_path) -> None:
    bad = tmp_path / "out/runs/club/clips-toy-clips/svr-average"
    bad.mkdir(parents=True)
    (bad / "stray.txt").touch()
    (tmp_path / "out" / "settings.json").write_text(
        json.dumps({"seeds": [0, 1], "epochs": 2, "splits": ["given"], "allow_missing": False})
    )
    result = run_bench(bench_club, tmp_path / "out", "--encoders", "clips", heads="svr-average")
    assert result.exit_code == 3, result.output
    results = results_in(tmp_path / "out")
    (failed,) = results.failed
    assert (failed.block, failed.row) == ("club/clips-toy-clips", "svr-average")
    assert "is not empty and not a run directory" in failed.reason
    assert [cell.row for cell in results.blocks[0].cells] == ["mean", "ridge", "svr-average-shuffled"]
    assert "No ranking: a ranking needs 2 or more blocks (dataset and encoder); there is 1." in result.output


def test_a_mistake_in_one_head_does_not_stop_the_others(
    copied_bench, bench_club, run_bench, monkeypatch, caplog
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("by a head")

    shutil.rmtree(copied_bench / "runs/club/clips-toy-clips/wd-paper")
    monkeypatch.setattr("heads.training.pool.fits.fit", fail)
    result = run_bench(bench_club, copied_bench)
    assert result.exit_code == 3
    (failed,) = results_in(copied_bench).failed
    assert (failed.row, failed.reason) == ("wd-paper", "ZeroDivisionError: by a head")
    assert "Traceback" in caplog.text
    assert "1 failed:\n  club/clips-toy-clips, wd-paper: ZeroDivisionError: by a head" in result.output


def test_other_settings_need_another_folder(copied_bench, bench_club, run_bench) -> None:
    result = run_bench(bench_club, copied_bench, "--seeds", "0")
    assert result.exit_code == 1
    assert "holds a bench made with other settings" in result.output
    assert "seeds: [0, 1] != [0]" in result.output


def test_jobs_are_for_this_machine_alone(bench_club, run_bench, tmp_path) -> None:
    result = run_bench(bench_club, tmp_path / "out", "--engine", "ray")
    assert result.exit_code == 2
    assert "--jobs is for --engine local" in result.output


def test_options_before_a_subcommand_are_refused(finished_bench) -> None:
    out, _ = finished_bench
    words = ["bench", "--seeds", "0", "verify", str(out / "results.json")]
    result = CliRunner().invoke(cli.main, words)
    assert result.exit_code == 2
    assert "has no option 'seeds' before it" in result.output


def test_the_committed_schema_is_what_the_command_writes() -> None:
    written = CliRunner().invoke(cli.main, ["bench", "schema"])
    assert (DOCS / "bench-schema.json").read_text() == written.output, (
        "run `aqa bench schema > docs/bench-schema.json`"
    )
    assert set(json.loads(written.output)["properties"]) == set(BenchResults.model_fields)
