import io
import re
import wave
import zlib

from gateway.simulator.samples import pdf, png, wav


def test_the_index_of_a_pdf_points_at_its_objects() -> None:
    content = pdf("a (b) \\ c")
    start = int(content.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    assert content[start:].startswith(b"xref\n0 6\n")
    offsets = [int(found) for found in re.findall(rb"(\d{10}) 00000 n \n", content)]
    assert [content[at : at + 5] for at in offsets] == [b"%d 0 o" % n for n in range(1, 6)]


def test_the_text_of_a_pdf_is_escaped_and_its_stream_measured() -> None:
    content = pdf("a (b) \\ c")
    assert b"(a \\(b\\) \\\\ c) Tj" in content
    length = int(re.findall(rb"/Length (\d+)", content)[0])
    stream = content.split(b"stream\n", 1)[1].split(b"\nendstream", 1)[0]
    assert len(stream) == length


def test_a_wav_lasts_as_long_as_asked() -> None:
    with wave.open(io.BytesIO(wav(2)), "rb") as sound:
        assert sound.getnframes() / sound.getframerate() == 2
        assert len(set(sound.readframes(100))) > 10


def test_every_chunk_of_a_png_has_its_checksum() -> None:
    content, kinds = png(8)[8:], []
    while content:
        size = int.from_bytes(content[:4], "big")
        kind, data, crc = content[4:8], content[8 : 8 + size], content[8 + size : 12 + size]
        assert int.from_bytes(crc, "big") == zlib.crc32(kind + data)
        kinds.append(kind)
        content = content[12 + size :]
    assert kinds == [b"IHDR", b"IDAT", b"IEND"]


def test_samples_are_the_same_every_time() -> None:
    assert (pdf("x"), wav(1), png(4)) == (pdf("x"), wav(1), png(4))
