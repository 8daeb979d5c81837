"""Check every request before a handler sees it: who asks, from which page, and under which name.

* The name of the host must be this machine's own. Another name that leads here is DNS rebinding.
* A browser says which site a request comes from. Only this app's own pages and the address bar may ask, and a
  request that changes something must name this app as its origin.
* The caller needs the token: in the address of the first visit, then in a cookie that no other site can send.

Source: OWASP, "Cross-Site Request Forgery Prevention" (Fetch Metadata, origin check, SameSite cookies).
"""

import secrets
from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OWN_NAMES = ("127.0.0.1", "localhost")
READING = ("GET", "HEAD")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# Headers of every answer. A handler may set another Content-Security-Policy or Cache-Control.
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
NEED_TOKEN = "Open the whole address that `aqa serve` printed, with its token."


class Guard:
    """An ASGI app that hands on the requests of the person who started the server, and refuses all others."""

    def __init__(self, app: ASGIApp, *, token: str) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; other kinds of connections than http are closed."""
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        answer = self._answer(Request(scope)) or self._app
        await answer(scope, receive, _with_headers(send))

    def _answer(self, request: Request) -> Response | None:
        """Return the refusal, or the answer to the first visit; None if the app is to answer."""
        host = request.headers.get("host", "")
        if host.rpartition(":")[0] not in OWN_NAMES and host not in OWN_NAMES:
            return PlainTextResponse("This server answers under the name 127.0.0.1 only.", 421)
        if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return PlainTextResponse("Another site may not ask this server.", 403)
        if request.method not in READING and request.headers.get("origin") != f"http://{host}":
            return PlainTextResponse("Only the pages of this server may change something.", 403)
        cookie = f"aqa-{host.rpartition(':')[2]}"
        if request.method in READING and self._is_token(request.query_params.get("token", "")):
            address = request.url.remove_query_params("token")
            path = f"/{address.path.lstrip('/')}"  # `//name` would be another server
            there = RedirectResponse(f"{path}?{address.query}".removesuffix("?"), 303)
            there.set_cookie(cookie, self._token, httponly=True, samesite="strict", path="/")
            return there
        if self._is_token(request.cookies.get(cookie, "")):
            return None
        return PlainTextResponse(NEED_TOKEN, 403)

    def _is_token(self, given: str) -> bool:
        return secrets.compare_digest(given.encode(), self._token.encode())


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return send_with_headers
