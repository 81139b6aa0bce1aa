"""A form body, read strictly: one value a name, and no guessing.

Token endpoints take `application/x-www-form-urlencoded` and nothing else. Documented by
the vendor: a parameter that comes twice is OAU-111. Inferred: another content type is a
400 with CMN-110, and a body that was not kept whole is a 413.
"""

from urllib.parse import parse_qsl

from gateway.simulator.faults import Fault, oversized_body
from gateway.simulator.reading import Wire

FORM_TYPE = "application/x-www-form-urlencoded"


def read_form(wire: Wire) -> dict[str, str]:
    """Read the form of a request. Raises Fault."""
    types = [value.partition(";")[0].strip().lower() for value in wire.fields("Content-Type")]
    if types != [FORM_TYPE]:
        raise Fault(400, "CMN-110", f"Header [Content-Type] should be {FORM_TYPE}")
    if wire.body_length > len(wire.body):
        raise oversized_body(len(wire.body))
    pairs = parse_qsl(wire.body.decode("utf-8", "replace"), keep_blank_values=True)
    form = dict(pairs)
    if len(form) < len(pairs):
        raise Fault(400, "OAU-111", "Request parameter duplication detected")
    return form
