"""What a query may do to its connection: read tables, or change rows where the task says so, within bounds."""

import sqlite3

_READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}
_WRITING = {sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE}
FUNCTIONS = frozenset(
    """
    abs avg case cast ceil ceiling changes char coalesce concat concat_ws count cume_dist date datetime degrees
    dense_rank exp first_value floor format glob group_concat hex if ifnull iif instr json json_array json_array_length
    json_extract json_group_array json_group_object json_insert json_object json_patch json_quote json_remove
    json_replace json_set json_type json_valid json_error_position -> ->> julianday lag last_value lead length like
    likelihood likely ln log log10 log2 lower ltrim match max median min mod nth_value ntile nullif octet_length
    percent_rank percentile pi pow power printf quote radians rank replace round row_number rtrim sign soundex sqrt
    strftime string_agg substr substring subtype sum time timediff total total_changes trim trunc typeof unhex unicode
    unixepoch unlikely upper acos acosh asin asinh atan atan2 atanh cos cosh sin sinh tan tanh zeroblob
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
"""SQLite's own functions but those that load code, reach files, speak of the library or draw random numbers."""
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 4 << 20,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 400_000,
    sqlite3.SQLITE_LIMIT_COLUMN: 500,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 200,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 50,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 100_000,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 100,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 100,
    sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 0,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 10,
}
_HEAP_BYTES = 128 << 20
_MAX_STEPS = 100_000_000
_COARSE, _FINE = 10_000, 50
_ACTIONS = {
    getattr(sqlite3, f"SQLITE_{name}"): name.replace("_", " ")
    for name in (
        "ALTER_TABLE", "ANALYZE", "ATTACH", "CREATE_INDEX", "CREATE_TABLE", "CREATE_TEMP_TABLE", "CREATE_TRIGGER",
        "CREATE_VIEW", "DELETE", "DETACH", "DROP_INDEX", "DROP_TABLE", "DROP_TRIGGER", "DROP_VIEW", "FUNCTION",
        "INSERT", "PRAGMA", "REINDEX", "SAVEPOINT", "TRANSACTION", "UPDATE",
    )
}  # fmt: skip


class Confinement:
    """Confines a connection from its making on, and watches what is done through it."""

    def __init__(self, connection: sqlite3.Connection, *, writes: bool, fine_steps: bool) -> None:
        """``fine_steps`` counts the virtual machine's steps in fifties instead of ten thousands."""
        self.denied: list[str] = []
        """What was refused, in words."""
        self.reads: set[str] = set()
        """The tables read."""
        self.steps = 0
        self._allowed = _READING | _WRITING if writes else _READING
        self._grain = _FINE if fine_steps else _COARSE
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        connection.execute(f"PRAGMA foreign_keys = {'ON' if writes else 'OFF'}")
        connection.execute(f"PRAGMA hard_heap_limit = {_HEAP_BYTES}")
        for name, value in _LIMITS.items():
            connection.setlimit(name, value)
        connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
        connection.set_progress_handler(self._progress, self._grain)
        connection.set_authorizer(self._authorize)

    def _progress(self) -> bool:
        self.steps += self._grain
        return self.steps > _MAX_STEPS

    def _authorize(self, action: int, first: str | None, second: str | None, *_: object) -> int:
        if action == sqlite3.SQLITE_READ and first and not first.lower().startswith("sqlite_"):
            self.reads.add(first.lower())
        if action in self._allowed and not (action in _WRITING and (first or "").lower().startswith("sqlite_")):
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in FUNCTIONS:
            return sqlite3.SQLITE_OK
        what = _ACTIONS.get(action, f"action {action}")
        name = second if action == sqlite3.SQLITE_FUNCTION else first
        self.denied.append(f"{what} {name or ''}".strip() + " is not allowed")
        return sqlite3.SQLITE_DENY
