"""Only the person who started the server, from its own pages, gets an answer."""

import pytest
from starlette.testclient import TestClient

HOST = "http://127.0.0.1:8000"
TOKEN = "the-token-of-this-test"


def test_the_first_visit_swaps_the_token_of_the_address_for_a_cookie(visitor: TestClient) -> None:
    first = visitor.get(f"/?sort=name&token={TOKEN}")
    assert (first.status_code, first.headers["location"]) == (303, "/?sort=name")
    cookie = first.headers["set-cookie"].lower()
    assert cookie.startswith("aqa-8000=")
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert visitor.get("/").status_code == 200
    again = visitor.get(f"/?token={TOKEN}")  # the token leaves the address bar, whoever asks
    assert again.headers["location"] == "/"


def test_the_first_visit_leads_to_no_other_server(visitor: TestClient) -> None:
    first = visitor.get(f"{HOST}//elsewhere.example/?token={TOKEN}")
    assert (first.status_code, first.headers["location"]) == (303, "/elsewhere.example/")


@pytest.mark.parametrize(
    "address", ["/", "/?token=", "/?token=wrong", "/static/serve.css", "/project/videos/a.mp4"]
)
def test_without_the_token_there_is_no_answer(visitor: TestClient, address: str) -> None:
    answer = visitor.get(address)
    assert answer.status_code == 403
    assert "Open the whole address that `aqa serve` printed" in answer.text


def test_a_token_in_letters_beyond_ascii_is_refused(visitor: TestClient) -> None:
    assert visitor.get("/?token=%C3%A9").status_code == 403
    assert visitor.get("/", headers={"Cookie": "aqa-8000=\u00e9".encode("latin-1")}).status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example:8000", "", "[::1]:8000"]
)
def test_another_name_of_this_machine_is_refused(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_other_sites_get_nothing_although_the_browser_sends_the_cookie(client: TestClient, site: str) -> None:
    assert client.get("/", headers={"Sec-Fetch-Site": site}).status_code == 403


@pytest.mark.parametrize(
    "origin", ["null", "http://evil.example", "http://127.0.0.1:9000", "https://127.0.0.1:8000"]
)
def test_other_origins_change_nothing(client: TestClient, origin: str) -> None:
    assert client.post("/", headers={"Origin": origin}).status_code == 403


def test_a_change_must_name_its_origin(client: TestClient) -> None:
    del client.headers["Origin"]
    assert client.post("/").status_code == 403


def test_every_answer_forbids_foreign_content_and_frames(client: TestClient) -> None:
    for answer in (client.get("/"), client.get("/nowhere"), client.get("/static/serve.css")):
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self';")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_an_unknown_address_gets_a_page_that_says_so(client: TestClient) -> None:
    answer = client.get("/%3Cscript%3E")
    assert answer.status_code == 404
    assert "<h1>That did not work</h1>" in answer.text
    assert "<script>" not in answer.text


def test_other_connections_than_http_are_closed(client: TestClient) -> None:
    from starlette.websockets import WebSocketDisconnect

    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/"):
        pass
