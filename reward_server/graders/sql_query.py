"""Grades SQL by what it returns or does: equal results are right, a wrong query gets credit for what is right in it."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from reward_server.errors import InvalidTaskError
from reward_server.graders.answers import extract_code
from reward_server.graders.base import REFERENCES, RESPONSES
from reward_server.graders.sql_comparison import DEFAULT_TOLERANCE, Table, overlap, same, shared_columns
from reward_server.graders.sql_credit import (
    Comparison,
    accepted,
    failed_run,
    partly_right,
    untranslatable,
    written_down,
)
from reward_server.graders.sql_derived import disagreement, is_written_down
from reward_server.tasks.sql_query import (
    MAX_QUERY_CHARACTERS,
    ColumnMatching,
    DerivedDatabases,
    JudgedBy,
    RowOrder,
    SqlQueryTask,
)
from reward_server.verdict import Flag, Ruling, Verdict
from sandboxes.base import Execution, Job, Limits

_LANGUAGES = ("sql", "sqlite", "sqlite3", "postgresql", "postgres", "mysql")
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table'"
_ENDINGS = {"cpu_limit": "time", "wall_limit": "time", "memory_limit": "memory", "output_limit": "output"}


class SqlQuery:
    """Implements `Grader` for `SqlQueryTask`."""

    name = "sql_query"
    version = "4"
    languages = ("sqlite",)

    def prepare(self, task: SqlQueryTask, limits: Limits) -> Job:
        """Run the references, before any response and apart from all of them."""
        queries = [task.reference_query, *task.accepted_queries] if task.reference_query else [_TABLES]
        return _job(task, queries, limits, reference=True)

    def plan(self, task: SqlQueryTask, response: str, limits: Limits) -> Job | Verdict:
        """Run the response's query."""
        query = (extract_code(response, _LANGUAGES).text or "").strip().rstrip("; \t\r\n")
        if not query:
            return Verdict(score=0.0, ruling=Ruling.NO_ANSWER, summary="The response contains no query.")
        if len(query) > MAX_QUERY_CHARACTERS:
            return Verdict(score=0.0, ruling=Ruling.OUTPUT_LIMIT, summary=f"The query has {len(query)} characters.")
        return _job(task, [query.encode("utf-8", "replace").decode("utf-8")], limits, reference=False)

    def judge(self, task: SqlQueryTask, job: Job, execution: Execution, reference: Execution | None) -> Verdict:
        """Compare the response's results with each reference's; the best match counts."""
        del job
        references = _references(task, reference)
        if not execution.report:
            kind = _ENDINGS.get(execution.ending.value, "runtime")
            verdict = failed_run(
                kind, execution.stderr.strip()[-300:] or f"the run ended: {execution.ending}", None, None
            )
        else:
            report: Any = execution.report
            verdicts = [_verdict(task, report["queries"][0], expected) for expected in references]
            verdict = max(verdicts, key=lambda candidate: candidate.score)
        flags = tuple(Flag(name, detail) for name, detail in execution.flags)
        return replace(verdict, flags=verdict.flags + flags)


GRADER = SqlQuery()


def _job(task: SqlQueryTask, queries: list[str], limits: Limits, *, reference: bool) -> Job:
    first = {"sql": _packed(task.database_sql)} if task.database_sql else {"file": _base64(task.database_file)}
    payload: dict[str, Any] = {
        "databases": [first, *({"sql": _packed(text)} for text in task.perturbed_databases)],
        "derive": task.derived_databases is not DerivedDatabases.NONE and bool(task.reference_query),
        "queries": queries,
        "dialect": task.dialect.strip().lower(),
        "writes": task.judged_by is JudgedBy.DATABASE_STATE,
        "count_steps": task.max_step_ratio is not None,
        "reference": reference,
    }
    return Job(program="sql_query", payload=payload, limits=limits, company=REFERENCES if reference else RESPONSES)


def _packed(text: str) -> str:
    return _base64(text.encode("utf-8", "replace"))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _references(task: SqlQueryTask, reference: Execution | None) -> Sequence[Mapping[str, Any]]:
    """Return what is expected, one entry per accepted query. Raises `InvalidTaskError` when a reference fails."""
    report: Any = reference.report if reference else {}
    if reference is None or "queries" not in report:
        raise InvalidTaskError(*_why_nothing_ran(task, reference))
    queries: Sequence[Mapping[str, Any]] = report["queries"]
    for i, query in enumerate(queries):
        for j, result in enumerate(query["results"]):
            if "error" in result:
                where = f" on perturbed_databases[{j - 1}]" if j else ""
                field = f"accepted_queries[{i - 1}]" if i else "reference_query" if task.reference_query else "dialect"
                raise InvalidTaskError(field, f"fails{where}: {result['error']}")
    return queries if task.reference_query else [_expected_rows(task, queries[0]["results"][0])]


def _expected_rows(task: SqlQueryTask, names: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the task's rows as a reference's report; ``names`` is the result with the names of the tables."""
    rows = task.rows()
    table = {"columns": [""] * len(rows[0]) if rows else None, "rows": rows}
    result = {"tables": {"": table}, "reads": names["tables"][""]["rows"], "steps": 0}
    return {"results": [result], "derived": {}, "features": None, "literals": []}


def _why_nothing_ran(task: SqlQueryTask, reference: Execution | None) -> tuple[str, str]:
    field = "database_sql" if task.database_sql else "database_file"
    if reference is None:
        return field, "its reference has not been run"
    if reference.ending.value in _ENDINGS:
        return "reference_query", f"ran into a limit: {reference.ending}"
    return field, f"the database cannot be built: {reference.stderr.strip().rpartition(chr(10))[2]}"


def _verdict(task: SqlQueryTask, answer: Mapping[str, Any], expected: Mapping[str, Any]) -> Verdict:
    """Return the verdict on a response measured by one of the references."""
    results: Sequence[Mapping[str, Any]] = answer["results"]
    for result in results:
        if result.get("kind") == "untranslatable":
            return untranslatable(result["error"])
        if "error" in result:
            return failed_run(result["kind"], result["error"], answer["features"], expected["features"])
    ordered = _is_ordered(task, expected)
    compared = [
        _compared(task, mine, theirs, ordered=ordered)
        for mine, theirs in zip(results, expected["results"], strict=True)
    ]
    if _finds_constants(task) and (why := is_written_down(answer, expected, overlaps=compared[0].f1 > 0.0)):
        return written_down(why, compared)
    wrong = next((i for i, comparison in enumerate(compared) if not comparison.equal), None)
    if wrong is not None:
        where = f" on perturbed database {wrong - 1}" if wrong else ""
        worst = min((comparison for comparison in compared if not comparison.equal), key=lambda one: one.f1)
        return partly_right(worst, where, answer["features"], expected["features"], hardcoded=wrong > 0)
    if task.derived_databases is DerivedDatabases.MUST_AGREE:
        for name, mine, theirs in disagreement(answer, expected):
            comparison = _compared(task, mine, theirs, ordered=ordered)
            if not comparison.equal:
                where = f" on the derived database {name}"
                return partly_right(comparison, where, answer["features"], expected["features"], hardcoded=True)
    return accepted(compared[0], results[0]["steps"], expected["results"][0]["steps"], task.max_step_ratio)


def _finds_constants(task: SqlQueryTask) -> bool:
    """Return whether constants are looked for; a statement that changes rows may well name their values."""
    return task.derived_databases is not DerivedDatabases.NONE and task.judged_by is JudgedBy.RESULT


def _is_ordered(task: SqlQueryTask, expected: Mapping[str, Any]) -> bool:
    if task.judged_by is JudgedBy.DATABASE_STATE:
        return False
    if task.row_order is RowOrder.FROM_REFERENCE:
        return bool(expected.get("ordered", False))
    return task.row_order is RowOrder.ORDERED


def _compared(task: SqlQueryTask, mine: Mapping[str, Any], theirs: Mapping[str, Any], *, ordered: bool) -> Comparison:
    """Compare two results of the same database: one table, or all that the database holds afterwards."""
    ties = theirs.get("ties") if task.row_order is RowOrder.FROM_REFERENCE else None
    comparisons = [
        _compared_tables(task, mine.get("tables", {}).get(name), table, ties, ordered=ordered)
        for name, table in theirs["tables"].items()
    ]
    return min(comparisons, key=lambda one: (one.equal, one.f1), default=Comparison(equal=True))


def _compared_tables(task: SqlQueryTask, mine: Any, theirs: Any, ties: Any, *, ordered: bool) -> Comparison:
    if mine is None:
        return Comparison(equal=False, expected_width=len(theirs["columns"]), expected_rows=len(theirs["rows"]))
    actual = Table.of(mine)
    # where no rows are expected, and no reference names columns, any number of columns will do
    expected = Table(actual.columns, ()) if theirs["columns"] is None else Table.of(theirs, ties)
    names_fit = True
    if task.column_matching is ColumnMatching.NAME:
        arranged = actual.arranged(expected.columns)
        names_fit, actual = arranged is not None, arranged or actual
    tolerance = DEFAULT_TOLERANCE if task.float_tolerance is None else task.float_tolerance
    if names_fit and len(actual.columns) == len(expected.columns) and actual.rows == expected.rows:
        return _identical(actual, ordered=ordered)
    precision, recall = overlap(actual, expected, tolerance)
    return Comparison(
        equal=names_fit
        and (ordered or precision == recall == 1.0)
        and same(actual, expected, ordered=ordered, tolerance=tolerance),
        ordered=ordered,
        names_fit=names_fit,
        width=len(actual.columns),
        expected_width=len(expected.columns),
        shared_columns=shared_columns(actual, expected),
        rows=len(actual.rows),
        expected_rows=len(expected.rows),
        precision=precision,
        recall=recall,
    )


def _identical(table: Table, *, ordered: bool) -> Comparison:
    """Return the comparison of a table with one of the same cells, which needs no matching."""
    width, rows = len(table.columns), len(table.rows)
    return Comparison(
        equal=True,
        ordered=ordered,
        width=width,
        expected_width=width,
        shared_columns=width,
        rows=rows,
        expected_rows=rows,
        precision=1.0,
        recall=1.0,
    )
