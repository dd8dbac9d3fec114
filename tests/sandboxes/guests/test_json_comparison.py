"""Records against references in the guest: any rules, any records, bounded time."""

import json
import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxes.guests.json_extraction import run

SETTINGS = {"schema": "", "draft": "", "check_formats": False, "extra_field_weight": 1.0, "null_is_absent": False}


def report(actual, expected, rules=(), **settings):
    """Run the guest on two values, with rules as short as can be."""
    text = json.dumps(actual)
    full = [{"path": "", "accepted": [], **rule} for rule in rules]
    return run({**SETTINGS, "text": text, "expected": json.dumps(expected), "rules": full, **settings})


VALUES = st.sampled_from(["", "a", "2020-01-02", "$5", "1,000", "Ann Lee", "5%"])
SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | VALUES | st.floats(allow_nan=False, allow_infinity=False)
RECORDS = st.recursive(
    SCALARS,
    lambda x: st.lists(x, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", "*", "~/"]), x, max_size=4),
    max_leaves=14,
)
PATHS = st.lists(st.sampled_from(["a", "b", "*", "0", "1", "~0~1"]), max_size=3)
RULES = st.fixed_dictionaries(
    {"path": PATHS.map(lambda steps: "".join(f"/{step}" for step in steps))},
    optional={
        "comparison": st.sampled_from(["exact", "number", "date", "text", "similarity", "whole", "ignored"]),
        "accepted": st.lists(RECORDS.map(json.dumps), max_size=2),
        "unordered": st.booleans(),
        "optional": st.booleans(),
        "weight": st.sampled_from([0.0, 0.5, 3.0]),
        "relative_tolerance": st.sampled_from([0.0, 0.1]),
        "absolute_tolerance": st.sampled_from([0.0, 1.5]),
        "decimal_comma": st.booleans(),
        "day_first": st.booleans(),
        "measure": st.sampled_from(["levenshtein", "indel", "jaro_winkler", "sorted_words", "word_f1"]),
        "min_similarity": st.sampled_from([0.0, 0.5, 1.0]),
    },
)


@given(RECORDS, RECORDS, st.lists(RULES, max_size=4), st.sampled_from([0.0, 1.0, 2.5]), st.booleans())
def test_any_record_under_any_rules_gives_plain_numbers(actual, expected, rules, extra, absent):
    """Nothing raises; scores, weights, accuracy and completeness are what a verdict can hold."""
    found = report(actual, expected, rules, extra_field_weight=extra, null_is_absent=absent)
    json.dumps(found, allow_nan=False)
    assert all(0.0 <= score <= 1.0 and 0.0 <= weight < math.inf for _, score, weight, _ in found["fields"])
    assert 0.0 <= found["accuracy"] <= 1.0
    assert 0.0 <= found["completeness"] <= 1.0
    assert found["extra_weight"] >= 0.0
    assert found["extra_count"] >= len(found["extra"])


@given(RECORDS, st.lists(RULES, max_size=4), st.booleans())
def test_a_record_has_no_extra_fields_beside_itself(record, rules, absent):
    """Compared with itself nothing is extra, and all is right but what a rule cannot read."""
    found = report(record, record, rules, null_is_absent=absent)
    assert found["extra_count"] == 0
    if not any(rule.get("comparison") in ("number", "date") for rule in rules):
        assert found["right"] == found["count"]


def test_the_first_rule_that_matches_holds():
    """Order decides between a name and a star."""
    strict, loose = {"path": "/a"}, {"path": "/*", "comparison": "text"}
    assert report({"a": "X"}, {"a": "x"}, [strict, loose])["right"] == 0
    assert report({"a": "X"}, {"a": "x"}, [loose, strict])["right"] == 1


def test_at_the_least_similarity_counts():
    """A similarity equal to the least one, rounding aside, earns itself."""
    rule = {"comparison": "similarity", "min_similarity": 1 - 3 / 7}
    assert report("kitten", "sitting", [rule])["fields"][0][1] == pytest.approx(4 / 7)


MANY = {"comparison": "exact", "unordered": True}


@pytest.mark.parametrize(
    ("actual", "expected", "rules"),
    [
        ([0] * 300_000, list(range(1000)), [MANY]),
        ([[0] * 2000 for _ in range(80)], [[[1]] for _ in range(100)], [MANY, {**MANY, "path": "/*"}]),
        (
            [[[i] * 8 for i in range(10)]] * 90,
            [[[1, 2]] * 10] * 90,
            [{**MANY, "path": path} for path in ("", "/*", "/*/*")],
        ),
        (["ab" * 5000] * 50, ["ba" * 5000] * 50, [MANY, {"path": "/*", "comparison": "similarity"}]),
        ("ﷺ" * 100_000, "a", [{"comparison": "text"}]),
        (["1/2/2020"] * 100, ["2020-01-01"] * 100, [MANY, {"path": "/*", "comparison": "date"}]),
        ({f"k{i}": 1 for i in range(50_000)}, {"a": 1}, [{"path": f"/k{i}/*"} for i in range(999)]),
    ],
    ids=["items", "large items", "nested", "long texts", "one long text", "unreadable", "keys"],
)
def test_floods_end(actual, expected, rules):
    """What is large in any direction is compared within the CPU limit of a run."""
    begun = time.process_time()
    found = report(actual, expected, rules)
    assert time.process_time() - begun < 8.0
    assert found["right"] < found["count"]
