"""`aqa evaluate` and `aqa compare`: what is printed is what the files hold; the rest is explained."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from scipy.stats import spearmanr

import cli
from heads.runs.trained_cell import read_cell


def aqa(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


def row_of(text: str, *words: str) -> list[str]:
    """Return the fields of the line of a printed table that begins with these words."""
    (line,) = [line for line in text.splitlines() if line.split()[: len(words)] == list(words)]
    return re.split(r"  +", line.strip())


def test_printed_numbers_are_those_of_scipy_on_the_predictions(club) -> None:
    printed = aqa("evaluate", club.run("wd"))
    assert printed.exit_code == 0, printed.output
    for seed in (0, 1):
        rows = [
            row
            for row in read_cell(club.run("wd"), split="given", seed=seed).predictions
            if row.part == "test"
        ]
        true, told = (np.array([getattr(row, name) for row in rows]) for name in ("true", "predicted"))
        fields = row_of(printed.stdout, "given", str(seed))
        assert fields[2] == str(len(rows))
        assert float(fields[3]) == pytest.approx(spearmanr(told, true).statistic, abs=6e-4)
        error, mse = np.abs(told - true).mean(), ((told - true) ** 2).mean()
        relative = 100 * mse / np.ptp(true) ** 2
        assert [float(each) for each in fields[5:]] == pytest.approx([error, relative, mse], abs=6e-4)


def test_what_is_printed_is_what_summary_json_holds(club) -> None:
    printed = aqa("evaluate", club.run("wd")).stdout
    summary = json.loads((club.run("wd") / "summary.json").read_text())
    (split,) = summary["splits"]
    assert row_of(printed, "given", "mean")[3] == f"{split['mean']:.3f} ± {split['std']:.3f}"
    low, high = split["interval"]["low"], split["interval"]["high"]
    assert row_of(printed, "given", "mean")[4] == f"[{low:.3f}, {high:.3f}]"
    assert row_of(printed, "given", "ensemble")[3] == f"{split['ensemble']['spearman']:.3f}"
    assert summary["title"] in printed
    for flag in summary["flags"]:
        assert flag in printed.splitlines()


def test_the_only_run_need_not_be_named_and_of_several_one_is_asked_for(
    club, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    none = aqa("evaluate")
    assert (none.exit_code, "there is no run in runs/" in none.output) == (1, True)
    shutil.copytree(club.run("svr"), tmp_path / "runs" / "one")
    alone = aqa("evaluate")
    assert alone.exit_code == 0, alone.output
    assert alone.stderr.splitlines()[0] == "Run: runs/one, the only one in runs/"
    assert alone.stdout == aqa("evaluate", "runs/one").stdout
    shutil.copytree(club.run("wd"), tmp_path / "runs" / "two")
    several = aqa("evaluate")
    assert several.exit_code == 1
    assert "there are 2 runs in runs/: choose one of runs/one, runs/two." in several.output


def test_an_unfinished_run_is_evaluated_and_says_what_is_missing(club, tmp_path: Path) -> None:
    run = shutil.copytree(club.run("wd"), tmp_path / "run")
    shutil.rmtree(run / "split-given" / "seed-1")
    result = aqa("evaluate", run)
    assert result.exit_code == 0, result.output
    assert (
        "1 trained cell (split and seed) is missing: run the same `aqa fit` command again."
        in result.stdout.splitlines()
    )
    assert row_of(result.stdout, "given", "0") == row_of(aqa("evaluate", club.run("wd")).stdout, "given", "0")


def test_a_run_compared_with_itself_differs_by_nothing(club) -> None:
    result = aqa("compare", club.run("wd"), club.run("wd"))
    assert result.exit_code == 0, result.output
    name, videos, first, second, difference, *_ = row_of(result.stdout, "given", "15")
    assert (name, videos, difference) == ("given", "15", "+0.000")
    assert first == second
    assert result.stdout.rstrip().endswith("No clear difference: the interval contains 0.")


def test_the_file_of_a_comparison_holds_what_is_printed(club, tmp_path: Path) -> None:
    target = tmp_path / "new" / "folder" / "difference.json"
    result = aqa("compare", club.run("wd"), club.run("svr"), "--json", target)
    assert result.exit_code == 0, result.output
    content = json.loads(target.read_text())
    (split,) = content["splits"]
    fields = row_of(result.stdout, "given", "15")
    assert fields[2:5] == [f"{split['first']:.3f}", f"{split['second']:.3f}", f"{split['difference']:+.3f}"]
    assert fields[5] == f"[{split['interval']['low']:+.3f}, {split['interval']['high']:+.3f}]"
    assert fields[6] == f"{split['p']:.4f}"
    assert content["overall"] is None
    assert [content[side]["num_seeds"] for side in ("first", "second")] == [1, 1], "seed 0 is in both"
    assert (
        "B is better" in result.stdout
        or "No clear difference" in result.stdout
        or "A is better" in result.stdout
    )


def test_turning_the_runs_round_turns_the_difference_round(club, tmp_path: Path) -> None:
    contents = []
    for names in (("wd", "svr"), ("svr", "wd")):
        aqa("compare", *(club.run(name) for name in names), "--json", tmp_path / "c.json")
        contents.append(json.loads((tmp_path / "c.json").read_text())["splits"][0])
    assert contents[0]["difference"] == -contents[1]["difference"]
    assert contents[0]["p"] == pytest.approx(contents[1]["p"], abs=0.02)


@pytest.fixture
def other_target(make_club, tmp_path: Path) -> Path:
    """Return a run of the club that predicts the execution."""
    club = make_club(tmp_path / "other", num_videos=8)
    options = ("--head", "svr-average", "--streams", "clips", "--seeds", "0", "--device", "cpu")
    result = aqa("fit", *club.options, *options, "--target", "execution", "--out", tmp_path / "execution")
    assert result.exit_code == 0, result.output
    return tmp_path / "execution"


def test_runs_of_different_targets_are_not_compared(club, other_target: Path) -> None:
    result = aqa("compare", club.run("svr"), other_target)
    assert result.exit_code == 1
    assert (
        "have no target in common (score and execution): compare runs of one dataset and target."
        in result.output
    )


def change_config(run: Path, **parts: object) -> None:
    values = json.loads((run / "config.json").read_text())
    for part, value in parts.items():
        values[part] |= value
    (run / "config.json").write_text(json.dumps(values))


def test_runs_without_a_common_seed_name_both_lists(club, tmp_path: Path) -> None:
    run = shutil.copytree(club.run("svr"), tmp_path / "run")
    cell = run / "split-given" / "seed-0"
    facts = json.loads((cell / "cell.json").read_text()) | {"seed": 7}
    (cell / "cell.json").write_text(json.dumps(facts))
    cell.rename(run / "split-given" / "seed-7")
    change_config(run, training={"seeds": [7]})
    result = aqa("compare", club.run("wd"), run)
    assert result.exit_code == 1
    assert "have no seed in common: [0, 1] and [7]. Fit one of them with the other's seeds." in result.output


def test_runs_without_a_common_split_name_both_lists(club, tmp_path: Path) -> None:
    run = shutil.copytree(club.run("svr"), tmp_path / "run")
    cell = run / "split-given" / "seed-0" / "cell.json"
    cell.write_text(json.dumps(json.loads(cell.read_text()) | {"split": "mine"}))
    (run / "split-given").rename(run / "split-mine")
    values = json.loads((run / "config.json").read_text())
    values["splits"] = {"mine": values["splits"]["given"]}
    (run / "config.json").write_text(json.dumps(values))
    result = aqa("compare", club.run("svr"), run)
    assert result.exit_code == 1
    assert "have no split in common: ['given'] and ['mine']." in result.output


def rewrite_predictions(run: Path, change: dict[str, str]) -> None:
    path = run / "split-given" / "seed-0" / "predictions.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(change.get(line.split(",")[0], line) for line in lines if line) + "\n")


def test_runs_that_tested_other_videos_name_some_of_them(club, tmp_path: Path) -> None:
    run = shutil.copytree(club.run("svr"), tmp_path / "run")
    rewrite_predictions(run, {"v01": "x01,test,60.0,61.0", "v03": "x03,test,60.0,61.0"})
    result = aqa("compare", club.run("svr"), run)
    assert result.exit_code == 1
    assert (
        "was not tested on the same videos: 4 are in one run only, such as ['v01', 'v03', 'x01']."
        in result.output
    )
    assert "Fit both on the same features (no --allow-missing)." in result.output


def test_runs_with_other_labels_are_to_be_fitted_again(club, tmp_path: Path) -> None:
    run = shutil.copytree(club.run("svr"), tmp_path / "run")
    rewrite_predictions(run, {"v01": "v01,test,12.5,61.0"})
    result = aqa("compare", club.run("svr"), run)
    assert result.exit_code == 1
    assert "different labels for the same videos, because the label file changed" in result.output
    assert "Fit both again." in result.output


def test_a_folder_that_is_no_run_is_one_message(club, tmp_path: Path) -> None:
    for command in (("evaluate", tmp_path), ("compare", club.run("svr"), tmp_path), ("report", tmp_path)):
        result = aqa(*command)
        assert result.exit_code == 1, command
        assert f"{tmp_path} is not a run directory (config.json cannot be read: " in result.output
        assert "expected the folder that `aqa fit --out` wrote." in result.output


def test_a_run_that_is_not_there_is_a_wrong_command_line(club) -> None:
    for command in (("evaluate", "gone"), ("compare", club.run("svr"), "gone"), ("report", "gone")):
        assert aqa(*command).exit_code == 2, command
