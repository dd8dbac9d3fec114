import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Language(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LANGUAGE_UNSPECIFIED: _ClassVar[Language]
    LANGUAGE_PYTHON: _ClassVar[Language]
    LANGUAGE_BASH: _ClassVar[Language]
    LANGUAGE_C: _ClassVar[Language]
    LANGUAGE_CPP: _ClassVar[Language]
    LANGUAGE_GO: _ClassVar[Language]
    LANGUAGE_JAVA: _ClassVar[Language]
    LANGUAGE_JAVASCRIPT: _ClassVar[Language]
    LANGUAGE_LUA: _ClassVar[Language]
    LANGUAGE_PERL: _ClassVar[Language]
    LANGUAGE_PHP: _ClassVar[Language]
    LANGUAGE_R: _ClassVar[Language]
    LANGUAGE_RUBY: _ClassVar[Language]
    LANGUAGE_RUST: _ClassVar[Language]
    LANGUAGE_TYPESCRIPT: _ClassVar[Language]
    LANGUAGE_CSHARP: _ClassVar[Language]

class TestScoring(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TEST_SCORING_UNSPECIFIED: _ClassVar[TestScoring]
    TEST_SCORING_WEIGHTED_SHARE: _ClassVar[TestScoring]
    TEST_SCORING_ALL_OR_NOTHING: _ClassVar[TestScoring]

class StdoutComparison(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STDOUT_COMPARISON_UNSPECIFIED: _ClassVar[StdoutComparison]
    STDOUT_COMPARISON_LINES: _ClassVar[StdoutComparison]
    STDOUT_COMPARISON_EXACT: _ClassVar[StdoutComparison]
    STDOUT_COMPARISON_TOKENS: _ClassVar[StdoutComparison]
    STDOUT_COMPARISON_UNORDERED_LINES: _ClassVar[StdoutComparison]
LANGUAGE_UNSPECIFIED: Language
LANGUAGE_PYTHON: Language
LANGUAGE_BASH: Language
LANGUAGE_C: Language
LANGUAGE_CPP: Language
LANGUAGE_GO: Language
LANGUAGE_JAVA: Language
LANGUAGE_JAVASCRIPT: Language
LANGUAGE_LUA: Language
LANGUAGE_PERL: Language
LANGUAGE_PHP: Language
LANGUAGE_R: Language
LANGUAGE_RUBY: Language
LANGUAGE_RUST: Language
LANGUAGE_TYPESCRIPT: Language
LANGUAGE_CSHARP: Language
TEST_SCORING_UNSPECIFIED: TestScoring
TEST_SCORING_WEIGHTED_SHARE: TestScoring
TEST_SCORING_ALL_OR_NOTHING: TestScoring
STDOUT_COMPARISON_UNSPECIFIED: StdoutComparison
STDOUT_COMPARISON_LINES: StdoutComparison
STDOUT_COMPARISON_EXACT: StdoutComparison
STDOUT_COMPARISON_TOKENS: StdoutComparison
STDOUT_COMPARISON_UNORDERED_LINES: StdoutComparison

class CodeTestsTask(_message.Message):
    __slots__ = ("language", "prefix", "entry_point", "call_tests", "stdio_tests", "assert_tests", "scoring", "test_files", "checker", "interactive_tests", "interactive_judge", "files", "response_files", "shared_process", "reference_solution")
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    PREFIX_FIELD_NUMBER: _ClassVar[int]
    ENTRY_POINT_FIELD_NUMBER: _ClassVar[int]
    CALL_TESTS_FIELD_NUMBER: _ClassVar[int]
    STDIO_TESTS_FIELD_NUMBER: _ClassVar[int]
    ASSERT_TESTS_FIELD_NUMBER: _ClassVar[int]
    SCORING_FIELD_NUMBER: _ClassVar[int]
    TEST_FILES_FIELD_NUMBER: _ClassVar[int]
    CHECKER_FIELD_NUMBER: _ClassVar[int]
    INTERACTIVE_TESTS_FIELD_NUMBER: _ClassVar[int]
    INTERACTIVE_JUDGE_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FILES_FIELD_NUMBER: _ClassVar[int]
    SHARED_PROCESS_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_SOLUTION_FIELD_NUMBER: _ClassVar[int]
    language: Language
    prefix: str
    entry_point: str
    call_tests: _containers.RepeatedCompositeFieldContainer[CallTest]
    stdio_tests: _containers.RepeatedCompositeFieldContainer[StdioTest]
    assert_tests: _containers.RepeatedCompositeFieldContainer[AssertTest]
    scoring: TestScoring
    test_files: _containers.RepeatedCompositeFieldContainer[TestFile]
    checker: str
    interactive_tests: _containers.RepeatedCompositeFieldContainer[InteractiveTest]
    interactive_judge: str
    files: _containers.RepeatedCompositeFieldContainer[TaskFile]
    response_files: _containers.RepeatedScalarFieldContainer[str]
    shared_process: bool
    reference_solution: str
    def __init__(self, language: _Optional[_Union[Language, str]] = ..., prefix: _Optional[str] = ..., entry_point: _Optional[str] = ..., call_tests: _Optional[_Iterable[_Union[CallTest, _Mapping]]] = ..., stdio_tests: _Optional[_Iterable[_Union[StdioTest, _Mapping]]] = ..., assert_tests: _Optional[_Iterable[_Union[AssertTest, _Mapping]]] = ..., scoring: _Optional[_Union[TestScoring, str]] = ..., test_files: _Optional[_Iterable[_Union[TestFile, _Mapping]]] = ..., checker: _Optional[str] = ..., interactive_tests: _Optional[_Iterable[_Union[InteractiveTest, _Mapping]]] = ..., interactive_judge: _Optional[str] = ..., files: _Optional[_Iterable[_Union[TaskFile, _Mapping]]] = ..., response_files: _Optional[_Iterable[str]] = ..., shared_process: bool = ..., reference_solution: _Optional[str] = ...) -> None: ...

class TaskFile(_message.Message):
    __slots__ = ("path", "text", "data", "secret")
    PATH_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    path: str
    text: str
    data: bytes
    secret: bool
    def __init__(self, path: _Optional[str] = ..., text: _Optional[str] = ..., data: _Optional[bytes] = ..., secret: bool = ...) -> None: ...

class TestLimits(_message.Message):
    __slots__ = ("cpu_time", "wall_time", "memory_bytes")
    CPU_TIME_FIELD_NUMBER: _ClassVar[int]
    WALL_TIME_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    cpu_time: _duration_pb2.Duration
    wall_time: _duration_pb2.Duration
    memory_bytes: int
    def __init__(self, cpu_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., wall_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., memory_bytes: _Optional[int] = ...) -> None: ...

class InteractiveTest(_message.Message):
    __slots__ = ("name", "data", "max_turns", "weight", "hidden", "limits")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    MAX_TURNS_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    name: str
    data: str
    max_turns: int
    weight: float
    hidden: bool
    limits: TestLimits
    def __init__(self, name: _Optional[str] = ..., data: _Optional[str] = ..., max_turns: _Optional[int] = ..., weight: _Optional[float] = ..., hidden: bool = ..., limits: _Optional[_Union[TestLimits, _Mapping]] = ...) -> None: ...

class CallTest(_message.Message):
    __slots__ = ("name", "function", "args", "kwargs", "expected", "raises", "tolerance", "sequences_match", "weight", "hidden", "limits")
    class KwargsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_FIELD_NUMBER: _ClassVar[int]
    ARGS_FIELD_NUMBER: _ClassVar[int]
    KWARGS_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    RAISES_FIELD_NUMBER: _ClassVar[int]
    TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    SEQUENCES_MATCH_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    name: str
    function: str
    args: _containers.RepeatedScalarFieldContainer[str]
    kwargs: _containers.ScalarMap[str, str]
    expected: str
    raises: str
    tolerance: float
    sequences_match: bool
    weight: float
    hidden: bool
    limits: TestLimits
    def __init__(self, name: _Optional[str] = ..., function: _Optional[str] = ..., args: _Optional[_Iterable[str]] = ..., kwargs: _Optional[_Mapping[str, str]] = ..., expected: _Optional[str] = ..., raises: _Optional[str] = ..., tolerance: _Optional[float] = ..., sequences_match: bool = ..., weight: _Optional[float] = ..., hidden: bool = ..., limits: _Optional[_Union[TestLimits, _Mapping]] = ...) -> None: ...

class StdioTest(_message.Message):
    __slots__ = ("name", "stdin", "expected_stdout", "comparison", "tolerance", "weight", "hidden", "limits")
    NAME_FIELD_NUMBER: _ClassVar[int]
    STDIN_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_STDOUT_FIELD_NUMBER: _ClassVar[int]
    COMPARISON_FIELD_NUMBER: _ClassVar[int]
    TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    name: str
    stdin: str
    expected_stdout: str
    comparison: StdoutComparison
    tolerance: float
    weight: float
    hidden: bool
    limits: TestLimits
    def __init__(self, name: _Optional[str] = ..., stdin: _Optional[str] = ..., expected_stdout: _Optional[str] = ..., comparison: _Optional[_Union[StdoutComparison, str]] = ..., tolerance: _Optional[float] = ..., weight: _Optional[float] = ..., hidden: bool = ..., limits: _Optional[_Union[TestLimits, _Mapping]] = ...) -> None: ...

class AssertTest(_message.Message):
    __slots__ = ("name", "code", "weight", "hidden", "limits")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    name: str
    code: str
    weight: float
    hidden: bool
    limits: TestLimits
    def __init__(self, name: _Optional[str] = ..., code: _Optional[str] = ..., weight: _Optional[float] = ..., hidden: bool = ..., limits: _Optional[_Union[TestLimits, _Mapping]] = ...) -> None: ...

class TestFile(_message.Message):
    __slots__ = ("name", "code", "weight", "hidden")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_FIELD_NUMBER: _ClassVar[int]
    name: str
    code: str
    weight: float
    hidden: bool
    def __init__(self, name: _Optional[str] = ..., code: _Optional[str] = ..., weight: _Optional[float] = ..., hidden: bool = ...) -> None: ...
