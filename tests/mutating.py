"""Streams with faults in them: what the vectors hold, changed at random, the same for a seed.

A reader of HTTP is tried on what is nearly right, because what is far from right ends at
the first byte.
"""

import random
from collections.abc import Iterator, Sequence

# What separates, ends, frames, hides or repeats.
TOKENS = (
    *(b"\r\n", b"\n", b"\r", b" ", b"\t", b"\x00", b"\x0b", b":", b";", b",", b"0", b"1", b"F"),
    *(b"\r\n\r\n", b"\n\n", b"\r\n ", b"\r\n\t", b"0\r\n\r\n", b"\x7f", b"\x80", b"\xff", b"%"),
    *(b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"content-length:5\r\n", b"5, 5"),
    *(b"Transfer-Encoding: chunked\r\n", b"transfer-encoding:\tchunked\r\n", b"chunked", b"gzip"),
    *(b"HTTP/1.1", b"HTTP/1.0", b"HTTP/1.1 100 Continue\r\n\r\n", b"Connection: upgrade\r\n"),
    *(b"Upgrade: h2c\r\n", b"Host: localhost\r\n", b"GET / HTTP/1.1\r\n", b"Expect: x\r\n"),
    *(b"-", b"+", b'"', b"(", b"[", b"\\", b"#", b"?", b"..", b"A: b\r\n", b"B :c\r\n"),
)
MOST_FAULTS = 4


def mutants(corpus: Sequence[bytes], seed: int, count: int) -> Iterator[bytes]:
    """Return `count` streams of the corpus, each with one to four faults."""
    chance = random.Random(seed)
    for _ in range(count):
        stream = chance.choice(corpus)
        for _ in range(chance.randint(1, MOST_FAULTS)):
            stream = _spoil(stream, chance, corpus)
        yield stream


def _spoil(stream: bytes, chance: random.Random, corpus: Sequence[bytes]) -> bytes:
    start = chance.randint(0, len(stream))
    end = min(len(stream), start + chance.randint(0, 8))
    before, after = stream[:start], stream[start:]
    match chance.choice(["insert", "insert", "replace", "delete", "repeat", "flip", "join"]):
        case "insert":
            return before + chance.choice(TOKENS) + after
        case "replace":
            return before + chance.choice(TOKENS) + stream[end:]
        case "delete":
            return before + stream[end:]
        case "repeat":
            return stream[:end] + after
        case "flip" if after:
            return before + bytes([after[0] ^ 1 << chance.randrange(8)]) + after[1:]
        case _:
            other = chance.choice(corpus)
            return before + other[chance.randint(0, len(other)) :]
