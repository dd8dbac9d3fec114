"""Matching items of arrays, held to exhaustive search."""

from itertools import combinations, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandboxes.guests.json_extraction.matching import alignment, assignment, equal_ends, equal_first

TABLES = st.integers(1, 5).flatmap(
    lambda columns: st.lists(
        st.lists(st.integers(0, 8).map(lambda n: n / 8), min_size=columns, max_size=columns), min_size=1, max_size=5
    )
)


def total(gains, chosen):
    return sum(gains[i][j] for i, j in enumerate(chosen) if j is not None)


def matchings(rows, columns):
    """All ways to give ``min(rows, columns)`` rows a column of their own."""
    if rows <= columns:
        yield from permutations(range(columns), rows)
        return
    for owners in permutations(range(rows), columns):
        yield [owners.index(i) if i in owners else None for i in range(rows)]


@given(TABLES)
def test_an_assignment_has_the_greatest_gain_there_is(gains):
    """The Hungarian method finds what trying all assignments finds, and uses no column twice."""
    chosen = assignment(gains)
    used = [j for j in chosen if j is not None]
    assert len(used) == len(set(used)) == min(len(gains), len(gains[0]))
    assert total(gains, chosen) == pytest.approx(max(total(gains, m) for m in matchings(len(gains), len(gains[0]))))


@given(TABLES)
def test_an_alignment_has_the_greatest_gain_in_order(gains):
    """The alignment finds what trying all increasing matchings finds."""
    rows, columns = len(gains), len(gains[0])
    chosen = alignment(gains)
    used = [j for j in chosen if j is not None]
    assert used == sorted(set(used))
    best = max(
        sum(gains[i][j] for i, j in zip(some, others, strict=True))
        for size in range(min(rows, columns) + 1)
        for some in combinations(range(rows), size)
        for others in combinations(range(columns), size)
    )
    assert total(gains, chosen) == pytest.approx(best)


def test_greedy_would_lose():
    """The first row's favourite goes to the second when that is better for both together."""
    assert assignment([[1.0, 0.9], [1.0, 0.0]]) == [1, 0]


def test_nothing_is_matched_with_nothing():
    """Empty arrays match nothing."""
    assert assignment([]) == alignment([]) == []
    assert assignment([[], []]) == alignment([[], []]) == [None, None]


KEYS = st.lists(st.sampled_from("abc"), max_size=8)


@given(KEYS, KEYS)
def test_the_linear_matchings_are_one_to_one(keys, others):
    """Both match as many as can be, none twice; equal items first, or in order from both ends."""
    for match in (equal_first, equal_ends):
        chosen = match(keys, others)
        used = [j for j in chosen if j is not None]
        assert len(chosen) == len(keys)
        assert len(used) == len(set(used)) <= min(len(keys), len(others))
        assert all(0 <= j < len(others) for j in used)
    by_equality = equal_first(keys, others)
    same = sum(j is not None and keys[i] == others[j] for i, j in enumerate(by_equality))
    assert same == sum(min(keys.count(key), others.count(key)) for key in set(keys))
    in_order = [j for j in equal_ends(keys, others) if j is not None]
    assert in_order == sorted(in_order)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 2**32))
def test_the_largest_table_is_matched(seed):
    """A hundred by a hundred items are matched whatever the gains: each once, and in order where that counts."""
    gains = [[((i * 7919 + j * 104729 + seed) % 997) / 997 for j in range(100)] for i in range(100)]
    free, in_order = assignment(gains), [j for j in alignment(gains) if j is not None]
    assert sorted(free) == list(range(100))
    assert in_order == sorted(set(in_order))
