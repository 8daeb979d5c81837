"""Mutations of a file: cuts, flipped bits, splices, forged numbers, words in the place of numbers."""

import random
import re
from collections.abc import Callable

HUGE = (2**31 - 1, 2**32 - 1, 2**40, 2**62, 2**63 - 1)
WORDS = (
    *(b"nan", b"1e999", b"-1", b"", b"9" * 26, b"None", b"=cmd|'/C calc'!A0", b"<script>", b"%s%n"),
    *(b"../../../etc/passwd", b"/dev/zero", b"\x00", b"\xff\xfe", b"\xed\xa0\x80"),
    *(b'"', b"'", b"[", b"{", b"\n\n"),
)
MAGICS = (
    b"\x89HDF\r\n\x1a\n",
    b"\x93NUMPY\x01\x00",
    b"PK\x03\x04",
    b"\x80\x05",
    b"MATLAB 5.0",
    b"<!doctype html>",
)

Mutation = Callable[[bytearray, random.Random], bytes]


def mutate(content: bytes, rng: random.Random) -> tuple[str, bytes]:
    """Apply one to three random mutations. Return their names, joined by +, and the bytes."""
    names = [rng.choice(list(MUTATIONS)) for _ in range(rng.choice((1, 1, 2, 3)))]
    for name in names:
        content = MUTATIONS[name](bytearray(content), rng)
    return "+".join(names), content


def _truncated(content: bytearray, rng: random.Random) -> bytes:
    return bytes(content[: rng.randrange(len(content) + 1)])


def _flipped(content: bytearray, rng: random.Random) -> bytes:
    for _ in range(rng.choice((1, 2, 8, 64))):
        if content:
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(content)


def _overwritten(content: bytearray, rng: random.Random) -> bytes:
    at, length = _place(content, rng)
    content[at : at + length] = rng.choice((bytes(length), b"\xff" * length, rng.randbytes(length)))
    return bytes(content)


def _forged_number(content: bytearray, rng: random.Random) -> bytes:
    """Overwrite 2 to 8 bytes with a huge number, as a forged length or shape; mostly in the header."""
    at = rng.randrange(min(len(content), rng.choice((64, 512, len(content) + 1))) or 1)
    size = rng.choice((2, 4, 8))
    number = rng.choice(HUGE) & (256**size - 1)
    content[at : at + size] = number.to_bytes(size, rng.choice(("little", "big")))
    return bytes(content)


def _spliced(content: bytearray, rng: random.Random) -> bytes:
    at, length = _place(content, rng)
    piece = bytes(content[at : at + length])
    where = rng.randrange(len(content) + 1)
    content[where : where + rng.choice((0, length))] = piece
    return bytes(content)


def _cut_out(content: bytearray, rng: random.Random) -> bytes:
    at, length = _place(content, rng)
    del content[at : at + length]
    return bytes(content)


def _grown(content: bytearray, rng: random.Random) -> bytes:
    return bytes(content) + rng.choice((b"\0" * 1000, rng.randbytes(100), bytes(content)))


def _other_magic(content: bytearray, rng: random.Random) -> bytes:
    magic = rng.choice(MAGICS)
    content[: len(magic)] = magic
    return bytes(content)


def _wrong_word(content: bytearray, rng: random.Random) -> bytes:
    """Replace a number or a name by another word."""
    words = list(re.finditer(rb"[\w.]+", bytes(content[:20_000])))
    if not words:
        return bytes(content) + rng.choice(WORDS)
    word = rng.choice(words)
    return bytes(content[: word.start()] + rng.choice(WORDS) + content[word.end() :])


def _deep(content: bytearray, rng: random.Random) -> bytes:
    """Insert nested brackets, with which recursive parsers overflow the stack."""
    at, bracket = rng.randrange(len(content) + 1), rng.choice((b"[", b'{"a":', b"(", b"["))
    return bytes(content[:at]) + bracket * rng.choice((50, 5_000, 200_000)) + bytes(content[at:])


def _long_line(content: bytearray, rng: random.Random) -> bytes:
    at = rng.randrange(len(content) + 1)
    return bytes(content[:at]) + rng.choice((b"9", b"a", b",", b" ", b'"')) * 300_000 + bytes(content[at:])


def _place(content: bytearray, rng: random.Random) -> tuple[int, int]:
    length = rng.choice((1, 4, 32, 512))
    return rng.randrange(len(content) + 1), length


MUTATIONS: dict[str, Mutation] = {
    "truncated": _truncated,
    "flipped": _flipped,
    "overwritten": _overwritten,
    "forged number": _forged_number,
    "spliced": _spliced,
    "cut out": _cut_out,
    "grown": _grown,
    "other magic": _other_magic,
    "wrong word": _wrong_word,
    "deep": _deep,
    "long line": _long_line,
}
