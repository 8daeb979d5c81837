"""Send objects through a pipe. The memory of arrays is sent beside the pickle (protocol 5), not inside it.

A ring buffer in shared memory is hardly faster: 0.88 ms for a 720p frame, the pipe takes 0.95 ms. The pipe
also bounds the bytes on the way, needs no room in /dev/shm, and breaks when either end dies.
"""

import pickle
import struct
from typing import IO, Any

import numpy as np

_COUNTS = struct.Struct("<II")  # bytes of the pickle, number of buffers
_SIZE = struct.Struct("<Q")


def send(file: IO[bytes], message: object) -> None:
    """Write one whole message into a blocking file. Raise OSError if the reading end is closed."""
    buffers: list[pickle.PickleBuffer] = []
    body = pickle.dumps(message, protocol=5, buffer_callback=buffers.append)
    contents = [buffer.raw() for buffer in buffers]
    sizes = b"".join(_SIZE.pack(content.nbytes) for content in contents)
    _write(file, _COUNTS.pack(len(body), len(contents)) + sizes + body)
    for content in contents:
        _write(file, content)
    file.flush()


def receive(file: IO[bytes]) -> Any:
    """Return the next message. Raise EOFError if the writing end is gone, even in the middle of a message."""
    body_size, num_buffers = _COUNTS.unpack(_read(file, _COUNTS.size))
    sizes = [_SIZE.unpack(_read(file, _SIZE.size))[0] for _ in range(num_buffers)]
    body = _read(file, body_size)
    return pickle.loads(body, buffers=[_read(file, size) for size in sizes])


def _write(file: IO[bytes], content: bytes | memoryview) -> None:
    rest = memoryview(content)
    while len(rest):
        rest = rest[file.write(rest) :]


def _read(file: IO[bytes], size: int) -> memoryview:
    content = np.empty(size, np.uint8).data
    num_read = 0
    while num_read < size:
        more = file.readinto(content[num_read:])  # type: ignore[attr-defined]  # every binary file has it
        if not more:
            raise EOFError("the other end of the pipe is gone")
        num_read += more
    return content
