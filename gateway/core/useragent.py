"""The canonical User-Agent: RFC 1945 product tokens with RFC 2068 comments.

The vendor asks that one application instance sends exactly one string, in the form
`Product/Version (comment)`. It is composed once, when the configuration is read, so a
bad value is a configuration error that shows where it is bad.

Rule 1: `render_user_agent` gives back exactly what `parse_user_agent` accepted.
Rule 2: this module knows nothing of requests.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.core.grammar import PRODUCT

# Configuration is text, so this module reads the same production over text.
_PRODUCT = re.compile(PRODUCT.pattern.decode())
# Nested comments are legal; a bound keeps a hostile value from going deep.
_MAX_DEPTH = 8


class BadUserAgent(ValueError):
    """The value breaks the grammar at character `at` (from 0); the text says how."""

    def __init__(self, value: str, at: int, reason: str) -> None:
        shown = f"{ascii(value[:at])[1:-1]}>>>{ascii(value[at:])[1:-1]}"
        super().__init__(f"{reason} at character {at + 1}: {shown}")
        self.at = at


@dataclass(frozen=True, slots=True)
class Product:
    """One product and the comments that follow it, each without its outer parentheses."""

    name: str
    comments: tuple[str, ...] = ()

    def render(self) -> str:
        """Return `name/version (comment) (comment)`."""
        return " ".join([self.name, *(f"({comment})" for comment in self.comments)])


def parse_user_agent(value: str) -> tuple[Product, ...]:
    """Read `1*(product | comment)`, single spaces between, starting with a product."""
    products: list[Product] = []
    at = 0
    while True:
        at = _parse_part(value, at, products)
        if at == len(value):
            return tuple(products)
        if value[at] != " ":
            raise BadUserAgent(value, at, f"{value[at]!a} is not allowed")
        at += 1


def compose_user_agent(product: str, comment: str = "") -> bytes:
    """Return the canonical string of `[user_agent]`, or raise `BadUserAgent`."""
    products = parse_user_agent(product)
    if comment:
        stem = len(product) + 1
        value = f"{product} ({comment})"
        end = _comment_end(value, stem)
        if end != len(value):
            raise BadUserAgent(value, end - 1, "the comment closes early")
        products = parse_user_agent(value)
    return render_user_agent(products).encode("ascii")


def render_user_agent(products: tuple[Product, ...]) -> str:
    """Return the string that `parse_user_agent` reads as these products."""
    return " ".join(product.render() for product in products)


def _parse_part(value: str, at: int, products: list[Product]) -> int:
    """Read one product or comment at `at` into `products`; return where it ends."""
    if value[at : at + 1] == "(" and products:
        end = _comment_end(value, at)
        last = products.pop()
        products.append(Product(last.name, (*last.comments, value[at + 1 : end - 1])))
        return end
    match = _PRODUCT.match(value, at)
    if match is None:
        raise BadUserAgent(value, at, "a product such as Name/1.0 is missing")
    products.append(Product(match[0]))
    return match.end()


def _comment_end(value: str, at: int) -> int:
    """Return where the comment that opens at `at` ends (RFC 2068 section 2.2)."""
    depth = 0
    quoted = False
    for position, char in enumerate(value[at:], at):
        if not " " <= char <= "~":
            raise BadUserAgent(value, position, f"{char!a} is not printable ASCII")
        if not quoted:
            depth += (char == "(") - (char == ")")
        # RFC 2068 section 2.2: quoted-pair = "\" CHAR.
        quoted = char == "\\" and not quoted
        if depth > _MAX_DEPTH:
            raise BadUserAgent(value, position, f"comments nest deeper than {_MAX_DEPTH}")
        if depth == 0:
            return position + 1
    raise BadUserAgent(value, at, "the comment is not closed")
