"""What a server says while it stops: requests that are cut off by Ctrl-C are no errors."""

import asyncio
import logging


class OnlyErrors(logging.Filter):
    """Let through what is an error; a request that is cancelled because the server ends is none."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return False for a cancelled request, and for the sentence that announces it."""
        kind = record.exc_info[0] if record.exc_info else None
        is_cancelled = kind is not None and issubclass(kind, asyncio.CancelledError)
        return not is_cancelled and "timeout graceful shutdown" not in record.getMessage()
