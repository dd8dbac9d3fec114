from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class PythonGraderTask(_message.Message):
    __slots__ = ("source", "item")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    ITEM_FIELD_NUMBER: _ClassVar[int]
    source: str
    item: str
    def __init__(self, source: _Optional[str] = ..., item: _Optional[str] = ...) -> None: ...
