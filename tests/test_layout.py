"""The shape of the tree: mirrored tests, small files, small functions, words to avoid.

Each rule is a function that lists problems; it is run on the tree, where it reports all
of them at once, and on a file made up to break it.
"""

import ast
import io
import re
import statistics
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[1]

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 60
MEDIAN_FUNCTION_LINES = 15
DOCSTRING_LINES = range(3, 16)

# The whole house in one docstring takes more than fifteen lines.
MAP = "gateway/__init__.py"
VAGUE_NAMES = frozenset({"utils", "helpers", "common", "base", "manager", "handlers"})

# Tests of more than one module.
FREE_TESTS = frozenset({"tests/test_imports.py", "tests/test_layout.py", "tests/test_readme.py"})
FREE_FOLDERS = frozenset({"e2e", "vectors", "bench"})

# Put together from halves, so that this file does not contain them.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME)\b|pragma[:\s]\s*no\b|NotImplemented" r"Error")
WAIVER = re.compile(r"#\s*(?:type:\s*ignore|noqa|mypy:|ruff:|pyright:)", re.IGNORECASE)
CODED_WAIVER = re.compile(
    r"#\s*(?:type:\s*ignore\[[a-z][a-z, -]*\]|noqa:\s*[A-Z]+[0-9]+(?:,\s*[A-Z]+[0-9]+)*)"
)
REASON_WORDS = 2

BYTE_SET = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]")
POSSESSIVE_GROUP = re.compile(r"(?<!\\)\)(?:[*+?]|\{[0-9,]*\})\+")


@dataclass(frozen=True)
class File:
    """A Python file: its path from the root, with slashes, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
        return [node for node in ast.walk(self.tree) if isinstance(node, kinds)]

    @cached_property
    def comments(self) -> list[tuple[int, str, bool]]:
        """Line number, text, and whether the comment stands alone on its line."""
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return [
            (token.start[0], token.string, token.line.lstrip().startswith("#"))
            for token in tokens
            if token.type == tokenize.COMMENT
        ]


def count_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def is_gateway(path: str) -> bool:
    return path.startswith("gateway/")


def is_table_of_contents(file: File) -> bool:
    """Tell whether a package's `__init__.py` only describes and re-exports."""
    kinds = (ast.Expr, ast.Import, ast.ImportFrom)
    return all(
        isinstance(node, kinds)
        or (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).startswith("__"))
        for node in file.tree.body
    )


def mirror_of(path: str) -> str:
    """Return where the tests of a module are: gateway/a/b.py has tests/a/test_b.py."""
    source = PurePosixPath(path)
    folders = source.parts[1:-1] if is_gateway(path) else source.parts[:-1]
    return str(PurePosixPath("tests", *folders, f"test_{source.stem.strip('_')}.py"))


def needs_test(file: File) -> bool:
    if file.path.startswith("tests/") or file.path.endswith("/__main__.py"):
        return False
    return not (file.path.endswith("/__init__.py") and is_table_of_contents(file))


def needs_module(path: str) -> bool:
    parts = PurePosixPath(path).parts
    is_test = parts[0] == "tests" and parts[-1].startswith("test_")
    return is_test and path not in FREE_TESTS and parts[1] not in FREE_FOLDERS


def check_mirror(files: list[File]) -> Iterator[str]:
    """Every module has its test file; a test file names its module, and maybe an aspect."""
    paths = {file.path for file in files}
    mirrors = {mirror_of(file.path) for file in files if not file.path.startswith("tests/")}
    for file in files:
        if needs_test(file) and mirror_of(file.path) not in paths:
            yield f"{file.path}: has no {mirror_of(file.path)}"
        stem = file.path.removesuffix(".py")
        names = {f"{stem[:end]}.py" for end in (i for i, c in enumerate(stem) if c == "_")}
        if needs_module(file.path) and not mirrors & {file.path, *names}:
            yield f"{file.path}: tests no module"


def check_size(files: list[File]) -> Iterator[str]:
    for file in files:
        lines = len(file.text.splitlines())
        if lines > MAX_FILE_LINES:
            yield f"{file.path}: {lines} lines, over {MAX_FILE_LINES}; a room is missing"
        for function in file.functions:
            if count_lines(function) > MAX_FUNCTION_LINES:
                place = f"{file.path}:{function.lineno}: {function.name}"
                yield f"{place} has {count_lines(function)} lines, over {MAX_FUNCTION_LINES}"


def check_median(files: list[File]) -> Iterator[str]:
    sizes = [
        count_lines(node) for file in files if is_gateway(file.path) for node in file.functions
    ]
    if sizes and statistics.median(sizes) >= MEDIAN_FUNCTION_LINES:
        yield f"gateway: the median function has {statistics.median(sizes)} lines"


def check_docstring(files: list[File]) -> Iterator[str]:
    for file in files:
        lines = len((ast.get_docstring(file.tree) or "").splitlines())
        allowed = lines in DOCSTRING_LINES or (file.path == MAP and lines >= DOCSTRING_LINES.start)
        if is_gateway(file.path) and not allowed:
            yield f"{file.path}: module docstring of {lines} lines, not 3 to 15"


def check_names(files: list[File]) -> Iterator[str]:
    for file in files:
        parts = PurePosixPath(file.path).with_suffix("").parts
        yield from (f"{file.path}: {part} says nothing" for part in parts if part in VAGUE_NAMES)


def check_unfinished(files: list[File]) -> Iterator[str]:
    for file in files:
        for number, line in enumerate(file.text.splitlines(), 1):
            if found := UNFINISHED.search(line):
                yield f"{file.path}:{number}: {found.group()}"


def check_waivers(files: list[File]) -> Iterator[str]:
    """A rule is waived by its code, with the reason beside it or on the line above."""
    for file in files:
        alone = {line: text for line, text, is_alone in file.comments if is_alone}
        for number, comment, _ in file.comments:
            if not WAIVER.search(comment):
                continue
            rest = CODED_WAIVER.sub("", comment)
            if WAIVER.search(rest):
                yield f"{file.path}:{number}: waives a rule without its code: {comment}"
            elif len(re.findall(r"\w+", rest + alone.get(number - 1, ""))) < REASON_WORDS:
                yield f"{file.path}:{number}: waives a rule without a reason: {comment}"


def check_patterns(files: list[File]) -> Iterator[str]:
    """No group is repeated possessively: before CPython 3.11.5 that is broken (gh-106052)."""
    for file in files:
        for node in ast.walk(file.tree) if is_gateway(file.path) else ():
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str | bytes):
                continue
            value = node.value
            text = value if isinstance(value, str) else value.decode("latin-1")
            if found := POSSESSIVE_GROUP.search(BYTE_SET.sub("x", text)):
                yield f"{file.path}:{node.lineno}: {found.group()}: write (?>(?:...)*)"


Rule = Callable[[list[File]], Iterator[str]]
RULES: list[Rule] = [
    *(check_mirror, check_size, check_median, check_docstring),
    *(check_names, check_unfinished, check_waivers, check_patterns),
]


def read_tree() -> list[File]:
    paths = (path for top in ("gateway", "tests", "tools") for path in (ROOT / top).rglob("*.py"))
    return [
        File(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(paths)
    ]


@pytest.mark.parametrize("rule", RULES)
def test_the_tree_keeps_the_rule(rule: Rule) -> None:
    problems = list(rule(read_tree()))
    assert not problems, "\n".join([f"{len(problems)} problem(s):", *problems])


DOC = '"""One.\n\nThree.\n"""\n'
WAIVED = "import x  # type: " + "ignore"
QUIET = "x = 1  # no" + "qa"


@pytest.mark.parametrize(
    ("rule", "path", "text", "reason"),
    [
        (check_mirror, "gateway/core/a.py", DOC, "has no tests/core/test_a.py"),
        (
            check_mirror,
            "gateway/cli/__init__.py",
            "def main(): ...",
            "has no tests/cli/test_init.py",
        ),
        (check_mirror, "tools/a.py", DOC, "has no tests/tools/test_a.py"),
        (check_mirror, "tests/core/test_b.py", "", "tests no module"),
        (check_mirror, "tests/test_b.py", "", "tests no module"),
        (check_size, "tests/a.py", "\n" * 301, "301 lines, over 300"),
        (check_size, "tools/a.py", "def f():\n" + "    1\n" * 60, ":1: f has 61 lines, over 60"),
        (check_median, "gateway/a.py", "def f():\n" + "    1\n" * 14, "median function has 15"),
        (check_docstring, "gateway/a.py", "", "docstring of 0 lines"),
        (check_docstring, "gateway/a.py", '"""One."""', "docstring of 1 lines"),
        (
            check_docstring,
            "gateway/a/__init__.py",
            '"""' + "x\n" * 16 + '"""',
            "docstring of 16 lines",
        ),
        (check_docstring, MAP, '"""One."""', "docstring of 1 lines"),
        (check_names, "gateway/core/utils.py", DOC, "utils says nothing"),
        (check_names, "tests/common/test_a.py", "", "common says nothing"),
        (check_unfinished, "gateway/a.py", "# TO" + "DO later", ":1: TO" + "DO"),
        (check_unfinished, "gateway/a.py", "if x:  # pragma" + ": no branch", ":1: pragma"),
        (check_unfinished, "gateway/a.py", "raise NotImplemented" + "Error", ":1: NotImpl"),
        (check_waivers, "gateway/a.py", WAIVED, "without its code"),
        (check_waivers, "gateway/a.py", f"{WAIVED}[import]", "without a reason"),
        (check_waivers, "gateway/a.py", QUIET, "without its code"),
        (check_waivers, "gateway/a.py", f"{QUIET}: S104", "without a reason"),
        (check_waivers, "gateway/a.py", "# mypy: ignore" + "-errors", "without its code"),
        (check_patterns, "gateway/a.py", "A = B + rb'(?:a)*+'", "gateway/a.py:1: )*+"),
        (check_patterns, "gateway/a.py", "A = '[)](?:a){1,3}+'", "gateway/a.py:1: ){1,3}+"),
    ],
)
def test_a_broken_rule_is_named_with_its_place(
    rule: Rule, path: str, text: str, reason: str
) -> None:
    (problem,) = rule([File(path, text)])
    assert problem.startswith(path.split("/")[0])
    assert reason in problem


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (
            check_mirror,
            "gateway/core/__init__.py",
            DOC + "from gateway.core.a import b\n__all__ = []",
        ),
        (check_mirror, "gateway/__main__.py", DOC),
        (check_mirror, "tests/e2e/test_a.py", ""),
        (check_docstring, MAP, '"""' + "x\n" * 40 + '"""'),
        (check_waivers, "gateway/a.py", f"{QUIET}: S104, BLE001 - the reason is here"),
        (check_waivers, "gateway/a.py", f"# The reason is here.\n{WAIVED}[import, no-any-return]"),
        (check_waivers, "gateway/a.py", f"x = '{WAIVED}'"),
        (check_patterns, "gateway/a.py", r"A = rb'[\]()*+]*+(?>(?:a)*)\)*+'"),
    ],
)
def test_what_the_rules_allow(rule: Rule, path: str, text: str) -> None:
    assert list(rule([File(path, text)])) == []


def test_a_module_may_have_one_more_test_file_for_each_aspect() -> None:
    names = ["gateway/core/a.py", "tests/core/test_a.py", "tests/core/test_a_with_b.py"]
    assert list(check_mirror([File(name, DOC) for name in names])) == []
