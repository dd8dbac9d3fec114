from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MathForm(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MATH_FORM_UNSPECIFIED: _ClassVar[MathForm]
    MATH_FORM_EVALUATED: _ClassVar[MathForm]
    MATH_FORM_ANY: _ClassVar[MathForm]
    MATH_FORM_EXACT: _ClassVar[MathForm]
    MATH_FORM_SIMPLIFIED: _ClassVar[MathForm]
    MATH_FORM_FACTORED: _ClassVar[MathForm]
    MATH_FORM_EXPANDED: _ClassVar[MathForm]
    MATH_FORM_DECIMAL: _ClassVar[MathForm]

class MathPercent(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MATH_PERCENT_UNSPECIFIED: _ClassVar[MathPercent]
    MATH_PERCENT_FACTOR: _ClassVar[MathPercent]
    MATH_PERCENT_IGNORED: _ClassVar[MathPercent]
    MATH_PERCENT_OPTIONAL: _ClassVar[MathPercent]

class MathLocale(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MATH_LOCALE_UNSPECIFIED: _ClassVar[MathLocale]
    MATH_LOCALE_POINT: _ClassVar[MathLocale]
    MATH_LOCALE_COMMA: _ClassVar[MathLocale]
MATH_FORM_UNSPECIFIED: MathForm
MATH_FORM_EVALUATED: MathForm
MATH_FORM_ANY: MathForm
MATH_FORM_EXACT: MathForm
MATH_FORM_SIMPLIFIED: MathForm
MATH_FORM_FACTORED: MathForm
MATH_FORM_EXPANDED: MathForm
MATH_FORM_DECIMAL: MathForm
MATH_PERCENT_UNSPECIFIED: MathPercent
MATH_PERCENT_FACTOR: MathPercent
MATH_PERCENT_IGNORED: MathPercent
MATH_PERCENT_OPTIONAL: MathPercent
MATH_LOCALE_UNSPECIFIED: MathLocale
MATH_LOCALE_POINT: MathLocale
MATH_LOCALE_COMMA: MathLocale

class MathAnswerTask(_message.Message):
    __slots__ = ("expected", "accepted", "tolerance", "decimal_places", "ordered", "percent", "form", "locale", "unit_required", "choices", "steps", "steps_share", "givens")
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    DECIMAL_PLACES_FIELD_NUMBER: _ClassVar[int]
    ORDERED_FIELD_NUMBER: _ClassVar[int]
    PERCENT_FIELD_NUMBER: _ClassVar[int]
    FORM_FIELD_NUMBER: _ClassVar[int]
    LOCALE_FIELD_NUMBER: _ClassVar[int]
    UNIT_REQUIRED_FIELD_NUMBER: _ClassVar[int]
    CHOICES_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    STEPS_SHARE_FIELD_NUMBER: _ClassVar[int]
    GIVENS_FIELD_NUMBER: _ClassVar[int]
    expected: str
    accepted: _containers.RepeatedScalarFieldContainer[str]
    tolerance: float
    decimal_places: int
    ordered: bool
    percent: MathPercent
    form: MathForm
    locale: MathLocale
    unit_required: bool
    choices: _containers.RepeatedScalarFieldContainer[str]
    steps: bool
    steps_share: float
    givens: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, expected: _Optional[str] = ..., accepted: _Optional[_Iterable[str]] = ..., tolerance: _Optional[float] = ..., decimal_places: _Optional[int] = ..., ordered: bool = ..., percent: _Optional[_Union[MathPercent, str]] = ..., form: _Optional[_Union[MathForm, str]] = ..., locale: _Optional[_Union[MathLocale, str]] = ..., unit_required: bool = ..., choices: _Optional[_Iterable[str]] = ..., steps: bool = ..., steps_share: _Optional[float] = ..., givens: _Optional[_Iterable[str]] = ...) -> None: ...
