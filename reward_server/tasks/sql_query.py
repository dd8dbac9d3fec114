"""The task of `sql_query`; see proto/reward/v1/sql_query.proto for what the fields mean."""

import json
import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from reward_server.errors import InvalidTaskError

MAX_DATABASE_BYTES = 4 << 20
MAX_EXPECTED_CHARACTERS = 1 << 20
MAX_QUERY_CHARACTERS = 100_000
MAX_ALTERNATIVES = 16
_NEED_REFERENCE = "needs `reference_query`"


class RowOrder(StrEnum):
    """Whether the order of rows counts."""

    FROM_REFERENCE = "from_reference"
    ORDERED = "ordered"
    ANY = "any"


class ColumnMatching(StrEnum):
    """How columns are told apart."""

    POSITION = "position"
    NAME = "name"


class DerivedDatabases(StrEnum):
    """What the databases are for that are derived from the first one."""

    FIND_CONSTANTS = "find_constants"
    MUST_AGREE = "must_agree"
    NONE = "none"


class JudgedBy(StrEnum):
    """What is compared."""

    RESULT = "result"
    DATABASE_STATE = "database_state"


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlQueryTask:
    """A query compared with a reference by what it returns or does."""

    database_sql: str = ""
    reference_query: str = ""
    database_file: bytes = b""
    expected_rows: str = ""
    accepted_queries: tuple[str, ...] = ()
    row_order: RowOrder = RowOrder.FROM_REFERENCE
    column_matching: ColumnMatching = ColumnMatching.POSITION
    float_tolerance: float | None = None
    perturbed_databases: tuple[str, ...] = ()
    derived_databases: DerivedDatabases = DerivedDatabases.FIND_CONSTANTS
    dialect: str = ""
    judged_by: JudgedBy = JudgedBy.RESULT
    max_step_ratio: float | None = None

    def __post_init__(self) -> None:
        if bool(self.database_sql) == bool(self.database_file):
            raise InvalidTaskError("database_sql", "exactly one of `database_sql` and `database_file` is to be set")
        if bool(self.reference_query) == bool(self.expected_rows):
            raise InvalidTaskError(
                "reference_query", "exactly one of `reference_query` and `expected_rows` is to be set"
            )
        self._check_sizes()
        self._check_numbers()
        if self.expected_rows:
            self._check_no_reference_needed()
            self.rows()

    def _check_sizes(self) -> None:
        for name in ("accepted_queries", "perturbed_databases"):
            if len(getattr(self, name)) > MAX_ALTERNATIVES:
                raise InvalidTaskError(name, f"{len(getattr(self, name))} entries, at most {MAX_ALTERNATIVES}")
        queries = {f"accepted_queries[{i}]": text for i, text in enumerate(self.accepted_queries)}
        for name, text in {"reference_query": self.reference_query, **queries}.items():
            if len(text) > MAX_QUERY_CHARACTERS:
                raise InvalidTaskError(name, f"{len(text)} characters, at most {MAX_QUERY_CHARACTERS}")
        texts = (self.database_sql, *self.perturbed_databases)
        size = len(self.database_file) + sum(len(text.encode("utf-8", "replace")) for text in texts)
        if size > MAX_DATABASE_BYTES:
            name = "database_sql" if self.database_sql else "database_file"
            raise InvalidTaskError(name, f"{size} bytes of databases, at most {MAX_DATABASE_BYTES}")
        if len(self.expected_rows) > MAX_EXPECTED_CHARACTERS:
            raise InvalidTaskError("expected_rows", f"more than {MAX_EXPECTED_CHARACTERS} characters")

    def _check_numbers(self) -> None:
        tolerance, ratio = self.float_tolerance, self.max_step_ratio
        if tolerance is not None and not (math.isfinite(tolerance) and tolerance >= 0):
            raise InvalidTaskError("float_tolerance", f"{tolerance} is not a finite number >= 0")
        if ratio is not None and not (math.isfinite(ratio) and ratio >= 1):
            raise InvalidTaskError("max_step_ratio", f"{ratio} is not a finite number >= 1")

    def _check_no_reference_needed(self) -> None:
        for name in ("accepted_queries", "perturbed_databases"):
            if getattr(self, name):
                raise InvalidTaskError(name, _NEED_REFERENCE)
        if self.column_matching is ColumnMatching.NAME:
            raise InvalidTaskError("column_matching", _NEED_REFERENCE)
        if self.judged_by is JudgedBy.DATABASE_STATE:
            raise InvalidTaskError("judged_by", _NEED_REFERENCE)
        if self.derived_databases is DerivedDatabases.MUST_AGREE:
            raise InvalidTaskError("derived_databases", _NEED_REFERENCE)
        if self.max_step_ratio is not None:
            raise InvalidTaskError("max_step_ratio", _NEED_REFERENCE)

    def rows(self) -> list[list[Any]]:
        """Return `expected_rows` as rows. Raises `InvalidTaskError`."""
        try:
            rows = json.loads(self.expected_rows)
        except (ValueError, RecursionError) as error:
            raise InvalidTaskError("expected_rows", f"is no JSON: {error}") from None
        if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
            raise InvalidTaskError("expected_rows", "is no array of arrays")
        if len({len(row) for row in rows}) > 1:
            raise InvalidTaskError("expected_rows", "has rows of different lengths")
        if any(
            isinstance(cell, bool) or not isinstance(cell, str | int | float | None) for row in rows for cell in row
        ):
            raise InvalidTaskError("expected_rows", "holds something that is no null, number or string")
        if any(isinstance(cell, float) and not math.isfinite(cell) for row in rows for cell in row):
            raise InvalidTaskError("expected_rows", "holds a number that is not finite")
        return rows
