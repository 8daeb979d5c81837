"""`aqa report`: its options, its numbers beside those of summary.json, and names that come from strangers."""

import json
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cli
from heads.runs.trained_cell import read_cell

HOSTILE = "<script>alert(1)</script>\"'&amp;"


def aqa(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


class Page(HTMLParser):
    """The tables, links, tags and text of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self._inside: str | None = None
        self.feed(path.read_text())
        self.rows = [[" ".join(field.split()) for field in row] for row in self.rows]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [str(value) for name, value in attrs if name == "href" and tag == "a"]
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        self._inside = tag

    def handle_data(self, data: str) -> None:
        if self._inside in ("style", "script"):
            return
        self.text += data
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._inside = None
        if tag == "tr":
            self.rows.append([])


@pytest.fixture
def wd(club, tmp_path: Path) -> Path:
    """Return an own copy of the run of two seeds: a report writes plots into the run."""
    return shutil.copytree(club.run("wd"), tmp_path / "wd")


def test_numbers_of_the_page_are_those_of_summary_json(wd: Path, tmp_path: Path) -> None:
    result = aqa("report", wd, "--html", tmp_path / "r.html", "--worst", 0)
    assert result.exit_code == 0, result.output
    page, summary = Page(tmp_path / "r.html"), json.loads((wd / "summary.json").read_text())
    (split,) = summary["splits"]
    interval = f"{split['interval']['low']:.3f} to {split['interval']['high']:.3f}"
    assert ["given", "15", f"{split['mean']:.3f} ± {split['std']:.3f}", interval] in page.rows
    for cell in summary["cells"]:
        scores = cell["scores"]
        row = next(row for row in page.rows if row[:2] == ["given", str(cell["seed"])])
        assert row[3] == f"{scores['spearman']:.3f}"
        assert row[5:] == [
            f"{scores['relative_l2']:.3f}",
            f"{scores['mse']:.3f}",
            f"{cell['last_on_test']:.3f}",
            f"{cell['best_on_test']:.3f}",
        ]
    for each in summary["baselines"]:
        row = next(row for row in page.rows if row[:1] == [each["baseline"]])
        if each["difference"] is None:
            assert row[1:] == ["undefined", "", "", f"{each['mean_error']:.3g}"]
            continue
        low, high = each["interval"]
        compared = [f"{each['difference']:+.3f}", f"{low:+.3f} to {high:+.3f}"]
        assert row[1:] == [f"{each['value']:.3f}", *compared, f"{each['mean_error']:.3g}"]
    assert f"{summary['verdict']['error']:.3g}" in page.text
    for note in summary["notes"]:
        assert note in " ".join(page.text.split())


def test_a_run_without_baselines_has_no_part_for_them(wd: Path, tmp_path: Path) -> None:
    (wd / "split-given" / "baselines.csv").unlink()
    assert aqa("report", wd, "--html", tmp_path / "r.html", "--worst", 0).exit_code == 0
    page = Page(tmp_path / "r.html")
    assert "Beside simple baselines" not in page.text
    assert not any(row[:1] == ["ridge"] for row in page.rows)


@pytest.mark.parametrize("number", [0, 1, 4])
def test_the_worst_videos_are_those_with_the_largest_errors(wd: Path, tmp_path: Path, number: int) -> None:
    aqa("report", wd, "--html", tmp_path / "r.html", "--worst", number)
    cells = [read_cell(wd, split="given", seed=seed) for seed in (0, 1)]
    told: dict[str, list[float]] = {}
    for cell in cells:
        for row in cell.predictions:
            if row.part == "test":
                told.setdefault(row.video_id, []).append(row.predicted)
    true = {row.video_id: row.true for row in cells[0].predictions}
    error = {name: sum(scores) / 2 - true[name] for name, scores in told.items()}
    worst = sorted(error, key=lambda name: -abs(error[name]))[:number]
    rows = [row for row in Page(tmp_path / "r.html").rows if row and row[0].split()[0] in error]
    assert [row[0].split()[0] for row in rows] == worst
    assert [row[3] for row in rows] == [f"{error[name]:+.2f}" for name in worst]


def test_videos_that_are_not_here_have_a_reason_in_place_of_a_page(wd: Path, tmp_path: Path) -> None:
    result = aqa("report", wd, "--html", tmp_path / "r.html", "--worst", 2)
    assert result.exit_code == 0, result.output
    page = Page(tmp_path / "r.html")
    assert page.text.count("; no page: ") == 2
    assert page.links == []


@pytest.mark.parametrize("place", ["report.html", "a/deep/folder/r.html"])
def test_the_page_is_written_where_it_is_wanted(
    wd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    named = () if place == "report.html" else ("--html", place)
    result = aqa("report", wd, "--worst", 0, *named)
    assert result.exit_code == 0, result.output
    assert f"Page: {place}" in result.stdout.splitlines()
    assert f"Plots: {wd / 'plots'}" in result.stdout.splitlines()
    assert (tmp_path / place).is_file()


def test_a_folder_in_the_place_of_the_page_is_refused_before_any_work(wd: Path, tmp_path: Path) -> None:
    (tmp_path / "r.html").mkdir()
    result = aqa("report", wd, "--html", tmp_path / "r.html")
    assert result.exit_code != 0
    assert "r.html" in result.output
    assert not (wd / "plots").exists()


def test_several_runs_have_a_row_each_and_a_row_per_pair(club, wd: Path, tmp_path: Path) -> None:
    svr = shutil.copytree(club.run("svr"), tmp_path / "svr")
    net = shutil.copytree(club.run("net"), tmp_path / "net")
    result = aqa("report", wd, svr, net, "--html", tmp_path / "r.html", "--worst", 0)
    assert result.exit_code == 0, result.output
    page = Page(tmp_path / "r.html")
    assert "3 runs compared" in page.text
    for run in (wd, svr, net):
        overall = json.loads((run / "summary.json").read_text())["overall"]
        row = next(row for row in page.rows if row and row[0] == str(run))
        assert row[1] == f"{overall['mean']:.3f}"
    pairs = [row[0] for row in page.rows if row and " against " in row[0]]
    assert pairs == [f"{wd} against {svr}", f"{wd} against {net}", f"{svr} against {net}"]
    aqa("compare", wd, svr, "--json", tmp_path / "c.json")
    (split,) = json.loads((tmp_path / "c.json").read_text())["splits"]
    row = next(row for row in page.rows if row and row[0] == pairs[0])
    assert row[1] == f"{split['difference']:+.3f}"
    assert row[3] == f"{split['p']:.4f}"


def test_the_same_run_twice_is_one_run(wd: Path, tmp_path: Path) -> None:
    result = aqa("report", wd, wd, "--html", tmp_path / "r.html", "--worst", 0)
    assert result.exit_code == 0, result.output
    assert "2 runs compared" not in (tmp_path / "r.html").read_text()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.write_text("{"), "summary.json is damaged (JSONDecodeError"),
        (lambda path: path.write_text("[]"), "summary.json is damaged (TypeError"),
        (lambda path: path.write_text("{}"), "summary.json is damaged (KeyError('notes')"),
    ],
    ids=["cut off", "a list", "without notes"],
)
def test_a_damaged_summary_is_named(wd: Path, tmp_path: Path, damage, message: str) -> None:
    damage(wd / "summary.json")
    result = aqa("report", wd, "--html", tmp_path / "r.html", "--worst", 0)
    assert result.exit_code == 1
    assert message in result.output
    assert "run the same `aqa fit` command again." in result.output


def test_an_unfinished_run_is_reported_with_what_is_missing(wd: Path, tmp_path: Path) -> None:
    (wd / "summary.json").unlink()
    shutil.rmtree(wd / "split-given" / "seed-1")
    result = aqa("report", wd, "--html", tmp_path / "r.html", "--worst", 0)
    assert result.exit_code == 0, result.output
    page = Page(tmp_path / "r.html")
    assert "1 trained cell (split and seed) is missing" in page.text
    assert [row[1] for row in page.rows if row[:1] == ["given"] and len(row) > 4] == ["0"]


def test_names_of_a_stranger_are_text_and_nothing_else(make_club, tmp_path: Path) -> None:
    """A hostile group, dataset and split come out of the page's text as they went in."""
    club = make_club(tmp_path / "home", num_videos=24)
    table = club.root / "club" / "scores.csv"
    csv_name = HOSTILE.replace('"', '""')
    table.write_text(table.read_text().replace("athlete 1", f'"{csv_name}"'))
    out = tmp_path / "home" / "run<b>"
    options = ("--head", "svr-average", "--streams", "clips", "--seeds", "0", "--split", "given")
    result = aqa("fit", *club.options, *options, "--device", "cpu", "--out", out)
    assert result.exit_code == 0, result.output
    result = aqa("report", out, "--html", tmp_path / "r.html", "--worst", 3)
    assert result.exit_code == 0, result.output
    page = Page(tmp_path / "r.html")
    assert "script" not in page.tags
    assert str(out) in page.text
    assert "<script>alert(1)" not in (tmp_path / "r.html").read_text()
