"""The task of `code_tests`; see proto/reward/v1/code_tests.proto for what the fields mean."""

import ast
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from reward_server.errors import InvalidTaskError
from reward_server.tasks.code_files import TaskFile, check_files
from sandboxes.base import Limits
from sandboxes.values import encode, parse_literal

MAX_SOURCE_CHARACTERS = 1 << 20
MAX_TESTS = 1_000
MAX_TURNS = 1_000_000
DEFAULT_TURNS = 10_000


class Language(StrEnum):
    """A programming language."""

    PYTHON = "python"
    BASH = "bash"
    C = "c"
    CPP = "cpp"
    CSHARP = "csharp"
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


CALLED_LANGUAGES = frozenset(
    {
        Language.PYTHON,
        Language.CPP,
        Language.GO,
        Language.JAVA,
        Language.JAVASCRIPT,
        Language.LUA,
        Language.PHP,
        Language.RUBY,
        Language.RUST,
        Language.TYPESCRIPT,
    }
)
"""Those whose functions can be called with values: the others have no types to tell values by."""


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


_KINDS = ("call_tests", "stdio_tests", "assert_tests", "test_files", "interactive_tests")


def _check_weight(weight: float | None, path: str) -> None:
    if weight is not None and not (math.isfinite(weight) and weight >= 0):
        raise InvalidTaskError(f"{path}.weight", f"{weight} is not a finite number >= 0")


def _check_tolerance(tolerance: float | None, path: str) -> None:
    if tolerance is not None and not (math.isfinite(tolerance) and tolerance >= 0):
        raise InvalidTaskError(f"{path}.tolerance", f"{tolerance} is not a finite number >= 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class TestLimits:
    """Limits of one test, in place of the task's; None and 0 leave the task's."""

    cpu_time: timedelta | None = None
    wall_time: timedelta | None = None
    memory_bytes: int = 0

    @property
    def bounds(self) -> dict[str, float]:
        """What is set, by the names of `sandboxes.base.Limits`."""
        times = (("cpu_seconds", self.cpu_time), ("wall_seconds", self.wall_time))
        bounds: dict[str, float] = {name: time.total_seconds() for name, time in times if time is not None}
        return {**bounds, "memory_bytes": self.memory_bytes} if self.memory_bytes else bounds

    def check_within(self, largest: Limits, path: str) -> None:
        """Raise `InvalidTaskError` for a wish past ``largest``."""
        wire_names = {"cpu_seconds": "cpu_time", "wall_seconds": "wall_time", "memory_bytes": "memory_bytes"}
        for name, value in self.bounds.items():
            most = getattr(largest, name)
            if not 0 < value <= most:
                wish = f"{value:g} is not above 0 and at most {most:g} (max_limits)"
                raise InvalidTaskError(f"{path}.{wire_names[name]}", wish)


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
    limits: TestLimits | None = None

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

    def check_portable(self, path: str) -> None:
        """Raise `InvalidTaskError` when its arguments are not what every language has."""
        if self.kwargs:
            raise InvalidTaskError(f"{path}.kwargs", "is for Python")
        if not (self.function or "f").isidentifier():
            raise InvalidTaskError(f"{path}.function", f"{self.function!r} is no identifier")
        for i, text in enumerate(self.args):
            if not _is_portable(parse_literal(text)):
                raise InvalidTaskError(f"{path}.args[{i}]", "is not what JSON can say")


def _is_portable(value: Any) -> bool:
    match value:
        case bool() | int() | str() | None:
            return True
        case float():
            return math.isfinite(value)
        case list() | tuple():
            return all(map(_is_portable, value))
        case dict():
            return all(isinstance(key, str) and _is_portable(item) for key, item in value.items())
    return False


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
    limits: TestLimits | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssertTest:
    """A test program of assert statements."""

    name: str = ""
    code: str = ""
    weight: float | None = None
    hidden: bool = False
    limits: TestLimits | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TestFile:
    """A pytest or unittest file."""

    name: str = ""
    code: str = ""
    weight: float | None = None
    hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractiveTest:
    """One conversation of the whole program with the task's judge."""

    name: str = ""
    data: str = ""
    max_turns: int = 0
    weight: float | None = None
    hidden: bool = False
    limits: TestLimits | None = None

    def check(self, path: str) -> None:
        """Raise `InvalidTaskError` when this test cannot be run."""
        if self.max_turns > MAX_TURNS:
            raise InvalidTaskError(f"{path}.max_turns", f"{self.max_turns}, at most {MAX_TURNS}")
        if len(self.data) > MAX_SOURCE_CHARACTERS:
            raise InvalidTaskError(f"{path}.data", f"{len(self.data)} characters, at most {MAX_SOURCE_CHARACTERS}")
        _check_weight(self.weight, path)


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
    interactive_tests: tuple[InteractiveTest, ...] = ()
    interactive_judge: str = ""
    files: tuple[TaskFile, ...] = ()
    response_files: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        count = sum(len(getattr(self, kind)) for kind in _KINDS)
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
        if bool(self.interactive_tests) != bool(self.interactive_judge):
            raise InvalidTaskError("interactive_judge", "is to be set if and only if there are interactive_tests")
        if self.interactive_judge:
            _check_source(self.interactive_judge, "interactive_judge", "judge")
        check_files(self.files, self.response_files)

    def check_within(self, largest: Limits, path: str = "") -> None:
        """Raise `InvalidTaskError` for a test that wants more than ``largest``."""
        for kind in _KINDS:
            for i, test in enumerate(getattr(self, kind)):
                limits: TestLimits | None = getattr(test, "limits", None)
                if limits is not None:
                    limits.check_within(largest, f"{path}{kind}[{i}].limits")

    def _check_language(self) -> None:
        if self.language is Language.PYTHON:
            return
        for name in ("assert_tests", "test_files", "shared_process"):
            if getattr(self, name):
                raise InvalidTaskError(name, f"is for Python, and the language is {self.language}")
        if self.call_tests and self.language not in CALLED_LANGUAGES:
            raise InvalidTaskError("call_tests", f"{self.language} takes stdio_tests and interactive_tests only")
        for i, call in enumerate(self.call_tests):
            call.check_portable(f"call_tests[{i}]")

    def _check_tests(self) -> None:
        for i, call in enumerate(self.call_tests):
            call.check(f"call_tests[{i}]", self.entry_point)
        for i, stdio in enumerate(self.stdio_tests):
            _check_tolerance(stdio.tolerance, f"stdio_tests[{i}]")
            _check_weight(stdio.weight, f"stdio_tests[{i}]")
        for i, interactive in enumerate(self.interactive_tests):
            interactive.check(f"interactive_tests[{i}]")
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
