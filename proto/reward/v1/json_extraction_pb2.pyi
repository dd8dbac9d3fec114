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
    FIELD_COMPARISON_WHOLE: _ClassVar[FieldComparison]
    FIELD_COMPARISON_IGNORED: _ClassVar[FieldComparison]

class FieldSimilarity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FIELD_SIMILARITY_UNSPECIFIED: _ClassVar[FieldSimilarity]
    FIELD_SIMILARITY_LEVENSHTEIN: _ClassVar[FieldSimilarity]
    FIELD_SIMILARITY_INDEL: _ClassVar[FieldSimilarity]
    FIELD_SIMILARITY_JARO_WINKLER: _ClassVar[FieldSimilarity]
    FIELD_SIMILARITY_SORTED_WORDS: _ClassVar[FieldSimilarity]
    FIELD_SIMILARITY_WORD_F1: _ClassVar[FieldSimilarity]

class SchemaVersion(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SCHEMA_VERSION_UNSPECIFIED: _ClassVar[SchemaVersion]
    SCHEMA_VERSION_DRAFT_4: _ClassVar[SchemaVersion]
    SCHEMA_VERSION_DRAFT_6: _ClassVar[SchemaVersion]
    SCHEMA_VERSION_DRAFT_7: _ClassVar[SchemaVersion]
    SCHEMA_VERSION_DRAFT_2019_09: _ClassVar[SchemaVersion]
    SCHEMA_VERSION_DRAFT_2020_12: _ClassVar[SchemaVersion]
FIELD_COMPARISON_UNSPECIFIED: FieldComparison
FIELD_COMPARISON_EXACT: FieldComparison
FIELD_COMPARISON_NUMBER: FieldComparison
FIELD_COMPARISON_DATE: FieldComparison
FIELD_COMPARISON_TEXT: FieldComparison
FIELD_COMPARISON_SIMILARITY: FieldComparison
FIELD_COMPARISON_WHOLE: FieldComparison
FIELD_COMPARISON_IGNORED: FieldComparison
FIELD_SIMILARITY_UNSPECIFIED: FieldSimilarity
FIELD_SIMILARITY_LEVENSHTEIN: FieldSimilarity
FIELD_SIMILARITY_INDEL: FieldSimilarity
FIELD_SIMILARITY_JARO_WINKLER: FieldSimilarity
FIELD_SIMILARITY_SORTED_WORDS: FieldSimilarity
FIELD_SIMILARITY_WORD_F1: FieldSimilarity
SCHEMA_VERSION_UNSPECIFIED: SchemaVersion
SCHEMA_VERSION_DRAFT_4: SchemaVersion
SCHEMA_VERSION_DRAFT_6: SchemaVersion
SCHEMA_VERSION_DRAFT_7: SchemaVersion
SCHEMA_VERSION_DRAFT_2019_09: SchemaVersion
SCHEMA_VERSION_DRAFT_2020_12: SchemaVersion

class JsonExtractionTask(_message.Message):
    __slots__ = ("schema", "expected", "rules", "check_formats", "draft", "schema_cost", "extra_field_weight", "null_is_absent")
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    CHECK_FORMATS_FIELD_NUMBER: _ClassVar[int]
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_COST_FIELD_NUMBER: _ClassVar[int]
    EXTRA_FIELD_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    NULL_IS_ABSENT_FIELD_NUMBER: _ClassVar[int]
    schema: str
    expected: str
    rules: _containers.RepeatedCompositeFieldContainer[FieldRule]
    check_formats: bool
    draft: SchemaVersion
    schema_cost: float
    extra_field_weight: float
    null_is_absent: bool
    def __init__(self, schema: _Optional[str] = ..., expected: _Optional[str] = ..., rules: _Optional[_Iterable[_Union[FieldRule, _Mapping]]] = ..., check_formats: bool = ..., draft: _Optional[_Union[SchemaVersion, str]] = ..., schema_cost: _Optional[float] = ..., extra_field_weight: _Optional[float] = ..., null_is_absent: bool = ...) -> None: ...

class FieldRule(_message.Message):
    __slots__ = ("path", "comparison", "relative_tolerance", "absolute_tolerance", "decimal_comma", "day_first", "measure", "min_similarity", "unordered", "weight", "optional", "also_accepted")
    PATH_FIELD_NUMBER: _ClassVar[int]
    COMPARISON_FIELD_NUMBER: _ClassVar[int]
    RELATIVE_TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    ABSOLUTE_TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    DECIMAL_COMMA_FIELD_NUMBER: _ClassVar[int]
    DAY_FIRST_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    MIN_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    UNORDERED_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    OPTIONAL_FIELD_NUMBER: _ClassVar[int]
    ALSO_ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    path: str
    comparison: FieldComparison
    relative_tolerance: float
    absolute_tolerance: float
    decimal_comma: bool
    day_first: bool
    measure: FieldSimilarity
    min_similarity: float
    unordered: bool
    weight: float
    optional: bool
    also_accepted: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, path: _Optional[str] = ..., comparison: _Optional[_Union[FieldComparison, str]] = ..., relative_tolerance: _Optional[float] = ..., absolute_tolerance: _Optional[float] = ..., decimal_comma: bool = ..., day_first: bool = ..., measure: _Optional[_Union[FieldSimilarity, str]] = ..., min_similarity: _Optional[float] = ..., unordered: bool = ..., weight: _Optional[float] = ..., optional: bool = ..., also_accepted: _Optional[_Iterable[str]] = ...) -> None: ...
