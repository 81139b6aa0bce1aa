"""Attachment bytes, made in code: a PDF, a WAV and a PNG that real programs open.

Each function is deterministic, so a test can compare a download with a second call. The
files are small, yet larger than one would write by hand into a header, so that ranges of
them mean something.
"""

import io
import math
import struct
import wave
import zlib

_SAMPLE_RATE = 8000
_TONE_HZ = 440


def pdf(text: str) -> bytes:
    """Make a one-page PDF that shows `text`."""
    escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    shown = f"BT /F1 18 Tf 72 720 Td ({escaped}) Tj ET".encode("latin-1", "replace")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(shown), shown),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    return _with_index(objects)


def wav(seconds: int) -> bytes:
    """Make a mono tone of 8-bit samples."""
    step = 2 * math.pi * _TONE_HZ / _SAMPLE_RATE
    samples = bytes(
        128 + round(60 * math.sin(step * tick)) for tick in range(seconds * _SAMPLE_RATE)
    )
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(_SAMPLE_RATE)
        sound.writeframes(samples)
    return file.getvalue()


def png(side: int) -> bytes:
    """Make a square picture with a gradient, 8 bits of grey."""
    rows = b"".join(b"\0" + bytes((x + y) % 256 for x in range(side)) for y in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _with_index(objects: list[bytes]) -> bytes:
    body, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    # Each entry of the table is exactly 20 bytes, by the format.
    table = b"0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % at for at in offsets)
    size = len(objects) + 1
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(body))
    return body + b"xref\n0 %d\n" % size + table + trailer


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
