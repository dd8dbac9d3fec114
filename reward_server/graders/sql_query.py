"""Grades SQL by what it returns. Equal results are right; partial credit is for what a wrong query got right."""

from collections.abc import Mapping, Sequence
from typing import Any

from reward_server.errors import InvalidTaskError
from reward_server.graders.answers import extract_code
from reward_server.graders.sql_comparison import DEFAULT_TOLERANCE, Table, overlap, same
from reward_server.tasks.sql_query import MAX_QUERY_CHARACTERS, ColumnMatching, RowOrder, SqlQueryTask
from reward_server.verdict import Check, Flag, Ruling, Verdict, clip, ruling_for, weighted_share
from sandboxes.base import Execution, Job, Limits
from sandboxes.values import encode

_LANGUAGES = ("sql", "sqlite", "sqlite3", "postgresql", "postgres", "mysql")
_RULINGS = {
    "forbidden": Ruling.FORBIDDEN,
    "time": Ruling.TIME_LIMIT,
    "memory": Ruling.MEMORY_LIMIT,
    "output": Ruling.OUTPUT_LIMIT,
}
_ENDINGS = {"cpu_limit": "time", "wall_limit": "time", "memory_limit": "memory", "output_limit": "output"}
_STRUCTURE = {"tables": 2.0, "joins": 1.0, "columns": 2.0, "filters": 2.0, "grouping": 1.0, "aggregation": 1.0}
_RUNS_WEIGHT, _COLUMNS_WEIGHT, _ROWS_WEIGHT, _EQUAL_WEIGHT = 1.0, 1.0, 6.0, 3.0


class SqlQuery:
    """Implements `Grader` for `SqlQueryTask`."""

    name = "sql_query"
    version = "1"
    languages = ("sqlite",)

    def prepare(self, task: SqlQueryTask, limits: Limits) -> Job | None:
        """Run the references, before any response and apart from all of them."""
        if not task.reference_query:
            return _job(task, ["SELECT 1"], limits)
        return _job(task, [task.reference_query, *task.accepted_queries], limits)

    def plan(self, task: SqlQueryTask, response: str, limits: Limits) -> Job | Verdict:
        """Run the response's query."""
        query = extract_code(response, _LANGUAGES).text
        if query is None or not query.strip():
            return Verdict(score=0.0, ruling=Ruling.NO_ANSWER, summary="The response contains no query.")
        if len(query) > MAX_QUERY_CHARACTERS:
            return Verdict(score=0.0, ruling=Ruling.OUTPUT_LIMIT, summary=f"The query has {len(query)} characters.")
        return _job(task, [query.strip()], limits)

    def judge(self, task: SqlQueryTask, job: Job, execution: Execution, reference: Execution | None) -> Verdict:
        """Compare the response's results with each reference's; the best match counts."""
        del job
        references = _references(task, reference)
        if not execution.report:
            return _failed_run(_ENDINGS.get(execution.ending.value, "runtime"), execution.stderr[-300:], [], execution)
        answers: Any = execution.report["queries"]
        verdicts = [_compare(task, answers[0], other, execution) for other in references]
        return max(verdicts, key=lambda verdict: verdict.score)


GRADER = SqlQuery()


def _job(task: SqlQueryTask, queries: list[str], limits: Limits) -> Job:
    first = {"sql": task.database_sql} if task.database_sql else {"file": task.database_file.hex()}
    payload: dict[str, Any] = {
        "databases": [first, *({"sql": text} for text in task.perturbed_databases)],
        "derived": not task.without_derived_databases and bool(task.reference_query),
        "queries": queries,
        "dialect": task.dialect,
    }
    return Job(program="sql_query", payload=payload, limits=limits)


def _references(task: SqlQueryTask, reference: Execution | None) -> list[Mapping[str, Any]]:
    """Return what is expected, one entry per accepted query. Raises `InvalidTaskError` when a reference fails."""
    report: Any = reference.report if reference else {}
    if "queries" not in report:
        said = reference.stderr.strip().rpartition("\n")[2] if reference else ""
        raise InvalidTaskError("database_sql", f"the database cannot be built or queried: {said}")
    if not task.reference_query:
        rows = task.rows()
        width = len(rows[0]) if rows else None
        return [
            {"results": [{"columns": None if width is None else [""] * width, "rows": encode(rows)}], "features": None}
        ]
    for i, query in enumerate(report["queries"]):
        path = f"accepted_queries[{i - 1}]" if i else "reference_query"
        for result in query["results"]:
            if "error" in result:
                raise InvalidTaskError(path, f"fails: {result['error']}")
    queries: list[Mapping[str, Any]] = report["queries"]
    return queries


def _compare(
    task: SqlQueryTask, answer: Mapping[str, Any], expected: Mapping[str, Any], execution: Execution
) -> Verdict:
    results: Sequence[Mapping[str, Any]] = answer["results"]
    structure = _structure(answer.get("features"), expected.get("features"))
    given = 1 + len(task.perturbed_databases)
    if failed := next((result for result in results[:given] if "error" in result), None):
        return _failed_run(str(failed["kind"]), str(failed["error"]), structure, execution)
    wanted = [_table(result, results[i]) for i, result in enumerate(expected["results"])]
    ordered = _ordered(task, expected)
    tolerance = DEFAULT_TOLERANCE if task.float_tolerance is None else task.float_tolerance
    tables = [_arranged(task, Table.of(result), wanted[i]) for i, result in enumerate(results[:given])]
    agrees = [
        same(mine, theirs, ordered=ordered, tolerance=tolerance) for mine, theirs in zip(tables, wanted, strict=False)
    ]
    if not all(agrees):
        return _partial(tables, wanted, agrees, structure, execution, ordered=ordered)
    if _is_constant(results, expected["results"], given):
        flag = Flag("hardcoded_result", "the result stays the same when the data change")
        return Verdict(
            score=0.0,
            ruling=Ruling.WRONG_ANSWER,
            summary="The rows are right here, but they do not follow from the data.",
            checks=(
                Check("follows_data", 0.0, 1.0, "the result is the same on databases where the reference's differs"),
            ),
            flags=(*_flags(execution), flag),
        )
    checks = (
        Check("runs", 1.0, _RUNS_WEIGHT),
        Check("columns", 1.0, _COLUMNS_WEIGHT),
        Check("rows", 1.0, _ROWS_WEIGHT, f"{len(wanted[0].rows)} rows"),
        Check("equal", 1.0, _EQUAL_WEIGHT),
        *(Check(check.name, check.score, 0.0, check.detail) for check in structure),
    )
    summary = "The query returns what the reference returns."
    return Verdict(score=1.0, ruling=Ruling.ACCEPTED, summary=summary, checks=checks, flags=_flags(execution))


def _table(expected: Mapping[str, Any], actual: Mapping[str, Any]) -> Table:
    if expected["columns"] is None:  # no rows were expected: any number of columns will do
        return Table(tuple(actual.get("columns", ())), ())
    return Table.of(expected)


def _arranged(task: SqlQueryTask, table: Table, wanted: Table) -> Table:
    if task.column_matching is ColumnMatching.POSITION:
        return table
    return table.arranged(wanted.columns) or Table((*table.columns, ""), table.rows)


def _ordered(task: SqlQueryTask, expected: Mapping[str, Any]) -> bool:
    if task.row_order is RowOrder.FROM_REFERENCE:
        return bool((expected.get("features") or {}).get("ordered", False))
    return task.row_order is RowOrder.ORDERED


def _is_constant(results: Sequence[Any], expected: Sequence[Any], given: int) -> bool:
    """Return whether the response ignores every change of the data that the reference notices."""
    noticed = [i for i in range(given, len(expected)) if expected[i].get("rows") != expected[0]["rows"]]
    return bool(noticed) and all(results[i].get("rows") == results[0]["rows"] for i in noticed)


def _structure(mine: Any, theirs: Any) -> list[Check]:
    """Return one check per kind of part that the reference or the response has."""
    if not mine or not theirs:
        return []
    checks = []
    for kind, weight in _STRUCTURE.items():
        have, want = set(mine[kind]), set(theirs[kind])
        if not have and not want:
            continue
        score = 2 * len(have & want) / (len(have) + len(want))
        missing, extra = ", ".join(sorted(want - have)), ", ".join(sorted(have - want))
        detail = "; ".join(text for text in (missing and f"missing: {missing}", extra and f"extra: {extra}") if text)
        checks.append(Check(kind, score, weight, detail))
    return checks


def _partial(
    tables: Sequence[Table],
    wanted: Sequence[Table],
    agrees: Sequence[bool],
    structure: Sequence[Check],
    execution: Execution,
    *,
    ordered: bool,
) -> Verdict:
    first = agrees.index(False)
    mine, theirs = tables[first], wanted[first]
    width = len(mine.columns) == len(theirs.columns)
    precision, recall = overlap(mine, theirs) if width else (0.0, 0.0)
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    where = f" on perturbed database {first - 1}" if first else ""
    checks = [
        Check("runs", 1.0, _RUNS_WEIGHT),
        Check("columns", float(width), _COLUMNS_WEIGHT, f"{len(mine.columns)} columns, expected {len(theirs.columns)}"),
        Check(
            "rows",
            f1,
            _ROWS_WEIGHT,
            f"{len(mine.rows)} rows for {len(theirs.rows)}{where}: precision {precision:.2f}, recall {recall:.2f}",
        ),
        *structure,
    ]
    what = "the order differs" if ordered and f1 == 1.0 else "values differ" if f1 == 1.0 else "the rows differ"
    checks.append(Check("equal", 0.0, _EQUAL_WEIGHT, what))
    score = weighted_share(checks)
    summary = f"{len(mine.rows)} rows, {len(theirs.rows)} expected{where}; {f1:.0%} of the rows agree."
    return Verdict(
        score=score if f1 > 0.0 or structure else 0.0,
        ruling=ruling_for(score),
        summary=summary,
        checks=tuple(checks),
        flags=_flags(execution),
    )


def _failed_run(kind: str, message: str, structure: Sequence[Check], execution: Execution) -> Verdict:
    """A query that does not run earns at most a fifth, for its structure; a forbidden one nothing."""
    ruling = _RULINGS.get(kind, Ruling.RUNTIME_ERROR)
    summary = f"The query failed: {clip(message, 300)}"
    runs = Check("runs", 0.0, 4.0 * sum(check.weight for check in structure) or 1.0, message)
    if ruling is not Ruling.RUNTIME_ERROR or kind == "syntax":
        return Verdict(
            score=0.0,
            ruling=ruling,
            summary=summary,
            checks=(Check("runs", 0.0, 1.0, message),),
            flags=_flags(execution),
        )
    score = weighted_share([runs, *structure])
    return Verdict(
        score=score,
        ruling=ruling_for(score, ruling),
        summary=summary,
        checks=(runs, *structure),
        flags=_flags(execution),
    )


def _flags(execution: Execution) -> tuple[Flag, ...]:
    return tuple(Flag(name, detail) for name, detail in execution.flags)
