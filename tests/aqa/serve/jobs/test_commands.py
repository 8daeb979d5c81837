"""The words of a job's command: files inside the project, and no video is taken for an option."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from aqa.serve.jobs.commands import command_words
from aqa.serve.jobs.job import Job
from aqa_pipeline.project.find import find_project
from aqa_pipeline.records import StreamSpec


def words_of(folder: Path, video: str) -> list[str]:
    project = find_project(folder)
    assert project is not None
    return command_words(Job(number=1, kind="score", video=video, created=0.0), project)


def test_a_video_is_scored_into_a_page_that_links_it(folder: Path) -> None:
    assert words_of(folder, "videos/a b.mp4") == [
        *("score", "--html", "pages/a b.mp4.html", "--json", "pages/a b.mp4.json", "--link"),
        *("--", "videos/a b.mp4"),
    ]


@pytest.mark.parametrize("video", ["--run=x.mp4", "-h.mp4", ".mp4", "deep/er/../x.mp4", "x" * 250 + ".mp4"])
def test_a_hostile_name_is_no_option_and_leads_nowhere(folder: Path, video: str) -> None:
    words = words_of(folder, video)
    assert words[-2:] == ["--", video]
    for written in (words[2], words[4]):
        assert Path(written).parent == Path("pages")
        assert len(Path(written).name) < 255


@pytest.mark.parametrize(
    ("facts", "reads"),
    [
        ({"detector": "annotations"}, True),
        ({"detector": "blazepose", "start": "pointed"}, True),
        ({"detector": "blazepose", "start": "largest"}, False),
        ({}, False),
    ],
)
def test_boxes_are_named_where_the_run_reads_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch, facts: dict[str, str], reads: bool
) -> None:
    config = SimpleNamespace(specs={"crops": StreamSpec("crops", facts)})
    monkeypatch.setattr("aqa.serve.jobs.commands.read_config", lambda run: config)
    (folder / "boxes").mkdir()
    (folder / "boxes" / "anna.csv").write_text("frame_index,x1,y1,x2,y2\n")
    (folder / "videos" / "b.mp4").write_bytes(b"")
    (folder / "scores.csv").write_text("video,id,score\na.mp4,anna,1\nb.mp4,b,2\n")
    words = words_of(folder, "videos/a.mp4")
    assert ("--boxes" in words) == reads
    if reads:
        assert words[words.index("--boxes") + 1] == "boxes/anna.csv"
    assert "--boxes" not in words_of(folder, "videos/b.mp4")
    assert "--boxes" not in words_of(folder, "videos/unlisted.mp4")


def test_a_run_that_cannot_be_read_is_left_to_the_command(folder: Path) -> None:
    (folder / "runs" / "mine").mkdir(parents=True)
    (folder / "runs" / "mine" / "config.json").write_text("{}")
    assert "--boxes" not in words_of(folder, "videos/a.mp4")
