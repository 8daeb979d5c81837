"""The diary in the app: the athletes' attempts as the table of scores is now."""

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

EVIL = "</title><script>window.hacked = 1</script><img src=x onerror=alert(1)>"


@pytest.fixture
def attempts(folder: Path) -> None:
    """Write a table of two athletes."""
    (folder / "scores.csv").write_text(
        "video,score,athlete,date,element\n"
        "a.mp4,52.5,Ann,2026-05-04,axel\n"
        "b.mp4,58.0,Ann,2026-05-18,axel\n"
        "c.mp4,,Bea,2026-05-18,\n"
    )
    for name in "bc":
        (folder / "videos" / f"{name}.mp4").write_bytes(bytes(range(100)))


@pytest.mark.usefixtures("attempts")
def test_the_diary_of_all_athletes_is_a_page_of_the_bar(client: TestClient) -> None:
    (address,) = re.findall(r'href="([^"]+)">Diary</a>', client.get("/").text)
    answer = client.get(address)
    assert answer.status_code == 200
    assert "Diary of 2 athletes" in answer.text
    assert "Best: 58.00 by the judges, 2026-05-18" in answer.text
    assert "← all videos" in answer.text
    assert "script-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.usefixtures("attempts")
def test_a_name_in_the_table_leads_to_the_diary_of_that_athlete(client: TestClient) -> None:
    (address, *_) = re.findall(r'href="([^"]+)"[^>]*>Ann</a>', client.get("/").text)
    page = client.get(address.replace("&amp;", "&")).text
    assert "Diary of Ann" in page
    assert "Bea" not in page


@pytest.mark.usefixtures("attempts")
def test_its_links_open_the_videos(client: TestClient) -> None:
    page = client.get("/project/diary")
    links = re.findall(r'<a href="(\./[^"]+)"', page.text)
    assert len(links) == 3
    for link in links:
        answer = client.get(str(page.url.copy_with(path=f"/project/{link[2:]}")))
        assert answer.content == bytes(range(100))


def test_new_lines_of_the_table_are_there_at_once(client: TestClient, folder: Path, attempts: None) -> None:
    assert "61.00" not in client.get("/project/diary").text
    with (folder / "scores.csv").open("a") as file:
        file.write("a.mp4,61,Cleo,2026-06-01,\n")
    (folder / "videos" / "d.mp4").write_bytes(b"")
    (folder / "scores.csv").write_text((folder / "scores.csv").read_text().replace("a.mp4,61", "d.mp4,61"))
    assert "61.00 by the judges" in client.get("/project/diary").text


def test_without_athletes_the_page_says_what_the_table_lacks(client: TestClient) -> None:
    answer = client.get("/project/diary")
    assert answer.status_code == 400
    assert "names no athlete: add the columns athlete and date" in answer.text


@pytest.mark.usefixtures("attempts")
def test_an_unknown_athlete_is_answered_with_those_that_are_known(client: TestClient) -> None:
    answer = client.get("/project/diary", params={"athlete": EVIL})
    assert answer.status_code == 400
    assert "Ann" in answer.text
    assert "<script>window" not in answer.text


def test_hostile_names_are_shown_as_text(client: TestClient, folder: Path) -> None:
    row = f'a.mp4,1,"{EVIL}",2026-05-04,"{EVIL}"'
    (folder / "scores.csv").write_text(f"video,score,athlete,date,element\n{row}\n")
    page = client.get("/project/diary").text
    assert "<script>window" not in page
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page
