from gateway.simulator.answers import JSON_TYPE, Answer, render_document, render_fault, render_text
from gateway.simulator.faults import unsatisfiable_range


def test_a_document_has_the_vendors_typography() -> None:
    answer = render_document({"id": 1, "name": "Zoë"})
    assert answer.body.decode() == '{\n  "id" : 1,\n  "name" : "Zoë"\n}'
    assert answer.headers == (("Content-Type", JSON_TYPE),)


def test_a_byte_that_was_no_text_does_not_break_the_document() -> None:
    assert b'"a?"' in render_document({"name": "a\udcff"}).body


def test_added_headers_follow_in_order_and_leave_the_first_answer_alone() -> None:
    first = Answer(200, (("A", "1"),), b"x")
    assert first.adding({"B": "2"}) == Answer(200, (("A", "1"), ("B", "2")), b"x")
    assert first.headers == (("A", "1"),)


def test_a_fault_becomes_an_answer_with_its_headers() -> None:
    answer = render_fault(unsatisfiable_range(9))
    assert answer.status == 416
    assert ("Content-Range", "bytes */9") in answer.headers
    assert b"CMN-107" in answer.body


def test_a_text_is_plain() -> None:
    answer = render_text("Jwt is expired", 401)
    assert (answer.status, answer.body) == (401, b"Jwt is expired")
    assert dict(answer.headers) == {"Content-Type": "text/plain;charset=UTF-8"}
