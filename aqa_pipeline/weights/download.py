"""Download a weights file: try mirrors in turn, resume cut downloads, put only complete files in place.

Bytes are appended to `<file>.part`. A verified file gets its final name by `os.replace`. A download with a
published digest may continue from any mirror, because the digest checks the result. A file that is trusted on
first use continues only if the server guarantees the same bytes (ETag); otherwise it starts again.

The size of a download is bounded. A closed connection does not count as the end of a file, and no redirect
may leave TLS.
"""

import errno
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from aqa_pipeline.errors import WeightsError
from aqa_pipeline.untrusted.bounded_files import read_bounded_bytes
from aqa_pipeline.weights.cache import RECORD_BYTES, accept, path_of
from aqa_pipeline.weights.weights_file import WeightsFile

TIMEOUT_SECONDS = 30.0
CHUNK_BYTES = 1 << 18
MOST_BYTES = 4 << 30  # limit for files of unpublished size; the largest known file has 1.5 GB

Progress = Callable[[int, int | None], None]  # bytes done, total bytes if known


def download(entry: WeightsFile, progress: Progress) -> Path:
    """Download the file from one of its URLs into the folder of weights, which exists; return its path.

    Raises `WeightsError` with every URL and why it failed.
    """
    part = _Part(path_of(entry))
    reasons = []
    for url in entry.urls:
        try:
            _download(entry, url, part, progress)
            return _accept(entry, url, part)
        except (WeightsError, OSError, HTTPException) as error:
            reasons.append(f"  {url}: {_reason(error)}")
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                break  # with a full disk, every mirror would fail
    raise WeightsError("\n".join([f"could not fetch {entry.name!r}:", *reasons, _advice(entry.name, part)]))


@dataclass(frozen=True)
class _Part:
    """The unfinished download of `target`, and the ETag of its source."""

    target: Path

    @property
    def path(self) -> Path:
        return self.target.with_name(self.target.name + ".part")

    @property
    def origin_path(self) -> Path:
        return self.target.with_name(self.target.name + ".part.json")

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    @property
    def etag(self) -> str | None:
        """Return the ETag with which the server sent the part; None if it is unknown."""
        if not self.origin_path.exists():
            return None
        try:
            content = read_bounded_bytes(self.origin_path, most_bytes=RECORD_BYTES)
            return str(json.loads(content)["etag"])
        except (OSError, ValueError, KeyError, TypeError):  # interrupted while it was written
            return None

    def begin(self, etag: str | None) -> None:
        self.discard()
        if etag:
            self.origin_path.write_text(json.dumps({"etag": etag}))

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self.origin_path.unlink(missing_ok=True)


def silent(done_bytes: int, total_bytes: int | None) -> None:
    """Show no progress."""


def _download(entry: WeightsFile, url: str, part: _Part, progress: Progress) -> None:
    """Download from `url` until `part` has its full length."""
    try:
        response = _open(url, _resume_headers(entry, part))
    except HTTPError as error:
        if error.code != 416 or not part.size:
            raise
        if error.headers.get("Content-Range") == f"bytes */{part.size}":
            return  # the part was complete; only its check was interrupted
        part.discard()
        response = _open(url, {})
    with response:
        if response.status != 206:  # the server sends the whole file, perhaps despite the Range header
            part.begin(response.headers.get("ETag"))
        total = _total_bytes(response, part.size)
        _check_length(entry, response, total)
        _receive(response, part, total, progress, most_bytes=entry.size or MOST_BYTES)
    if total is not None and part.size < total:
        raise WeightsError(f"the connection was cut after {part.size:,} of {total:,} bytes")


def _check_length(entry: WeightsFile, response: HTTPResponse, total: int | None) -> None:
    """Raise `WeightsError` for too long a response, and for one that may have been cut off unnoticed."""
    most_bytes = entry.size or MOST_BYTES
    if total is not None and total > most_bytes:
        raise WeightsError(f"the server offers {total:,} bytes, expected at most {most_bytes:,}")
    if total is None and entry.size is None and entry.identity is None and not response.chunked:
        raise WeightsError(
            "the server does not send the length of the file, and no digest was published: a file that was "
            "cut off could not be told from a complete one"
        )


def _resume_headers(entry: WeightsFile, part: _Part) -> dict[str, str]:
    if not part.size:
        return {}
    if part.etag and not part.etag.startswith("W/"):
        return {"Range": f"bytes={part.size}-", "If-Range": part.etag}
    if entry.identity is not None:
        return {"Range": f"bytes={part.size}-"}
    return {}


def _open(url: str, headers: dict[str, str]) -> HTTPResponse:
    # "identity": a compressed response would have other bytes and another length than the file
    request = Request(url, headers={"User-Agent": "aqa-pipeline", "Accept-Encoding": "identity", **headers})
    response: HTTPResponse = build_opener(_Redirects).open(request, timeout=TIMEOUT_SECONDS)
    return response


class _Redirects(HTTPRedirectHandler):
    """Follows redirects, but never out of TLS and never to other protocols."""

    def redirect_request(
        self, req: Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        before, after = urlsplit(req.full_url).scheme, urlsplit(newurl).scheme
        if after not in ("https", before):
            raise WeightsError(f"the server redirects from {before} to {after} ({newurl}), which is refused")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _total_bytes(response: HTTPResponse, offset: int) -> int | None:
    """Return the length of the whole file. Raise `WeightsError` if the response begins elsewhere."""
    length = response.headers.get("Content-Length")
    if response.status == 206:
        span, _, total = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
        if span.partition("-")[0] != str(offset):
            raise WeightsError(f"asked for bytes from {offset:,} on, the server sent {span!r}")
        return int(total) if total.isdigit() else None
    return int(length) if length else None


def _receive(
    response: HTTPResponse, part: _Part, total: int | None, progress: Progress, *, most_bytes: int
) -> None:
    done = part.size
    with part.path.open("ab") as file:
        progress(done, total)
        while chunk := response.read(CHUNK_BYTES):
            done += len(chunk)
            if done > most_bytes:
                part.discard()
                raise WeightsError(f"the server sent more than {most_bytes:,} bytes, expected at most that")
            file.write(chunk)
            progress(done, total)
        file.flush()
        os.fsync(file.fileno())


def _accept(entry: WeightsFile, url: str, part: _Part) -> Path:
    try:
        path = accept(entry, part.path, source=url)
    except WeightsError:
        part.discard()  # a later attempt cannot use it
        raise
    part.discard()
    return path


def _reason(error: WeightsError | OSError | HTTPException) -> str:
    if isinstance(error, HTTPError):
        return f"the server answered {error.code} {error.reason}"
    if isinstance(error, URLError):
        return f"no connection ({error.reason})"
    if isinstance(error, TimeoutError):
        return f"no bytes for {TIMEOUT_SECONDS:.0f} seconds"
    return str(error) or type(error).__name__


def _advice(name: str, part: _Part) -> str:
    if part.size:
        return f"{part.size:,} bytes are kept: `aqa weights fetch {name}` continues from there."
    return f"Try again later, or add a copy of the file: `aqa weights add {name} PATH`."
