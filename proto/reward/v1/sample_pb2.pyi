import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from reward.v1 import code_tests_pb2 as _code_tests_pb2
from reward.v1 import composite_pb2 as _composite_pb2
from reward.v1 import json_extraction_pb2 as _json_extraction_pb2
from reward.v1 import math_answer_pb2 as _math_answer_pb2
from reward.v1 import model_judge_pb2 as _model_judge_pb2
from reward.v1 import python_grader_pb2 as _python_grader_pb2
from reward.v1 import shaping_pb2 as _shaping_pb2
from reward.v1 import sql_query_pb2 as _sql_query_pb2
from reward.v1 import text_match_pb2 as _text_match_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Task(_message.Message):
    __slots__ = ("task_id", "limits", "code_tests", "sql_query", "math_answer", "json_extraction", "text_match", "model_judge", "python_grader", "composite", "shaping")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    CODE_TESTS_FIELD_NUMBER: _ClassVar[int]
    SQL_QUERY_FIELD_NUMBER: _ClassVar[int]
    MATH_ANSWER_FIELD_NUMBER: _ClassVar[int]
    JSON_EXTRACTION_FIELD_NUMBER: _ClassVar[int]
    TEXT_MATCH_FIELD_NUMBER: _ClassVar[int]
    MODEL_JUDGE_FIELD_NUMBER: _ClassVar[int]
    PYTHON_GRADER_FIELD_NUMBER: _ClassVar[int]
    COMPOSITE_FIELD_NUMBER: _ClassVar[int]
    SHAPING_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    limits: Limits
    code_tests: _code_tests_pb2.CodeTestsTask
    sql_query: _sql_query_pb2.SqlQueryTask
    math_answer: _math_answer_pb2.MathAnswerTask
    json_extraction: _json_extraction_pb2.JsonExtractionTask
    text_match: _text_match_pb2.TextMatchTask
    model_judge: _model_judge_pb2.ModelJudgeTask
    python_grader: _python_grader_pb2.PythonGraderTask
    composite: _composite_pb2.CompositeTask
    shaping: _shaping_pb2.ShapingTask
    def __init__(self, task_id: _Optional[str] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., code_tests: _Optional[_Union[_code_tests_pb2.CodeTestsTask, _Mapping]] = ..., sql_query: _Optional[_Union[_sql_query_pb2.SqlQueryTask, _Mapping]] = ..., math_answer: _Optional[_Union[_math_answer_pb2.MathAnswerTask, _Mapping]] = ..., json_extraction: _Optional[_Union[_json_extraction_pb2.JsonExtractionTask, _Mapping]] = ..., text_match: _Optional[_Union[_text_match_pb2.TextMatchTask, _Mapping]] = ..., model_judge: _Optional[_Union[_model_judge_pb2.ModelJudgeTask, _Mapping]] = ..., python_grader: _Optional[_Union[_python_grader_pb2.PythonGraderTask, _Mapping]] = ..., composite: _Optional[_Union[_composite_pb2.CompositeTask, _Mapping]] = ..., shaping: _Optional[_Union[_shaping_pb2.ShapingTask, _Mapping]] = ...) -> None: ...

class Sample(_message.Message):
    __slots__ = ("sample_id", "task_id", "response", "limits")
    SAMPLE_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    sample_id: str
    task_id: str
    response: str
    limits: Limits
    def __init__(self, sample_id: _Optional[str] = ..., task_id: _Optional[str] = ..., response: _Optional[str] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ...) -> None: ...

class TaskRecord(_message.Message):
    __slots__ = ("task", "prompt", "samples")
    TASK_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    task: Task
    prompt: _containers.RepeatedCompositeFieldContainer[ChatMessage]
    samples: _containers.RepeatedCompositeFieldContainer[Sample]
    def __init__(self, task: _Optional[_Union[Task, _Mapping]] = ..., prompt: _Optional[_Iterable[_Union[ChatMessage, _Mapping]]] = ..., samples: _Optional[_Iterable[_Union[Sample, _Mapping]]] = ...) -> None: ...

class ChatMessage(_message.Message):
    __slots__ = ("role", "content")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    role: str
    content: str
    def __init__(self, role: _Optional[str] = ..., content: _Optional[str] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("cpu_time", "wall_time", "total_time", "memory_bytes", "output_bytes", "processes", "file_bytes")
    CPU_TIME_FIELD_NUMBER: _ClassVar[int]
    WALL_TIME_FIELD_NUMBER: _ClassVar[int]
    TOTAL_TIME_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_BYTES_FIELD_NUMBER: _ClassVar[int]
    PROCESSES_FIELD_NUMBER: _ClassVar[int]
    FILE_BYTES_FIELD_NUMBER: _ClassVar[int]
    cpu_time: _duration_pb2.Duration
    wall_time: _duration_pb2.Duration
    total_time: _duration_pb2.Duration
    memory_bytes: int
    output_bytes: int
    processes: int
    file_bytes: int
    def __init__(self, cpu_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., wall_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., total_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., memory_bytes: _Optional[int] = ..., output_bytes: _Optional[int] = ..., processes: _Optional[int] = ..., file_bytes: _Optional[int] = ...) -> None: ...
