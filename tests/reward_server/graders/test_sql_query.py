"""The rules of sql_query, with the guest called in this process."""

import base64
import random
import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_server.errors import InvalidTaskError
from reward_server.graders.sql_comparison import Table, overlap, same
from reward_server.graders.sql_query import GRADER
from reward_server.tasks.sql_query import DerivedDatabases, JudgedBy, SqlQueryTask
from reward_server.verdict import Ruling, Verdict
from sandboxes.base import Ending, Execution, Job, Limits
from sandboxes.guests import sql_query as guest

DATABASE = """
CREATE TABLE city(id INTEGER PRIMARY KEY, name TEXT NOT NULL, people INTEGER);
CREATE TABLE road(id INTEGER PRIMARY KEY, city_id INTEGER NOT NULL REFERENCES city(id), km REAL CHECK (km > 0));
INSERT INTO city VALUES (1,'Ulm',126),(2,'Bonn',330),(3,'Jena',111),(4,'Kiel',246),(5,'Trier',NULL),(6,'Hof',45);
INSERT INTO road VALUES (1,1,2.5),(2,1,3.0),(3,2,1.0),(4,4,8.0),(5,4,8.0),(6,5,0.5),(7,6,4.0),(8,3,9.0);
"""
cells = (
    st.none()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.binary(max_size=4)
)
tables = st.integers(1, 4).flatmap(lambda width: st.lists(st.tuples(*[cells] * width), max_size=12))


def execute(job):
    try:
        return Execution(ending=Ending.EXITED, report=guest.run(job.payload))
    except guest.DatabaseError as error:
        return Execution(ending=Ending.EXITED, report={}, stderr=f"DatabaseError: {error}\n")


def grade(response, **fields):
    task = SqlQueryTask(**{"database_sql": DATABASE, **fields})
    planned = GRADER.plan(task, response, Limits())
    if isinstance(planned, Verdict):
        return planned
    return GRADER.judge(task, planned, execute(planned), execute(GRADER.prepare(task, Limits())))


def table(rows, ties=None):
    return Table(tuple("abcd"[: len(rows[0])] if rows else "a"), tuple(rows), ties)


def check(verdict, name):
    (found,) = [check for check in verdict.checks if check.name == name]
    return found


@given(tables, st.randoms(use_true_random=False))
def test_a_permutation_of_rows_is_the_same_unordered_result(rows, rng):
    """Any order of the rows, duplicates included, is equal where order does not count."""
    shuffled = list(rows)
    rng.shuffle(shuffled)
    assert same(table(shuffled), table(rows), ordered=False, tolerance=1e-9)
    assert overlap(table(shuffled), table(rows), 1e-9) == (1.0, 1.0)


@given(tables.filter(bool), st.data())
def test_a_lost_or_repeated_row_is_noticed(rows, data):
    """Dropping or repeating one row is never equal, ordered or not, and precision or recall falls."""
    i = data.draw(st.integers(0, len(rows) - 1))
    for other in (rows[:i] + rows[i + 1 :], [*rows, rows[i]]):
        changed = Table(table(rows).columns, tuple(other))
        for ordered in (True, False):
            assert not same(changed, table(rows), ordered=ordered, tolerance=1e-9)
        assert min(overlap(changed, table(rows), 1e-9)) < 1.0


@given(tables.filter(bool), st.data())
def test_another_cell_is_noticed(rows, data):
    """Replacing one cell by a value of another type is never equal."""
    i = data.draw(st.integers(0, len(rows) - 1))
    cell = rows[i][0]
    other = "x" if not isinstance(cell, str) else None
    changed = [*rows[:i], (other, *rows[i][1:]), *rows[i + 1 :]]
    assert not same(table(changed), table(rows), ordered=False, tolerance=1e-9)
    assert not same(table(changed), table(rows), ordered=True, tolerance=1e-9)


@given(tables, st.integers(0, 12))
def test_the_overlap_grows_with_every_right_row(rows, keep):
    """Recall of a prefix of the expected rows is the share kept, and its precision is whole."""
    kept = rows[:keep]
    precision, recall = overlap(Table(table(rows).columns, tuple(kept)), table(rows), 1e-9)
    if rows:
        assert recall == pytest.approx(len(kept) / len(rows))
    assert precision == (1.0 if kept or not rows else 0.0)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=150), st.randoms(use_true_random=False))
def test_noise_within_the_tolerance_costs_nothing_in_any_order(values, rng):
    """Floats that differ in the last digits match one to one, however they are ordered."""
    noisy = [(value * (1 + 1e-14),) for value in values]
    rng.shuffle(noisy)
    assert same(table(noisy), table([(value,) for value in values]), ordered=False, tolerance=1e-9)


def test_matching_is_one_to_one_and_not_greedy():
    """A row within reach of two is given to the one that leaves the other a partner."""
    assert same(table([(1.0,), (1.4,)]), table([(1.3,), (0.6,)]), ordered=False, tolerance=0.5)
    assert not same(table([(1.0,), (1.0,)]), table([(1.0,), (3.0,)]), ordered=False, tolerance=0.5)
    assert same(table([(1.0,), (1.4,)]), table([(1.0,), (0.6,)]), ordered=False, tolerance=0.5)


@pytest.mark.parametrize(
    ("one", "other"), [(1, "1"), (0, None), ("", None), (b"a", "a"), (float("inf"), 1e308), (2**53 + 1, 2**53), (1, 2)]
)
def test_cells_that_look_alike_differ(one, other):
    """Types count, NULL is only NULL, infinity only infinity, and integers are exact."""
    assert not same(table([(one,)]), table([(other,)]), ordered=True, tolerance=1e-9)
    assert not same(table([(other,)]), table([(one,)]), ordered=False, tolerance=1e-9)


def test_an_integer_beyond_every_float_is_compared():
    """An expected integer of a thousand digits differs from any number, and raises nothing."""
    assert not same(table([(1.5,)]), table([(10**1000,)]), ordered=True, tolerance=1e-9)


def test_tied_rows_permute_within_their_group_only():
    """Rows with the same sort key may change places, others not."""
    expected = table([(1,), (2,), (3,)], (0, 0, 1))
    assert same(table([(2,), (1,), (3,)]), expected, ordered=True, tolerance=0)
    assert not same(table([(1,), (3,), (2,)]), expected, ordered=True, tolerance=0)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from(["name", "people", "id", "length(name)", "people + id", "NULL", "-people"]), min_size=1),
    st.sampled_from(["", "WHERE people > 120", "WHERE name LIKE '%e%'", "WHERE id % 2 = 0", "WHERE people IS NULL"]),
    st.sampled_from(["", "ORDER BY id", "ORDER BY people DESC, id", "ORDER BY name LIMIT 3"]),
)
def test_the_guest_returns_what_sqlite_returns(columns, where, order):
    """Rows and columns of the guest are those of a plain connection."""
    query = f"SELECT {', '.join(columns)} FROM city {where} {order}"
    plain = sqlite3.connect(":memory:")
    plain.executescript(DATABASE)
    cursor = plain.execute(query)
    job = GRADER.plan(
        SqlQueryTask(database_sql=DATABASE, reference_query="SELECT 1"), f"```sql\n{query}\n```", Limits()
    )
    (result,) = execute(job).report["queries"][0]["results"]
    assert Table.of(result["tables"][""]).rows == tuple(cursor.fetchall())
    assert result["tables"][""]["columns"] == [column[0] for column in cursor.description]
    plain.close()


@settings(max_examples=25, deadline=None)
@given(st.permutations(["people > 100", "id < 6", "name <> 'Hof'"]), st.booleans(), st.booleans())
def test_spellings_of_one_query_are_accepted_and_cost_nothing(conjuncts, flip, qualify):
    """The order of conjuncts, aliases and case make no difference, and the structure of all is the same."""
    prefix = "c." if qualify else ""
    where = " AND ".join(prefix + part for part in conjuncts)
    text = f"SELECT {prefix}name FROM city{' AS c' if qualify else ''} WHERE {where}"
    reference = "SELECT name FROM city WHERE people > 100 AND id < 6 AND name <> 'Hof'"
    response = text.upper().replace("'HOF'", "'Hof'") if flip else text
    assert grade(response, reference_query=reference).ruling is Ruling.ACCEPTED
    wrong = grade(response.replace("100", "300"), reference_query=reference)
    assert check(wrong, "tables").score == check(wrong, "columns").score == 1.0


def test_every_part_of_a_partial_verdict_has_a_check():
    """A wrong filter shows in the check of filters and in the rows; the rest is right."""
    reference = (
        "SELECT c.name, sum(r.km) FROM city c JOIN road r ON r.city_id = c.id WHERE c.people > 100 GROUP BY c.id"
    )
    verdict = grade(reference.replace("100", "200"), reference_query=reference)
    scores = {check.name: check.score for check in verdict.checks}
    assert verdict.ruling is Ruling.PARTIAL
    assert scores["filters"] == scores["equal"] == 0.0
    for right in ("parses", "runs", "tables", "joins", "columns", "grouping", "aggregation", "row_precision"):
        assert scores[right] == 1.0
    assert 0 < scores["row_recall"] < 1
    assert 0 < scores["row_f1"] < 1


def test_the_score_rises_with_every_part_that_is_right():
    """From another table over a missing filter to the answer, each step earns more."""
    reference = "SELECT name FROM city WHERE people > 100 AND id > 1"
    responses = ("SELECT km FROM road", "SELECT name FROM city", "SELECT name FROM city WHERE people > 100", reference)
    scores = [grade(response, reference_query=reference).score for response in responses]
    assert scores == sorted(set(scores))
    assert scores[-1] == 1.0


@pytest.mark.parametrize("seed", range(20))
def test_derived_databases_keep_the_constraints(seed):
    """On every derived database the checks and keys of the schema hold, and there are no more rows than before."""
    rng = random.Random(seed)
    rows = ",".join(f"({i},{rng.randint(1, 6)},{rng.random() + 0.1})" for i in range(10, 10 + rng.randint(2, 40)))
    original = sqlite3.connect(":memory:")
    original.executescript(DATABASE + f"INSERT INTO road VALUES {rows};")
    original.execute("DELETE FROM road WHERE city_id NOT IN (SELECT id FROM city)")
    original.commit()
    for derive in (
        lambda c: guest.fewer_rows(c, 0),
        lambda c: guest.fewer_rows(c, 1),
        lambda c: guest.fewer_rows(c, 2),
        guest.moved_values,
    ):
        copy = guest._copy(original)
        derive(copy)
        assert copy.execute("PRAGMA foreign_key_check").fetchall() == []
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("SELECT count(*) FROM road WHERE km <= 0").fetchone() == (0,)
        assert (
            copy.execute("SELECT count(*) FROM road").fetchone()
            <= original.execute("SELECT count(*) FROM road").fetchone()
        )
        copy.close()
    original.close()


EQUIVALENT = [
    ("SELECT name FROM city WHERE people > 120", "SELECT c.name FROM city c WHERE NOT c.people <= 120"),
    ("SELECT max(people) FROM city", "SELECT people FROM city ORDER BY people DESC LIMIT 1"),
    ("SELECT count(*) FROM road", "SELECT count(r.id) FROM road r JOIN city c ON c.id = r.city_id"),
    (
        "SELECT name FROM city WHERE id NOT IN (SELECT city_id FROM road)",
        "SELECT name FROM city EXCEPT SELECT c.name FROM city c JOIN road r ON r.city_id = c.id",
    ),
    (
        "SELECT city_id, sum(km) FROM road GROUP BY city_id",
        "SELECT DISTINCT city_id, sum(km) OVER (PARTITION BY city_id) FROM road",
    ),
]


@pytest.mark.parametrize(("reference", "response"), [*EQUIVALENT, *[(b, a) for a, b in EQUIVALENT]])
@pytest.mark.parametrize("derived", [DerivedDatabases.FIND_CONSTANTS, DerivedDatabases.MUST_AGREE])
def test_queries_that_mean_the_same_survive_the_derived_databases(reference, response, derived):
    """Neither policy punishes a query that is right on every valid database."""
    assert grade(response, reference_query=reference, derived_databases=derived).score == 1.0


def test_a_response_never_meets_the_reference():
    """Nothing of the reference, its result or the expected rows is in the payload of a response's job."""
    secret = "SELECT name FROM city WHERE people = 330"
    for fields in ({"reference_query": secret}, {"expected_rows": '[["Bonn-330-secret"]]'}):
        job = GRADER.plan(SqlQueryTask(database_sql="CREATE TABLE city(name, people)", **fields), "SELECT 1", Limits())
        assert isinstance(job, Job)
        texts = str(job.payload) + base64.b64decode(job.payload["databases"][0]["sql"]).decode()
        assert "330" not in texts


def test_each_run_gets_a_copy_of_its_own():
    """A statement that empties a table changes nothing for the next run."""
    fields = {"reference_query": "DELETE FROM road", "judged_by": JudgedBy.DATABASE_STATE}
    assert grade("DELETE FROM road", **fields).score == 1.0
    assert grade("SELECT 1", **fields).score < 1.0
    assert grade("DELETE FROM road", **fields).score == 1.0


@pytest.mark.parametrize(
    ("ending", "ruling"),
    [
        (Ending.CPU_LIMIT, Ruling.TIME_LIMIT),
        (Ending.WALL_LIMIT, Ruling.TIME_LIMIT),
        (Ending.MEMORY_LIMIT, Ruling.MEMORY_LIMIT),
        (Ending.OUTPUT_LIMIT, Ruling.OUTPUT_LIMIT),
        (Ending.KILLED, Ruling.RUNTIME_ERROR),
    ],
)
def test_a_limit_of_the_run_is_the_ruling(ending, ruling):
    """When the box ends the run, that is what the verdict says; the score is 0."""
    task = SqlQueryTask(database_sql=DATABASE, reference_query="SELECT 1")
    job = GRADER.plan(task, "SELECT 1", Limits())
    reference = execute(GRADER.prepare(task, Limits()))
    verdict = GRADER.judge(task, job, Execution(ending=ending, report={}), reference)
    assert (verdict.ruling, verdict.score) == (ruling, 0.0)


def test_a_reference_that_fails_makes_the_task_invalid_with_the_evidence():
    """The message carries what SQLite said, at the field that is wrong."""
    with pytest.raises(InvalidTaskError, match="no such column: nme") as caught:
        grade("SELECT 1", reference_query="SELECT nme FROM city")
    assert caught.value.field == "reference_query"
    with pytest.raises(InvalidTaskError, match="syntax error") as caught:
        grade("SELECT 1", reference_query="SELECT 1", database_sql="CREATE TABLE (")
    assert caught.value.field == "database_sql"


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60) | st.text("SELECT()*,;'\"-/ FROM city WHERE", max_size=80))
def test_no_text_raises_or_is_accepted(text):
    """Whatever the response is, the host raises nothing and nothing scores that is no query."""
    assert grade(text, reference_query="SELECT name, people FROM city").score < 1.0


@pytest.mark.parametrize(
    "text",
    ["SELECT " + "(" * 50_000, "SELECT " + "NOT " * 20_000, "SELECT " + "CASE WHEN " * 1_800 + "1", "a;" * 49_000,
     "SELECT " + "((" * 29 + "1" + "))" * 29, "SELECT 1" + " UNION SELECT 1" * 1_200, "[" * 90_000, "/*" * 40_000],
)  # fmt: skip
def test_hostile_nesting_ends_soon(text):
    """Deep or long queries are a wrong answer within seconds, not a crash of the parser."""
    assert grade(f"```sql\n{text}\n```", reference_query="SELECT name FROM city").score < 0.5
