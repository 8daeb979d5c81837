"""Ctrl-C prints no error of a request that it cuts off; real errors are still told."""

import asyncio
import logging
import sys

import pytest

from aqa.serve.stopping import OnlyErrors


def record(message: str, error: BaseException | None = None) -> logging.LogRecord:
    try:
        if error is not None:
            raise error
    except BaseException:
        return logging.LogRecord("uvicorn.error", logging.ERROR, "", 0, message, (), sys.exc_info())
    return logging.LogRecord("uvicorn.error", logging.ERROR, "", 0, message, (), None)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (record("Exception in ASGI application", asyncio.CancelledError()), False),
        (record("Cancel 3 running task(s), timeout graceful shutdown exceeded"), False),
        (record("Exception in ASGI application", ValueError("no")), True),
        (record("[Errno 98] address already in use"), True),
    ],
)
def test_only_errors_are_told(told: logging.LogRecord, said: bool) -> None:
    assert OnlyErrors().filter(told) is said
