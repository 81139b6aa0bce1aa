"""Links in JSON replaced by the system's PCRE2: one call for a whole document.

Python's `re` comes back for every match and reads byte by byte; PCRE2 compiles the same
pattern to machine code and does it in a third of the time. It is part of every Debian
(`grep` needs it). Where it is missing, or may not make machine code, `core.links` does
the work, with the same outcome.

Where one text stands for every match, the library writes it. Of several it writes only marks,
a byte or two for each match, because it would read a longer replacement anew each time; the
texts are put in their place afterwards.

Rule 1: whatever cannot be done here is told by None, and done by `core.links`.
Rule 2: for the thread of the event loop alone: all substitutions share one buffer.
Rule 3: what a link is it does not know; it gets a pattern, and the texts for its groups.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_char_p, c_int, c_size_t, c_uint32, c_void_p
from functools import cache
from typing import NoReturn

from gateway.core.links import Lent

_NAMES = ("libpcre2-8.so.0", "libpcre2-8.0.dylib")
# pcre2.h, PCRE2 10.30 and later.
_NEVER_UTF = 0x00001000
_JIT_COMPLETE = 0x00000001
_CONFIG_VERSION = 11
_GLOBAL, _EXTENDED, _LITERAL = 0x00000100, 0x00000200, 0x00008000
# "http://a" is the shortest that can be replaced.
_SHORTEST_MATCH = 8
# RFC 8259 section 7: these do not stand in JSON. A document that has one is left alone.
_MARKS = tuple(bytes([number]) for number in range(1, 9))
# One read of a body that is nothing but a URI, all escapes, takes less; for a longer one the match
# fails, and rule 1 holds.
_STACK_BYTES, _MOST_STACK_BYTES = 1 << 15, 1 << 22
# One read of a body. A longer document makes it longer, for good; who holds one bounds it.
_BUFFER_BYTES = 1 << 18


class _Library:
    """The functions that are used, and the buffer that results are written to."""

    def __init__(self, library: ctypes.CDLL) -> None:
        """Raise `AttributeError` when it is another library."""
        self.compile = library.pcre2_compile_8
        self.compile.restype = c_void_p
        self.compile.argtypes = (
            *(c_char_p, c_size_t, c_uint32, POINTER(c_int), POINTER(c_size_t)),
            c_void_p,
        )
        self.jit = library.pcre2_jit_compile_8
        self.jit.argtypes = (c_void_p, c_uint32)
        self.make_match = library.pcre2_match_data_create_from_pattern_8
        self.make_match.restype = c_void_p
        self.make_match.argtypes = (c_void_p, c_void_p)
        self.substitute = library.pcre2_substitute_8
        self.substitute.argtypes = (
            *(c_void_p, c_char_p, c_size_t, c_size_t, c_uint32, c_void_p, c_void_p),
            *(c_char_p, c_size_t, c_void_p, POINTER(c_size_t)),
        )
        self.free_match = library.pcre2_match_data_free_8
        self.free_match.argtypes = (c_void_p,)
        self.free_match.restype = None
        self.free_code = library.pcre2_code_free_8
        self.free_code.argtypes = (c_void_p,)
        self.free_code.restype = None
        self.context = _context_of(library)
        self.config = library.pcre2_config_8
        self.config.argtypes = (c_uint32, c_char_p)
        self.grow(_BUFFER_BYTES)
        # PCRE2_SUBSTITUTE_LITERAL came with 10.34.
        self.takes_literal = _number(self.version()) >= (10, 34)

    def grow(self, size: int) -> None:
        """Have a buffer of so many bytes; who looks at the one before keeps that."""
        self.buffer = ctypes.create_string_buffer(size)
        self.view = memoryview(self.buffer).cast("B")

    def version(self) -> str:
        """Return what the library calls itself, such as `10.42`."""
        version = ctypes.create_string_buffer(64)
        self.config(_CONFIG_VERSION, version)
        return version.value.decode("ascii", "replace").partition(" ")[0]


class Substitution:
    """One pattern and what is written for it; call it with a document."""

    __slots__ = (
        *("_code", "_growth", "_length", "_library", "_match", "_options", "_template"),
        "_texts",
    )

    def __init__(self, library: _Library, pattern: bytes, written: tuple[bytes, ...]) -> None:
        """Compile; raise `ValueError` when there can be no machine code."""
        self._code: int | None = None
        self._match: int | None = None
        self._library = library
        self._length = c_size_t()
        # Each text once, by its mark; the first one stands in every match, alone or before another.
        self._texts = dict(zip(_MARKS, dict.fromkeys(written), strict=False))
        self._options = _GLOBAL | _EXTENDED
        self._template = _template(written, self._texts)
        # How many times as long as a document what is written of it may be.
        self._growth = 1
        if len(self._texts) == 1 and library.takes_literal:
            self._options, self._template = _GLOBAL | _LITERAL, written[0]
            self._growth, self._texts = 1 + len(written[0]) // _SHORTEST_MATCH, {}
        at = c_size_t()
        self._code = library.compile(
            pattern, len(pattern), _NEVER_UTF, byref(c_int()), byref(at), None
        )
        if not self._code:
            raise ValueError(f"PCRE2 does not take the pattern, at byte {at.value}")
        if library.jit(self._code, _JIT_COMPLETE) != 0:
            raise ValueError("PCRE2 may not make machine code here")
        self._match = library.make_match(self._code, None)
        if not self._match or not library.context:
            raise ValueError("PCRE2 has no memory")

    def __call__(self, data: bytes) -> Lent | None:
        """Return the document rewritten, None when that could not be done.

        A view is good until the next call of any substitution.
        """
        found = self._substitute(data)
        if found <= 0:
            return data if found == 0 else None
        if not self._texts:
            return self._library.view[: self._length.value]
        marked = ctypes.string_at(self._library.buffer, self._length.value)
        first, *others = self._texts.items()
        for mark, text in (*others, first):
            if mark[0] in marked:
                if mark[0] in data:
                    return None
                sought = mark if mark is first[0] else first[0] + mark
                marked = marked.replace(sought, text)
        return marked

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refuse to be copied: what the library holds is given back once."""
        raise TypeError("a Substitution is not copied")

    def __del__(self) -> None:
        """Give back what the library holds."""
        if self._match:
            self._library.free_match(self._match)
        if self._code:
            self._library.free_code(self._code)

    def _substitute(self, data: bytes) -> int:
        """Write the document with its marks, or with the text, into the buffer.

        Returns how many matches there were, or an error of the library's, which is negative.
        """
        library, length, template = self._library, self._length, self._template
        # Marks are shorter than the match they stand for; the library ends the text with a zero.
        if len(library.buffer) <= len(data) * self._growth:
            library.grow(len(data) * self._growth + 1)
        length.value = len(library.buffer)
        found: int = library.substitute(
            self._code,
            data,
            len(data),
            0,
            self._options,
            self._match,
            library.context,
            template,
            len(template),
            library.buffer,
            byref(length),
        )
        return found


def accelerate(pattern: bytes, written: tuple[bytes, ...]) -> Substitution | None:
    """Return what replaces matches of a `LinkMap.machine_pattern`, None where PCRE2 cannot.

    `written` are the texts by group: each match has one of them.
    """
    library = _load()
    if library is None or not 0 < len(set(written)) <= len(_MARKS):
        return None
    try:
        return Substitution(library, pattern, written)
    except ValueError:
        return None


def describe() -> str | None:
    """Return the version of the library that is used, None when none is."""
    library = _load()
    if library is None or accelerate(b"a", (b"b",)) is None:
        return None
    return library.version()


@cache
def _load() -> _Library | None:
    for name in _NAMES:
        try:
            return _Library(ctypes.CDLL(name))
        except (OSError, AttributeError):
            continue
    return None


def _context_of(library: ctypes.CDLL) -> int | None:
    """Return what gives a match more stack than the 32 KiB that it has by itself."""
    library.pcre2_match_context_create_8.restype = c_void_p
    library.pcre2_jit_stack_create_8.restype = c_void_p
    library.pcre2_jit_stack_create_8.argtypes = (c_size_t, c_size_t, c_void_p)
    library.pcre2_jit_stack_assign_8.argtypes = (c_void_p, c_void_p, c_void_p)
    library.pcre2_jit_stack_assign_8.restype = None
    context: int | None = library.pcre2_match_context_create_8(None)
    stack = library.pcre2_jit_stack_create_8(_STACK_BYTES, _MOST_STACK_BYTES, None)
    if not context or not stack:
        return None
    library.pcre2_jit_stack_assign_8(context, None, stack)
    return context


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())


def _template(written: tuple[bytes, ...], texts: dict[bytes, bytes]) -> bytes:
    """Return the first mark and, behind it, that of the group that is set (pcre2api(3))."""
    first, *_ = marks = {text: mark for mark, text in texts.items()}
    others = [(group, text) for group, text in enumerate(written, 1) if text != first]
    return marks[first] + b"".join(b"${%d:+%b:}" % (group, marks[text]) for group, text in others)
