from gateway.simulator.reading import Wire
from gateway.simulator.seen import MAX_ENTRIES, Notebook, Seen


def test_an_entry_keeps_the_wire_and_the_verdict_apart() -> None:
    notebook = Notebook()
    headers = ((b"X-HTTP-Method-Override", b"DELETE"),)
    notebook.write(Wire("POST", "/a?b", headers, b"{}", 2, "digest"), "DELETE")
    assert list(notebook.entries) == [Seen("POST", "DELETE", "/a?b", headers, 2, "digest")]


def test_the_oldest_entry_makes_room() -> None:
    notebook = Notebook(max_entries=2)
    for target in ("/1", "/2", "/3"):
        notebook.write(Wire("GET", target), None)
    assert [entry.target for entry in notebook.entries] == ["/2", "/3"]


def test_a_notebook_is_bounded() -> None:
    assert Notebook().entries.maxlen == MAX_ENTRIES
