"""Sockets by bind, apart from who serves them; with a gate in test_listening.py."""

from pathlib import Path

from gateway.app.opened import prepare
from gateway.config.binds import parse_bind

ANY = parse_bind("127.0.0.1:0")


async def test_binds_that_read_the_same_are_matched_one_by_one() -> None:
    first = (await prepare([], [ANY])).after
    change = await prepare(first, [ANY, ANY])
    assert change.after[0] is first[0]
    assert (len(change.new), change.gone) == (1, [])
    back = await prepare(change.after, [ANY])
    assert (back.after, back.new, back.gone) == (first, [], change.new)
    for opened in change.after:
        opened.close()


async def test_where_it_was_is_known_after_the_close(tmp_path: Path) -> None:
    unix = parse_bind(f"unix:{tmp_path}/data.sock")
    change = await prepare([], [ANY, unix])
    tcp, file = change.after
    change.discard()
    assert tcp.binds[0].port != 0
    assert file.binds == [unix]
    assert not (tmp_path / "data.sock").exists()
