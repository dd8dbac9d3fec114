from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class MathAnswerTask(_message.Message):
    __slots__ = ("expected", "accepted", "tolerance", "decimal_places", "ordered", "ignore_percent", "allow_unevaluated")
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    DECIMAL_PLACES_FIELD_NUMBER: _ClassVar[int]
    ORDERED_FIELD_NUMBER: _ClassVar[int]
    IGNORE_PERCENT_FIELD_NUMBER: _ClassVar[int]
    ALLOW_UNEVALUATED_FIELD_NUMBER: _ClassVar[int]
    expected: str
    accepted: _containers.RepeatedScalarFieldContainer[str]
    tolerance: float
    decimal_places: int
    ordered: bool
    ignore_percent: bool
    allow_unevaluated: bool
    def __init__(self, expected: _Optional[str] = ..., accepted: _Optional[_Iterable[str]] = ..., tolerance: _Optional[float] = ..., decimal_places: _Optional[int] = ..., ordered: bool = ..., ignore_percent: bool = ..., allow_unevaluated: bool = ...) -> None: ...
