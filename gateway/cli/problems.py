"""How problems of the configuration are told: all at once, each where it is.

People read them on standard error, a count first, then one per line as `path: message`.

Rule: a problem is one line, whatever a file put into it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from gateway.errors import Problem


def render_problems(problems: Sequence[Problem]) -> str:
    """Return the count line and a line for each problem."""
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    lines = [f"{count} in the configuration:"]
    lines += [" ".join(str(problem).splitlines()) for problem in problems]
    return "\n".join(lines)


def print_problems(problems: Sequence[Problem]) -> None:
    """Write the problems to standard error."""
    print(render_problems(problems), file=sys.stderr)
