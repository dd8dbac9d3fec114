from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TextMeasure(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TEXT_MEASURE_UNSPECIFIED: _ClassVar[TextMeasure]
    TEXT_MEASURE_EQUAL: _ClassVar[TextMeasure]
    TEXT_MEASURE_CONTAINS: _ClassVar[TextMeasure]
    TEXT_MEASURE_STARTS_WITH: _ClassVar[TextMeasure]
    TEXT_MEASURE_ENDS_WITH: _ClassVar[TextMeasure]
    TEXT_MEASURE_REGEX: _ClassVar[TextMeasure]
    TEXT_MEASURE_EDIT_SIMILARITY: _ClassVar[TextMeasure]
    TEXT_MEASURE_SORTED_WORDS: _ClassVar[TextMeasure]
    TEXT_MEASURE_WORD_F1: _ClassVar[TextMeasure]
    TEXT_MEASURE_BLEU: _ClassVar[TextMeasure]
    TEXT_MEASURE_CHRF: _ClassVar[TextMeasure]
    TEXT_MEASURE_ROUGE_1: _ClassVar[TextMeasure]
    TEXT_MEASURE_ROUGE_2: _ClassVar[TextMeasure]
    TEXT_MEASURE_ROUGE_L: _ClassVar[TextMeasure]

class TextSubject(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TEXT_SUBJECT_UNSPECIFIED: _ClassVar[TextSubject]
    TEXT_SUBJECT_VISIBLE: _ClassVar[TextSubject]
    TEXT_SUBJECT_FINAL_ANSWER: _ClassVar[TextSubject]
    TEXT_SUBJECT_RAW: _ClassVar[TextSubject]
TEXT_MEASURE_UNSPECIFIED: TextMeasure
TEXT_MEASURE_EQUAL: TextMeasure
TEXT_MEASURE_CONTAINS: TextMeasure
TEXT_MEASURE_STARTS_WITH: TextMeasure
TEXT_MEASURE_ENDS_WITH: TextMeasure
TEXT_MEASURE_REGEX: TextMeasure
TEXT_MEASURE_EDIT_SIMILARITY: TextMeasure
TEXT_MEASURE_SORTED_WORDS: TextMeasure
TEXT_MEASURE_WORD_F1: TextMeasure
TEXT_MEASURE_BLEU: TextMeasure
TEXT_MEASURE_CHRF: TextMeasure
TEXT_MEASURE_ROUGE_1: TextMeasure
TEXT_MEASURE_ROUGE_2: TextMeasure
TEXT_MEASURE_ROUGE_L: TextMeasure
TEXT_SUBJECT_UNSPECIFIED: TextSubject
TEXT_SUBJECT_VISIBLE: TextSubject
TEXT_SUBJECT_FINAL_ANSWER: TextSubject
TEXT_SUBJECT_RAW: TextSubject

class TextMatchTask(_message.Message):
    __slots__ = ("expected", "accepted", "measure", "subject", "ignore_case", "ignore_punctuation", "ignore_articles", "keep_white_space", "zero_below", "full_from", "forbidden")
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    IGNORE_CASE_FIELD_NUMBER: _ClassVar[int]
    IGNORE_PUNCTUATION_FIELD_NUMBER: _ClassVar[int]
    IGNORE_ARTICLES_FIELD_NUMBER: _ClassVar[int]
    KEEP_WHITE_SPACE_FIELD_NUMBER: _ClassVar[int]
    ZERO_BELOW_FIELD_NUMBER: _ClassVar[int]
    FULL_FROM_FIELD_NUMBER: _ClassVar[int]
    FORBIDDEN_FIELD_NUMBER: _ClassVar[int]
    expected: str
    accepted: _containers.RepeatedScalarFieldContainer[str]
    measure: TextMeasure
    subject: TextSubject
    ignore_case: bool
    ignore_punctuation: bool
    ignore_articles: bool
    keep_white_space: bool
    zero_below: float
    full_from: float
    forbidden: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, expected: _Optional[str] = ..., accepted: _Optional[_Iterable[str]] = ..., measure: _Optional[_Union[TextMeasure, str]] = ..., subject: _Optional[_Union[TextSubject, str]] = ..., ignore_case: bool = ..., ignore_punctuation: bool = ..., ignore_articles: bool = ..., keep_white_space: bool = ..., zero_below: _Optional[float] = ..., full_from: _Optional[float] = ..., forbidden: _Optional[_Iterable[str]] = ...) -> None: ...
