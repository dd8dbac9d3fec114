from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LengthUnit(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LENGTH_UNIT_UNSPECIFIED: _ClassVar[LengthUnit]
    LENGTH_UNIT_CHARACTERS: _ClassVar[LengthUnit]
    LENGTH_UNIT_WORDS: _ClassVar[LengthUnit]
    LENGTH_UNIT_LINES: _ClassVar[LengthUnit]
LENGTH_UNIT_UNSPECIFIED: LengthUnit
LENGTH_UNIT_CHARACTERS: LengthUnit
LENGTH_UNIT_WORDS: LengthUnit
LENGTH_UNIT_LINES: LengthUnit

class ShapingTask(_message.Message):
    __slots__ = ("unit", "visible_only", "length", "overlong", "cosine", "repetition", "scripts", "format")
    UNIT_FIELD_NUMBER: _ClassVar[int]
    VISIBLE_ONLY_FIELD_NUMBER: _ClassVar[int]
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    OVERLONG_FIELD_NUMBER: _ClassVar[int]
    COSINE_FIELD_NUMBER: _ClassVar[int]
    REPETITION_FIELD_NUMBER: _ClassVar[int]
    SCRIPTS_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    unit: LengthUnit
    visible_only: bool
    length: LengthRange
    overlong: SoftOverlong
    cosine: CosineLength
    repetition: Repetition
    scripts: Scripts
    format: FormatRules
    def __init__(self, unit: _Optional[_Union[LengthUnit, str]] = ..., visible_only: bool = ..., length: _Optional[_Union[LengthRange, _Mapping]] = ..., overlong: _Optional[_Union[SoftOverlong, _Mapping]] = ..., cosine: _Optional[_Union[CosineLength, _Mapping]] = ..., repetition: _Optional[_Union[Repetition, _Mapping]] = ..., scripts: _Optional[_Union[Scripts, _Mapping]] = ..., format: _Optional[_Union[FormatRules, _Mapping]] = ...) -> None: ...

class LengthRange(_message.Message):
    __slots__ = ("minimum", "maximum", "margin", "weight")
    MINIMUM_FIELD_NUMBER: _ClassVar[int]
    MAXIMUM_FIELD_NUMBER: _ClassVar[int]
    MARGIN_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    minimum: int
    maximum: int
    margin: int
    weight: float
    def __init__(self, minimum: _Optional[int] = ..., maximum: _Optional[int] = ..., margin: _Optional[int] = ..., weight: _Optional[float] = ...) -> None: ...

class SoftOverlong(_message.Message):
    __slots__ = ("maximum", "buffer", "weight")
    MAXIMUM_FIELD_NUMBER: _ClassVar[int]
    BUFFER_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    maximum: int
    buffer: int
    weight: float
    def __init__(self, maximum: _Optional[int] = ..., buffer: _Optional[int] = ..., weight: _Optional[float] = ...) -> None: ...

class CosineLength(_message.Message):
    __slots__ = ("maximum", "score_at_zero", "score_at_maximum", "weight")
    MAXIMUM_FIELD_NUMBER: _ClassVar[int]
    SCORE_AT_ZERO_FIELD_NUMBER: _ClassVar[int]
    SCORE_AT_MAXIMUM_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    maximum: int
    score_at_zero: float
    score_at_maximum: float
    weight: float
    def __init__(self, maximum: _Optional[int] = ..., score_at_zero: _Optional[float] = ..., score_at_maximum: _Optional[float] = ..., weight: _Optional[float] = ...) -> None: ...

class Repetition(_message.Message):
    __slots__ = ("ngram", "allowed_share", "weight")
    NGRAM_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_SHARE_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    ngram: int
    allowed_share: float
    weight: float
    def __init__(self, ngram: _Optional[int] = ..., allowed_share: _Optional[float] = ..., weight: _Optional[float] = ...) -> None: ...

class Scripts(_message.Message):
    __slots__ = ("allowed", "zero_below", "weight")
    ALLOWED_FIELD_NUMBER: _ClassVar[int]
    ZERO_BELOW_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    allowed: _containers.RepeatedScalarFieldContainer[str]
    zero_below: float
    weight: float
    def __init__(self, allowed: _Optional[_Iterable[str]] = ..., zero_below: _Optional[float] = ..., weight: _Optional[float] = ...) -> None: ...

class FormatRules(_message.Message):
    __slots__ = ("tags", "only_tags", "fenced_block", "fence_language", "boxed", "nothing_after", "only_json", "weight")
    TAGS_FIELD_NUMBER: _ClassVar[int]
    ONLY_TAGS_FIELD_NUMBER: _ClassVar[int]
    FENCED_BLOCK_FIELD_NUMBER: _ClassVar[int]
    FENCE_LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    BOXED_FIELD_NUMBER: _ClassVar[int]
    NOTHING_AFTER_FIELD_NUMBER: _ClassVar[int]
    ONLY_JSON_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    tags: _containers.RepeatedScalarFieldContainer[str]
    only_tags: bool
    fenced_block: bool
    fence_language: str
    boxed: bool
    nothing_after: bool
    only_json: bool
    weight: float
    def __init__(self, tags: _Optional[_Iterable[str]] = ..., only_tags: bool = ..., fenced_block: bool = ..., fence_language: _Optional[str] = ..., boxed: bool = ..., nothing_after: bool = ..., only_json: bool = ..., weight: _Optional[float] = ...) -> None: ...
