"""The task of `code_tests`; see proto/reward/v1/code_tests.proto for what the fields mean."""

import ast
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from reward_server.errors import InvalidTaskError
from sandboxes.values import encode, parse_literal

MAX_SOURCE_CHARACTERS = 1 << 20
MAX_TESTS = 1_000


class Language(StrEnum):
    """A programming language."""

    PYTHON = "python"
    BASH = "bash"
    C = "c"
    CPP = "cpp"
    GO = "go"
    JAVA = "java"
    JAVASCRIPT = "javascript"
    LUA = "lua"
    PERL = "perl"
    PHP = "php"
    R = "r"
    RUBY = "ruby"
    RUST = "rust"
    TYPESCRIPT = "typescript"


class TestScoring(StrEnum):
    """How tests become a score."""

    WEIGHTED_SHARE = "weighted_share"
    ALL_OR_NOTHING = "all_or_nothing"


class StdoutComparison(StrEnum):
    """How printed output is compared."""

    LINES = "lines"
    EXACT = "exact"
    TOKENS = "tokens"
    UNORDERED_LINES = "unordered_lines"


def _check_weight(weight: float | None, path: str) -> None:
    if weight is not None and not (math.isfinite(weight) and weight >= 0):
        raise InvalidTaskError(f"{path}.weight", f"{weight} is not a finite number >= 0")


def _check_tolerance(tolerance: float | None, path: str) -> None:
    if tolerance is not None and not (math.isfinite(tolerance) and tolerance >= 0):
        raise InvalidTaskError(f"{path}.tolerance", f"{tolerance} is not a finite number >= 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTest:
    """One call of a function."""

    name: str = ""
    function: str = ""
    args: tuple[str, ...] = ()
    kwargs: Mapping[str, str] = field(default_factory=dict)
    expected: str = ""
    raises: str = ""
    tolerance: float | None = None
    sequences_match: bool = False
    weight: float | None = None
    hidden: bool = False

    def check(self, path: str, entry_point: str) -> None:
        """Raise `InvalidTaskError` when this test cannot be run."""
        if not (self.function or entry_point):
            raise InvalidTaskError(f"{path}.function", "names no function, and the task has no entry_point")
        if bool(self.expected) == bool(self.raises):
            raise InvalidTaskError(path, "exactly one of `expected` and `raises` is to be set")
        literals = [(f"args[{i}]", text) for i, text in enumerate(self.args)]
        literals += [(f"kwargs[{name!r}]", text) for name, text in self.kwargs.items()]
        literals += [("expected", self.expected)] if self.expected else []
        for name, text in literals:
            try:
                encode(parse_literal(text))
            except (ValueError, TypeError) as error:
                raise InvalidTaskError(f"{path}.{name}", str(error)) from None
            except Exception as error:  # a codec limit
                raise InvalidTaskError(f"{path}.{name}", str(error)) from error
        _check_tolerance(self.tolerance, path)
        _check_weight(self.weight, path)


@dataclass(frozen=True, slots=True, kw_only=True)
class StdioTest:
    """One run of the whole program."""

    name: str = ""
    stdin: str = ""
    expected_stdout: str = ""
    comparison: StdoutComparison = StdoutComparison.LINES
    tolerance: float | None = None
    weight: float | None = None
    hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AssertTest:
    """A test program of assert statements."""

    name: str = ""
    code: str = ""
    weight: float | None = None
    hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TestFile:
    """A pytest or unittest file."""

    name: str = ""
    code: str = ""
    weight: float | None = None
    hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeTestsTask:
    """A program graded by running it against tests."""

    language: Language = Language.PYTHON
    prefix: str = ""
    entry_point: str = ""
    call_tests: tuple[CallTest, ...] = ()
    stdio_tests: tuple[StdioTest, ...] = ()
    assert_tests: tuple[AssertTest, ...] = ()
    test_files: tuple[TestFile, ...] = ()
    scoring: TestScoring = TestScoring.WEIGHTED_SHARE
    checker: str = ""
    shared_process: bool = False
    reference_solution: str = ""

    def __post_init__(self) -> None:
        count = len(self.call_tests) + len(self.stdio_tests) + len(self.assert_tests) + len(self.test_files)
        if not 1 <= count <= MAX_TESTS:
            raise InvalidTaskError("", f"{count} tests, at least 1 and at most {MAX_TESTS} are expected")
        if self.entry_point and not self.entry_point.isidentifier():
            raise InvalidTaskError("entry_point", f"{self.entry_point!r} is no identifier")
        if len(self.prefix) > MAX_SOURCE_CHARACTERS:
            raise InvalidTaskError("prefix", f"{len(self.prefix)} characters, at most {MAX_SOURCE_CHARACTERS}")
        if self.shared_process and not self.test_files:
            raise InvalidTaskError("shared_process", "is for test_files, and there are none")
        if len(self.reference_solution) > MAX_SOURCE_CHARACTERS:
            length = len(self.reference_solution)
            raise InvalidTaskError("reference_solution", f"{length} characters, at most {MAX_SOURCE_CHARACTERS}")
        self._check_language()
        self._check_tests()
        if self.checker:
            _check_source(self.checker, "checker", "check")
            if not self.stdio_tests:
                raise InvalidTaskError("checker", "judges what programs print, and there are no stdio_tests")

    def _check_language(self) -> None:
        if self.language is Language.PYTHON:
            return
        for name in ("call_tests", "assert_tests", "test_files", "checker", "entry_point", "shared_process"):
            if getattr(self, name):
                raise InvalidTaskError(name, f"is for Python; {self.language} takes stdio_tests only")

    def _check_tests(self) -> None:
        for i, call in enumerate(self.call_tests):
            call.check(f"call_tests[{i}]", self.entry_point)
        for i, stdio in enumerate(self.stdio_tests):
            _check_tolerance(stdio.tolerance, f"stdio_tests[{i}]")
            _check_weight(stdio.weight, f"stdio_tests[{i}]")
        for kind in ("assert_tests", "test_files"):
            for i, program in enumerate(getattr(self, kind)):
                _check_source(program.code, f"{kind}[{i}].code")
                _check_weight(program.weight, f"{kind}[{i}]")


def _check_source(code: str, path: str, function: str = "") -> None:
    """Raise `InvalidTaskError` unless ``code`` is Python with at least one statement, defining ``function``."""
    if len(code) > MAX_SOURCE_CHARACTERS:
        raise InvalidTaskError(path, f"{len(code)} characters, at most {MAX_SOURCE_CHARACTERS}")
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InvalidTaskError(path, f"is no Python: {error}") from None
    if not tree.body:
        raise InvalidTaskError(path, "is empty")
    if function and not any(isinstance(node, ast.FunctionDef) and node.name == function for node in tree.body):
        raise InvalidTaskError(path, f"defines no function {function}")
