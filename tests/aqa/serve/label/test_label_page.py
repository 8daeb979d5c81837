"""What the label page saves is what the commands read; what they would refuse is refused beside its field."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from starlette.testclient import TestClient

import cli
from aqa.serve.app import build_app
from aqa_pipeline.athlete.boxes import read_boxes
from aqa_pipeline.datasets import load_dataset
from aqa_pipeline.project.find import find_project

HOSTILE = '"><script>alert(1)</script>'


def table(folder: Path) -> str:
    return (folder / "scores.csv").read_text()


def test_a_whole_video_takes_the_line_that_waits_for_it(fill, folder: Path) -> None:
    answer = fill("second.mp4", mark__score="8,25", athlete="Ada", date="2026-05-08", element="vault")
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/label?video=second.mp4&saved=second&id=second",
    )
    assert table(folder) == (
        "video,score,group,athlete,date,element\nmonday.mp4,,\nsecond.mp4,8.25,,Ada,2026-05-08,vault\n"
        "third.mp4,,\n"
    )
    video = load_dataset("folder", folder).video("second")
    assert (video.labels["score"], video.athlete, video.element) == (8.25, "Ada", "vault")


def test_parts_of_a_video_are_frames_from_the_first_to_the_last(fill, folder: Path) -> None:
    assert fill(mark__score="7", start="0:01.200", end="0:02.000").headers["location"].endswith("&new=1")
    fill(mark__score="8", start="3", end="")
    dataset = load_dataset("folder", folder)
    parts = {video.video_id: (video.start_frame, video.stop_frame) for video in dataset.videos}
    assert parts == {"monday-1": (12, 21), "second": (0, None), "third": (0, None), "monday-2": (30, 60)}
    assert dataset.problems == ()


def test_a_saved_part_is_shown_as_it_was_entered(client, fill) -> None:
    fill(
        mark__score="7",
        start="0:01.200",
        end="0:02.000",
        athlete="Ada",
        box="0.1,0.2,0.5,0.8",
        box_at="0:01.5",
    )
    page = client.get("/label", params={"video": "monday.mp4", "id": "monday-1"}).text
    for name, value in (
        ("start", "0:01.200"),
        ("end", "0:02.000"),
        ("mark:score", "7"),
        ("athlete", "Ada"),
        ("replaces", "monday-1"),
        ("box_at", "0:01.500"),
        ("box", "0.100000,0.200000,0.500000,0.800000"),
    ):
        tag = next(line for line in page.splitlines() if f'name="{name}"' in line)
        assert f'value="{value}"' in tag, tag


def test_a_performance_is_changed_and_renamed_with_its_box(fill, folder: Path) -> None:
    part = {"start": "1", "end": "2", "box": "0.1,0.2,0.5,0.8", "box_at": "1"}
    fill(mark__score="7", **part)
    assert read_boxes(folder / "boxes" / "monday-1.csv")[10].tolist() == [[16.0, 24.0, 80.0, 96.0]]
    assert fill(replaces="monday-1", id="final", mark__score="9", **part).status_code == 303
    assert [path.name for path in (folder / "boxes").iterdir()] == ["final.csv"]
    assert "monday.mp4,9,,final,10,21" in table(folder)
    assert "monday-1" not in table(folder)
    fill(replaces="final", id="final", mark__score="9", start="1", end="2")
    assert list((folder / "boxes").iterdir()) == []


@pytest.mark.parametrize("part", [{}, {"start": "1", "end": "2"}])
def test_a_part_is_labeled_twice_only_if_two_athletes_are_pointed_at(
    fill, folder: Path, reasons, part: dict[str, str]
) -> None:
    fill(mark__score="7", athlete="Ada", **part)
    before = table(folder)
    answer = fill(mark__score="8", **part)
    assert answer.status_code == 422
    assert "is the performance 'monday" in reasons(answer.text)["start"]
    assert table(folder) == before
    assert fill(mark__score="8", athlete="Bea", box="0.1,0.1,0.5,0.5", box_at="1", **part).status_code == 303
    assert len([video for video in load_dataset("folder", folder).videos if video.path.stem == "monday"]) == 2


def test_a_sub_score_becomes_a_column_and_a_field(client, fill, folder: Path) -> None:
    fill(mark__score="7", new_name="Landing", new_mark="2,5")
    assert load_dataset("folder", folder).video("monday").labels == {"score": 7.0, "landing": 2.5}
    assert 'name="mark:score:landing" value=""' in client.get("/label?video=second.mp4").text


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    [
        ({"mark__score": "abc"}, "mark-score", "not a finite number"),
        ({"start": "x"}, "start", "is no time"),
        ({"start": "1", "end": "99"}, "end", "after the end of the video, 0:06.000"),
        ({"start": "3", "end": "2"}, "end", "before the start"),
        ({"date": "yesterday"}, "date", "is not a date"),
        ({"athlete": "=1+1"}, "athlete", "as a formula"),
        ({"new_mark": "3"}, "new_name", "no name"),
        ({"new_name": "x", "new_mark": "abc"}, "new_mark", "not a finite number"),
        ({"id": "../../x"}, "id", "leads out"),
        ({"id": "second"}, "id", "is taken"),
        ({"box": "1,2"}, "box", "draw it again"),
        ({"box": "nan,0,1,1"}, "box", "has no area"),
        ({"box": "0.1,0.1,0.5,0.5", "box_at": "5", "end": "2"}, "box", "outside of the performance"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_written(
    fill, folder: Path, reasons, fields: dict[str, str], field: str, reason: str
) -> None:
    before = table(folder)
    answer = fill(**{"mark__score": "7", "element": "my vault"} | fields)
    assert answer.status_code == 422
    assert list(reasons(answer.text)) == [field]
    assert reason in reasons(answer.text)[field]
    assert 'value="my vault"' in answer.text, "what was typed stays"
    assert table(folder) == before
    assert not (folder / "boxes").exists()


def test_a_table_that_somebody_changed_is_not_overwritten(client, fill, folder: Path, digest) -> None:
    old = digest()
    (folder / "scores.csv").write_text("video,score\nmonday.mp4,1\n")
    answer = client.post("/label", data={"video": "second.mp4", "digest": old, "mark:score": "7.5"})
    assert answer.status_code == 409
    assert "scores.csv has been changed since this page was made. Nothing was written." in answer.text
    assert 'name="mark:score" value="7.5"' in answer.text
    assert table(folder) == "video,score\nmonday.mp4,1\n"
    again = client.post("/label", data={"video": "second.mp4", "digest": digest(), "mark:score": "7.5"})
    assert again.status_code == 303
    assert table(folder) == "video,score\nmonday.mp4,1\nsecond.mp4,7.5\n"


def test_boxes_of_another_hand_are_shown_and_kept(client, fill, folder: Path, reasons) -> None:
    (folder / "boxes").mkdir()
    text = "frame_index,x1,y1,x2,y2\n0,1,1,50,50\n1,1,1,50,50\n"
    (folder / "boxes" / "monday.csv").write_text(text)
    fill(mark__score="7")
    assert "has 2 boxes" in client.get("/label?video=monday.mp4").text
    answer = fill(replaces="monday", mark__score="7", box="0.1,0.1,0.5,0.5")
    assert "has 2 boxes" in reasons(answer.text)["box"]
    answer = fill(replaces="monday", id="final", mark__score="7")
    assert "has 2 boxes" in reasons(answer.text)["id"], "under another name they would be lost"
    assert (folder / "boxes" / "monday.csv").read_text() == text


def test_boxes_that_the_table_names_are_those_that_count(client, fill, folder: Path, reasons) -> None:
    (folder / "scores.csv").write_text("video,score,boxes\nmonday.mp4,7,mine.csv\n")
    assert "The table names the boxes mine.csv" in client.get("/label?video=monday.mp4").text
    answer = fill(replaces="monday", mark__score="7", box="0.1,0.1,0.5,0.5")
    assert "The table names the boxes mine.csv" in reasons(answer.text)["box"]
    assert fill(replaces="monday", mark__score="8").status_code == 303
    assert table(folder) == "video,score,boxes\nmonday.mp4,8,mine.csv\n"


def test_nobody_is_pointed_at_where_boxes_of_all_frames_are_read(folder: Path) -> None:
    (folder / "aqa.toml").write_text('detector = "annotations"')
    project = find_project(folder)
    assert project is not None
    with TestClient(build_app(project, "t"), base_url="http://127.0.0.1:8000") as client:
        page = client.get("/label?token=t").text
    assert "which reads boxes of all frames" in page
    assert 'id="point"' not in page


def test_no_box_is_written_through_a_link_out_of_the_project(fill, folder: Path, reasons) -> None:
    outside = folder.parent / "outside"
    outside.mkdir()
    (folder / "boxes").symlink_to(outside)
    answer = fill(mark__score="7", box="0.1,0.1,0.5,0.5")
    assert "leads out of the folder" in reasons(answer.text)["box"]
    assert list(outside.iterdir()) == []


def test_a_performance_is_removed_with_its_box_and_the_video_stays(
    client, fill, folder: Path, digest
) -> None:
    fill(mark__score="7", start="1", end="2", box="0.1,0.1,0.5,0.5", box_at="1")
    whose = {"video": "monday.mp4", "replaces": "monday-1"}
    assert client.post("/label/remove", data=whose | {"digest": "old"}).status_code == 409
    assert "monday-1" in table(folder)
    assert client.post("/label/remove", data=whose | {"digest": digest()}).status_code == 303
    assert "monday" not in table(folder)
    assert list((folder / "boxes").iterdir()) == []
    assert (folder / "videos" / "monday.mp4").exists()


def test_hostile_values_are_shown_as_text(client, fill, folder: Path) -> None:
    fill(mark__score="7", athlete=HOSTILE, element=HOSTILE, id="a'b<i>")
    page = client.get("/label?video=monday.mp4").text
    assert "<script>alert" not in page
    assert "&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<i>" not in page
    assert load_dataset("folder", folder).video("a'b<i>").athlete == HOSTILE


@pytest.mark.parametrize("video", ["../aqa.toml", "/etc/passwd", "scores.csv", "%00", HOSTILE])
def test_only_videos_of_the_project_have_a_page(client, fill, folder: Path, video: str) -> None:
    before = table(folder)
    for answer in (client.get("/label", params={"video": video}), fill(video, mark__score="7")):
        assert answer.status_code == 400
        assert "unknown video of this project" in answer.text
        assert "<script>alert" not in answer.text
    assert table(folder) == before


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"a=" + b"x" * 200_000, 413), (b"a=1&" * 300, 400), (b"a=\xff", 400), (b"a=%ff", 400)],
)
def test_a_request_that_no_form_sends_is_refused(client, content: bytes, status: int) -> None:
    assert client.post("/label", content=content).status_code == status


def test_a_stranger_saves_nothing(visitor, folder: Path) -> None:
    before = table(folder)
    assert visitor.post("/label", data={"video": "monday.mp4", "mark:score": "7"}).status_code == 403
    assert visitor.post("/label/remove", data={"video": "monday.mp4"}).status_code == 403
    assert table(folder) == before


def test_a_project_without_videos_says_so(client, folder: Path) -> None:
    for video in (folder / "videos").iterdir():
        video.unlink()
    assert "There is no video in this project yet" in client.get("/label").text


def test_a_file_that_is_no_video_gets_its_reason(client, folder: Path) -> None:
    (folder / "videos" / "broken.mp4").write_bytes(b"no video")
    page = client.get("/label?video=broken.mp4")
    assert page.status_code == 200
    assert "broken.mp4" in page.text
    assert 'class="warnings"' in page.text


def test_a_video_that_crashes_the_decoder_costs_only_its_own_page(
    client, fill, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aqa.serve.looking.look.START", "import os; os._exit(139)")
    assert "the decoder crashed on this file" in client.get("/label?video=monday.mp4").text
    answer = fill(mark__score="7", start="1", end="2")
    assert answer.status_code == 422
    assert "the decoder crashed on this file" in answer.text
    assert fill(mark__score="7").status_code == 303, "the whole file needs no decoder"
    assert load_dataset("folder", folder).video("monday").labels["score"] == 7


def test_check_accepts_what_was_saved(fill, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for video, score in (("second.mp4", "5"), ("third.mp4", "6")):
        fill(video, mark__score=score, box="0.1,0.1,0.5,0.9", box_at="0")
    fill(mark__score="7", start="1", end="2", box="0.1,0.1,0.5,0.9", box_at="1.5")
    monkeypatch.chdir(folder)
    result = CliRunner().invoke(cli.main, ["check"])
    assert result.exit_code == 0, result.output
    assert "3 videos with a score" in result.output
