from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RowOrder(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROW_ORDER_UNSPECIFIED: _ClassVar[RowOrder]
    ROW_ORDER_FROM_REFERENCE: _ClassVar[RowOrder]
    ROW_ORDER_ORDERED: _ClassVar[RowOrder]
    ROW_ORDER_ANY: _ClassVar[RowOrder]

class ColumnMatching(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COLUMN_MATCHING_UNSPECIFIED: _ClassVar[ColumnMatching]
    COLUMN_MATCHING_POSITION: _ClassVar[ColumnMatching]
    COLUMN_MATCHING_NAME: _ClassVar[ColumnMatching]

class DerivedDatabases(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DERIVED_DATABASES_UNSPECIFIED: _ClassVar[DerivedDatabases]
    DERIVED_DATABASES_FIND_CONSTANTS: _ClassVar[DerivedDatabases]
    DERIVED_DATABASES_MUST_AGREE: _ClassVar[DerivedDatabases]
    DERIVED_DATABASES_NONE: _ClassVar[DerivedDatabases]

class JudgedBy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    JUDGED_BY_UNSPECIFIED: _ClassVar[JudgedBy]
    JUDGED_BY_RESULT: _ClassVar[JudgedBy]
    JUDGED_BY_DATABASE_STATE: _ClassVar[JudgedBy]
ROW_ORDER_UNSPECIFIED: RowOrder
ROW_ORDER_FROM_REFERENCE: RowOrder
ROW_ORDER_ORDERED: RowOrder
ROW_ORDER_ANY: RowOrder
COLUMN_MATCHING_UNSPECIFIED: ColumnMatching
COLUMN_MATCHING_POSITION: ColumnMatching
COLUMN_MATCHING_NAME: ColumnMatching
DERIVED_DATABASES_UNSPECIFIED: DerivedDatabases
DERIVED_DATABASES_FIND_CONSTANTS: DerivedDatabases
DERIVED_DATABASES_MUST_AGREE: DerivedDatabases
DERIVED_DATABASES_NONE: DerivedDatabases
JUDGED_BY_UNSPECIFIED: JudgedBy
JUDGED_BY_RESULT: JudgedBy
JUDGED_BY_DATABASE_STATE: JudgedBy

class SqlQueryTask(_message.Message):
    __slots__ = ("database_sql", "reference_query", "database_file", "expected_rows", "accepted_queries", "row_order", "column_matching", "float_tolerance", "perturbed_databases", "derived_databases", "dialect", "judged_by", "max_step_ratio")
    DATABASE_SQL_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_QUERY_FIELD_NUMBER: _ClassVar[int]
    DATABASE_FILE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_ROWS_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_QUERIES_FIELD_NUMBER: _ClassVar[int]
    ROW_ORDER_FIELD_NUMBER: _ClassVar[int]
    COLUMN_MATCHING_FIELD_NUMBER: _ClassVar[int]
    FLOAT_TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    PERTURBED_DATABASES_FIELD_NUMBER: _ClassVar[int]
    DERIVED_DATABASES_FIELD_NUMBER: _ClassVar[int]
    DIALECT_FIELD_NUMBER: _ClassVar[int]
    JUDGED_BY_FIELD_NUMBER: _ClassVar[int]
    MAX_STEP_RATIO_FIELD_NUMBER: _ClassVar[int]
    database_sql: str
    reference_query: str
    database_file: bytes
    expected_rows: str
    accepted_queries: _containers.RepeatedScalarFieldContainer[str]
    row_order: RowOrder
    column_matching: ColumnMatching
    float_tolerance: float
    perturbed_databases: _containers.RepeatedScalarFieldContainer[str]
    derived_databases: DerivedDatabases
    dialect: str
    judged_by: JudgedBy
    max_step_ratio: float
    def __init__(self, database_sql: _Optional[str] = ..., reference_query: _Optional[str] = ..., database_file: _Optional[bytes] = ..., expected_rows: _Optional[str] = ..., accepted_queries: _Optional[_Iterable[str]] = ..., row_order: _Optional[_Union[RowOrder, str]] = ..., column_matching: _Optional[_Union[ColumnMatching, str]] = ..., float_tolerance: _Optional[float] = ..., perturbed_databases: _Optional[_Iterable[str]] = ..., derived_databases: _Optional[_Union[DerivedDatabases, str]] = ..., dialect: _Optional[str] = ..., judged_by: _Optional[_Union[JudgedBy, str]] = ..., max_step_ratio: _Optional[float] = ...) -> None: ...
