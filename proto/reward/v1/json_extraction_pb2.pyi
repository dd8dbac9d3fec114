from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class JsonExtractionTask(_message.Message):
    __slots__ = ("schema", "expected")
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    schema: str
    expected: str
    def __init__(self, schema: _Optional[str] = ..., expected: _Optional[str] = ...) -> None: ...
