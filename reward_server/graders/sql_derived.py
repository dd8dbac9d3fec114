"""What results on derived databases say about a query: whether it was written down instead of asked."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_FEWER = "fewer_rows"
_MOVED = "moved_values"
_ADDED = "added_rows"
_ANY = "*"


def is_written_down(answer: Mapping[str, Any], expected: Mapping[str, Any], *, overlaps: bool) -> str:
    """Return why the response does not follow from the data, or "" when it does as far as can be seen.

    Careful on purpose: a query that is right here and differs from the reference on other databases is common and
    honest (a tie broken otherwise, a filter that this data does not need). What counts is ignoring the data:
    (1) reading no table where the reference reads one; (2) the same result on every database with fewer rows on which
    the reference's differs, if those are at least two; (3) the same result after moving values, where the reference's
    differs, made of texts and numbers that stand in the response's query and not in the reference's; (4) such a result
    that with fewer rows at most loses rows, and then is not the reference's. A result that shares no row with the
    reference's (``overlaps``) is simply wrong; (5) picking rows by keys that stand in the response's query and not in
    the reference's, with a result that stays when copies of rows are added on which the reference's depends, or that
    differs from the reference's with such copies, or with fewer rows where that finds anything but NULL; (6) reading
    none of the tables that the reference reads, with a result that differs twice with fewer rows.
    """
    if expected["results"][0]["reads"] and not answer["results"][0]["reads"]:
        return "the query reads no table"
    if not overlaps:
        return ""
    only_rows_are_expected = "constant" not in expected
    if only_rows_are_expected and answer["constant"] and answer["results"][0]["reads"]:
        return "the query puts out only what is written in it"
    fewer = [name for name in expected["derived"] if name.startswith(_FEWER) and _notices(answer, expected, name)]
    if len(fewer) > 1 and not any(_changes(answer, name) for name in fewer):
        return "the result stays the same when rows are deleted on which the reference's depends"
    if _is_spelled_out(answer, expected):
        if _notices(answer, expected, _MOVED) and not _changes(answer, _MOVED):
            return "the result is made of values written into the query, and stays the same when the data change"
        if any(_differs(answer, expected, name) and _only_loses(answer, name) for name in fewer):
            return "the result is made of values written into the query, and does not follow the data"
    apart = [name for name, _, _ in disagreement(answer, expected) if _differs(answer, expected, name)]
    if len(apart) > 1 and not set(answer["results"][0]["reads"]) & set(expected["results"][0]["reads"]):
        return "the query reads other tables, whose rows do not change as the reference's do"
    if not _picks_keys(answer, expected):
        return ""
    if _notices(answer, expected, _ADDED) and _changes(answer, _ADDED) is False:
        return "the rows are picked by keys written into the query, and rows that belong to them are not found"
    if apart or (_notices(answer, expected, _ADDED) and _differs(answer, expected, _ADDED)):
        return "the rows are picked by keys written into the query, and not by what the reference asks for"
    return ""


def disagreement(
    answer: Mapping[str, Any], expected: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    """Yield name, response's result and reference's for the databases with fewer rows that can tell them apart.

    Left out are those where the reference finds nothing but NULL, because aggregates and LIMIT queries that mean the
    same differ there, and those on which the reference fails or the response runs into a limit.
    """
    for name, theirs in expected["derived"].items():
        mine = answer["derived"].get(name, {})
        if not name.startswith(_FEWER) or "tables" not in theirs or _ran_out(answer, name):
            continue
        if any(cell is not None for table in theirs["tables"].values() for row in table["rows"] for cell in row):
            yield name, mine, theirs


def _notices(answer: Mapping[str, Any], expected: Mapping[str, Any], name: str) -> bool:
    """Return whether the reference's result changes on a derived database on which the response's can be judged."""
    return bool(_changes(expected, name)) and not _ran_out(answer, name)


def _differs(answer: Mapping[str, Any], expected: Mapping[str, Any], name: str) -> bool:
    return sorted(_rows(answer["derived"][name])) != sorted(_rows(expected["derived"][name]))


def _only_loses(answer: Mapping[str, Any], name: str) -> bool:
    """Return whether there are no rows on a derived database but those of the first, and of nothing but NULL."""
    left = [row for row in answer["derived"][name].get("tables", {}).get("", {"rows": []})["rows"] if any(row)]
    return {repr(row) for row in left} <= set(_rows(answer["results"][0]))


def _rows(result: Mapping[str, Any]) -> list[str]:
    return [repr(row) for row in result.get("tables", {}).get("", {"rows": []})["rows"]]


def _ran_out(answer: Mapping[str, Any], name: str) -> bool:
    """Return whether the response ran into a limit there, which says nothing; another fault is its own doing."""
    return answer["derived"].get(name, {}).get("kind") in {"time", "memory", "output"}


def _changes(query: Mapping[str, Any], name: str) -> bool | None:
    """Return whether the result on a derived database differs from that on the first; None when there is none."""
    here, there = query["results"][0].get("tables"), query["derived"].get(name, {}).get("tables")
    if here is None or there is None:
        return None
    return here.keys() != there.keys() or any(not _same_rows(here[key]["rows"], there[key]["rows"]) for key in here)


def _same_rows(some: Sequence[Any], others: Sequence[Any]) -> bool:
    """Return whether both hold the same rows, in any order; what is cheap to see is looked at first."""
    if len(some) != len(others):
        return False
    return some == others or sorted(map(repr, some)) == sorted(map(repr, others))


def _picks_keys(answer: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
    """Return whether the response compares a column that identifies rows with values that the reference lacks."""
    keys, known = {*expected.get("keys", ()), _ANY}, set(expected["literals"])
    return any(column in keys and not set(values) <= known for column, values in answer["picks"])


def _is_spelled_out(answer: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
    """Return whether every row of the result holds a literal of the response's that the reference does not have.

    A query that puts out nothing but constants, however they are put together, is spelled out if the reference is not.
    """
    if answer["constant"] and not expected.get("constant", False):
        return True
    own = set(answer["literals"]) - set(expected["literals"])
    rows = answer["results"][0]["tables"].get("", {}).get("rows", [])
    return bool(own and rows) and all(any(str(cell) in own for cell in row) for row in rows)
