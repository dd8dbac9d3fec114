from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FieldComparison(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FIELD_COMPARISON_UNSPECIFIED: _ClassVar[FieldComparison]
    FIELD_COMPARISON_EXACT: _ClassVar[FieldComparison]
    FIELD_COMPARISON_NUMBER: _ClassVar[FieldComparison]
    FIELD_COMPARISON_DATE: _ClassVar[FieldComparison]
    FIELD_COMPARISON_TEXT: _ClassVar[FieldComparison]
    FIELD_COMPARISON_SIMILARITY: _ClassVar[FieldComparison]
    FIELD_COMPARISON_UNORDERED: _ClassVar[FieldComparison]
    FIELD_COMPARISON_IGNORED: _ClassVar[FieldComparison]
FIELD_COMPARISON_UNSPECIFIED: FieldComparison
FIELD_COMPARISON_EXACT: FieldComparison
FIELD_COMPARISON_NUMBER: FieldComparison
FIELD_COMPARISON_DATE: FieldComparison
FIELD_COMPARISON_TEXT: FieldComparison
FIELD_COMPARISON_SIMILARITY: FieldComparison
FIELD_COMPARISON_UNORDERED: FieldComparison
FIELD_COMPARISON_IGNORED: FieldComparison

class JsonExtractionTask(_message.Message):
    __slots__ = ("schema", "expected", "rules", "check_formats", "extra_field_cost")
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    CHECK_FORMATS_FIELD_NUMBER: _ClassVar[int]
    EXTRA_FIELD_COST_FIELD_NUMBER: _ClassVar[int]
    schema: str
    expected: str
    rules: _containers.RepeatedCompositeFieldContainer[FieldRule]
    check_formats: bool
    extra_field_cost: float
    def __init__(self, schema: _Optional[str] = ..., expected: _Optional[str] = ..., rules: _Optional[_Iterable[_Union[FieldRule, _Mapping]]] = ..., check_formats: bool = ..., extra_field_cost: _Optional[float] = ...) -> None: ...

class FieldRule(_message.Message):
    __slots__ = ("path", "comparison", "tolerance", "weight", "optional")
    PATH_FIELD_NUMBER: _ClassVar[int]
    COMPARISON_FIELD_NUMBER: _ClassVar[int]
    TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    OPTIONAL_FIELD_NUMBER: _ClassVar[int]
    path: str
    comparison: FieldComparison
    tolerance: float
    weight: float
    optional: bool
    def __init__(self, path: _Optional[str] = ..., comparison: _Optional[_Union[FieldComparison, str]] = ..., tolerance: _Optional[float] = ..., weight: _Optional[float] = ..., optional: bool = ...) -> None: ...
