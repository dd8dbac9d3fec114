from reward.v1 import code_tests_pb2 as _code_tests_pb2
from reward.v1 import json_extraction_pb2 as _json_extraction_pb2
from reward.v1 import math_answer_pb2 as _math_answer_pb2
from reward.v1 import model_judge_pb2 as _model_judge_pb2
from reward.v1 import python_grader_pb2 as _python_grader_pb2
from reward.v1 import shaping_pb2 as _shaping_pb2
from reward.v1 import sql_query_pb2 as _sql_query_pb2
from reward.v1 import text_match_pb2 as _text_match_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Combination(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COMBINATION_UNSPECIFIED: _ClassVar[Combination]
    COMBINATION_WEIGHTED_MEAN: _ClassVar[Combination]
    COMBINATION_MINIMUM: _ClassVar[Combination]
    COMBINATION_PRODUCT: _ClassVar[Combination]
    COMBINATION_FORMULA: _ClassVar[Combination]
COMBINATION_UNSPECIFIED: Combination
COMBINATION_WEIGHTED_MEAN: Combination
COMBINATION_MINIMUM: Combination
COMBINATION_PRODUCT: Combination
COMBINATION_FORMULA: Combination

class CompositeTask(_message.Message):
    __slots__ = ("parts", "combination", "formula")
    PARTS_FIELD_NUMBER: _ClassVar[int]
    COMBINATION_FIELD_NUMBER: _ClassVar[int]
    FORMULA_FIELD_NUMBER: _ClassVar[int]
    parts: _containers.RepeatedCompositeFieldContainer[CompositePart]
    combination: Combination
    formula: str
    def __init__(self, parts: _Optional[_Iterable[_Union[CompositePart, _Mapping]]] = ..., combination: _Optional[_Union[Combination, str]] = ..., formula: _Optional[str] = ...) -> None: ...

class CompositePart(_message.Message):
    __slots__ = ("name", "weight", "gate", "gate_at", "code_tests", "sql_query", "math_answer", "json_extraction", "text_match", "model_judge", "python_grader", "composite", "shaping")
    NAME_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    GATE_FIELD_NUMBER: _ClassVar[int]
    GATE_AT_FIELD_NUMBER: _ClassVar[int]
    CODE_TESTS_FIELD_NUMBER: _ClassVar[int]
    SQL_QUERY_FIELD_NUMBER: _ClassVar[int]
    MATH_ANSWER_FIELD_NUMBER: _ClassVar[int]
    JSON_EXTRACTION_FIELD_NUMBER: _ClassVar[int]
    TEXT_MATCH_FIELD_NUMBER: _ClassVar[int]
    MODEL_JUDGE_FIELD_NUMBER: _ClassVar[int]
    PYTHON_GRADER_FIELD_NUMBER: _ClassVar[int]
    COMPOSITE_FIELD_NUMBER: _ClassVar[int]
    SHAPING_FIELD_NUMBER: _ClassVar[int]
    name: str
    weight: float
    gate: bool
    gate_at: float
    code_tests: _code_tests_pb2.CodeTestsTask
    sql_query: _sql_query_pb2.SqlQueryTask
    math_answer: _math_answer_pb2.MathAnswerTask
    json_extraction: _json_extraction_pb2.JsonExtractionTask
    text_match: _text_match_pb2.TextMatchTask
    model_judge: _model_judge_pb2.ModelJudgeTask
    python_grader: _python_grader_pb2.PythonGraderTask
    composite: CompositeTask
    shaping: _shaping_pb2.ShapingTask
    def __init__(self, name: _Optional[str] = ..., weight: _Optional[float] = ..., gate: bool = ..., gate_at: _Optional[float] = ..., code_tests: _Optional[_Union[_code_tests_pb2.CodeTestsTask, _Mapping]] = ..., sql_query: _Optional[_Union[_sql_query_pb2.SqlQueryTask, _Mapping]] = ..., math_answer: _Optional[_Union[_math_answer_pb2.MathAnswerTask, _Mapping]] = ..., json_extraction: _Optional[_Union[_json_extraction_pb2.JsonExtractionTask, _Mapping]] = ..., text_match: _Optional[_Union[_text_match_pb2.TextMatchTask, _Mapping]] = ..., model_judge: _Optional[_Union[_model_judge_pb2.ModelJudgeTask, _Mapping]] = ..., python_grader: _Optional[_Union[_python_grader_pb2.PythonGraderTask, _Mapping]] = ..., composite: _Optional[_Union[CompositeTask, _Mapping]] = ..., shaping: _Optional[_Union[_shaping_pb2.ShapingTask, _Mapping]] = ...) -> None: ...
