from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class OnError(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ON_ERROR_UNSPECIFIED: _ClassVar[OnError]
    ON_ERROR_BY_PROBES: _ClassVar[OnError]
    ON_ERROR_ZERO: _ClassVar[OnError]
    ON_ERROR_INVALID_TASK: _ClassVar[OnError]
ON_ERROR_UNSPECIFIED: OnError
ON_ERROR_BY_PROBES: OnError
ON_ERROR_ZERO: OnError
ON_ERROR_INVALID_TASK: OnError

class PythonGraderTask(_message.Message):
    __slots__ = ("source", "item", "on_error", "working_response")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    ON_ERROR_FIELD_NUMBER: _ClassVar[int]
    WORKING_RESPONSE_FIELD_NUMBER: _ClassVar[int]
    source: str
    item: str
    on_error: OnError
    working_response: str
    def __init__(self, source: _Optional[str] = ..., item: _Optional[str] = ..., on_error: _Optional[_Union[OnError, str]] = ..., working_response: _Optional[str] = ...) -> None: ...
