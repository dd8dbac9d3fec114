from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class SqlQueryTask(_message.Message):
    __slots__ = ("database_sql", "reference_query")
    DATABASE_SQL_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_QUERY_FIELD_NUMBER: _ClassVar[int]
    database_sql: str
    reference_query: str
    def __init__(self, database_sql: _Optional[str] = ..., reference_query: _Optional[str] = ...) -> None: ...
