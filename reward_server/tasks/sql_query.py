"""The task of `sql_query`; see proto/reward/v1/sql_query.proto for what the fields mean."""

import json
import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from reward_server.errors import InvalidTaskError

MAX_DATABASE_BYTES = 8 << 20
MAX_QUERY_CHARACTERS = 100_000
MAX_ALTERNATIVES = 16


class RowOrder(StrEnum):
    """Whether the order of rows counts."""

    FROM_REFERENCE = "from_reference"
    ORDERED = "ordered"
    ANY = "any"


class ColumnMatching(StrEnum):
    """How columns are told apart."""

    POSITION = "position"
    NAME = "name"


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlQueryTask:
    """A query compared with a reference by what it returns."""

    database_sql: str = ""
    reference_query: str = ""
    database_file: bytes = b""
    expected_rows: str = ""
    accepted_queries: tuple[str, ...] = ()
    row_order: RowOrder = RowOrder.FROM_REFERENCE
    column_matching: ColumnMatching = ColumnMatching.POSITION
    float_tolerance: float | None = None
    perturbed_databases: tuple[str, ...] = ()
    without_derived_databases: bool = False
    dialect: str = ""

    def __post_init__(self) -> None:
        if bool(self.database_sql) == bool(self.database_file):
            raise InvalidTaskError("database_sql", "exactly one of `database_sql` and `database_file` is to be set")
        if bool(self.reference_query) == bool(self.expected_rows):
            raise InvalidTaskError(
                "reference_query", "exactly one of `reference_query` and `expected_rows` is to be set"
            )
        for name in ("accepted_queries", "perturbed_databases"):
            if len(getattr(self, name)) > MAX_ALTERNATIVES:
                raise InvalidTaskError(name, f"{len(getattr(self, name))} entries, at most {MAX_ALTERNATIVES}")
        if self.perturbed_databases and not self.reference_query:
            raise InvalidTaskError("perturbed_databases", "needs `reference_query`")
        for name, text in (("database_sql", self.database_sql), ("reference_query", self.reference_query)):
            if len(text) > (MAX_DATABASE_BYTES if name == "database_sql" else MAX_QUERY_CHARACTERS):
                raise InvalidTaskError(name, f"{len(text)} characters are too many")
        if len(self.database_file) > MAX_DATABASE_BYTES:
            raise InvalidTaskError("database_file", f"{len(self.database_file)} bytes, at most {MAX_DATABASE_BYTES}")
        if self.float_tolerance is not None and not (math.isfinite(self.float_tolerance) and self.float_tolerance >= 0):
            raise InvalidTaskError("float_tolerance", f"{self.float_tolerance} is not a finite number >= 0")
        if self.expected_rows:
            self.rows()

    def rows(self) -> list[list[Any]]:
        """Return `expected_rows` as rows. Raises `InvalidTaskError`."""
        try:
            rows = json.loads(self.expected_rows)
        except (ValueError, RecursionError) as error:
            raise InvalidTaskError("expected_rows", f"is no JSON: {error}") from None
        if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
            raise InvalidTaskError("expected_rows", "is no array of arrays")
        if any(not isinstance(cell, str | int | float | None) for row in rows for cell in row):
            raise InvalidTaskError("expected_rows", "holds something that is no null, number or string")
        return rows
