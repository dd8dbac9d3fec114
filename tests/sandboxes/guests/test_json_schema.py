"""JSON Schema as the guest reads it, held to the official suite and to jsonschema, the reference implementation."""

import json
import re
import warnings
from collections import Counter
from decimal import Decimal
from pathlib import Path

import jsonschema
import jsonschema_specifications
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from referencing import Resource
from referencing.jsonschema import specification_with

from sandboxes.guests.json_extraction import schemas, strict_json

SUITE = Path(__file__).parents[2] / "vectors" / "json_schema_test_suite"
REMOTES = json.loads((SUITE / "remotes.json").read_text("utf-8"))
VALIDATORS = {
    "draft4": jsonschema.Draft4Validator,
    "draft6": jsonschema.Draft6Validator,
    "draft7": jsonschema.Draft7Validator,
    "draft2019-09": jsonschema.Draft201909Validator,
    "draft2020-12": jsonschema.Draft202012Validator,
    "optional": jsonschema.Draft202012Validator,
}
# Where jsonschema differs from the suite, and why; the guest's engine agrees with the suite everywhere.
DIFFERENCES = {
    # It does not take the annotations of an additionalProperties beside unevaluatedProperties into account.
    ("draft2019-09", "unevaluatedProperties"): 1,
    # It does not read $vocabulary: a metaschema that leaves validation out is ignored.
    ("draft2019-09", "vocabulary"): 1,
    ("draft2020-12", "vocabulary"): 1,
    # Patterns are Python's: \p and \c are errors, and \d, \w and \s are Unicode's.
    ("draft2020-12", "pattern"): 3,
    ("draft2020-12", "patternProperties"): 2,
    ("optional", "optional/ecmascript-regex"): 32,
}


def groups(name):
    lines = (SUITE / f"{name}.jsonl").read_text("utf-8").splitlines()
    return [strict_json.parse(line, max_depth=200) for line in lines]


def ours(group, name):
    """Compile a group's schema as the task would: by its own $schema, else by the draft."""
    said = isinstance(group["schema"], dict) and "$schema" in group["schema"]
    draft = "" if said or not name.startswith("draft") else name.removeprefix("draft")
    return schemas.compile_schema(group["schema"], draft=draft, formats=name == "formats", retrieve=REMOTES.__getitem__)


@pytest.mark.parametrize("name", ["draft4", "draft6", "draft7", "draft2019-09", "draft2020-12", "formats", "optional"])
def test_the_official_suite_passes(name):
    """Every test of the suite gets the answer that the suite demands, metaschemas and references included."""
    wrong = [
        (group["file"], group["description"], title)
        for group in groups(name)
        for validator in [ours(group, name)]
        for title, data, valid in group["tests"]
        if (not schemas.errors(validator, data)) != valid
    ]
    assert wrong == []


@pytest.mark.parametrize("name", sorted(VALIDATORS))
def test_jsonschema_differs_only_where_it_is_known_to(name):
    """The reference implementation differs from the suite, and so from ours, in the listed places alone."""
    kind = VALIDATORS[name]
    plain = {"$schema": kind.META_SCHEMA.get("$schema")}
    specification = specification_with(plain["$schema"])
    registry = jsonschema_specifications.REGISTRY.with_resources(
        (address, Resource.from_contents(content, default_specification=specification))
        for address, content in REMOTES.items()
    )
    found = Counter()
    for line in (SUITE / f"{name}.jsonl").read_text("utf-8").splitlines():
        group = json.loads(line)
        validator = kind(group["schema"], registry=registry)
        found[name, group["file"]] += sum(_says(validator, data) != valid for _, data, valid in group["tests"])
    assert +found == {place: count for place, count in DIFFERENCES.items() if place[0] == name}


def _says(validator, data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python warns of some patterns
        try:
            return validator.is_valid(data)
        except re.error:
            return None


SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "ab", "b1"])
INSTANCES = st.recursive(
    SCALARS, lambda x: st.lists(x, max_size=3) | st.dictionaries(st.sampled_from("abc"), x, max_size=3), max_leaves=6
)
TYPES = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
SCHEMAS = st.recursive(
    st.booleans()
    | st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES | st.lists(TYPES, min_size=1, max_size=2, unique=True),
            "enum": st.lists(INSTANCES, min_size=1, max_size=3),
            "const": INSTANCES,
            "minimum": st.integers(-2, 2),
            "exclusiveMaximum": st.integers(-2, 2),
            "multipleOf": st.sampled_from([1, 2]),
            "minLength": st.integers(0, 2),
            "pattern": st.sampled_from(["^a", "b$", "[0-9]", "^$"]),
            "maxItems": st.integers(0, 2),
            "uniqueItems": st.booleans(),
            "required": st.lists(st.sampled_from("abc"), max_size=2, unique=True),
            "maxProperties": st.integers(0, 2),
        },
    ),
    lambda x: st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(st.sampled_from("abc"), x, max_size=2),
            "additionalProperties": x,
            "propertyNames": x,
            "items": x,
            "prefixItems": st.lists(x, min_size=1, max_size=2),
            "contains": x,
            "allOf": st.lists(x, min_size=1, max_size=2),
            "anyOf": st.lists(x, min_size=1, max_size=2),
            "oneOf": st.lists(x, min_size=1, max_size=2),
            "not": x,
            "if": x,
            "then": x,
            "else": x,
            "unevaluatedProperties": x,
            "dependentSchemas": st.dictionaries(st.sampled_from("abc"), x, max_size=1),
        },
    ),
    max_leaves=5,
)


@settings(max_examples=300, deadline=None)
@given(schema=SCHEMAS, instance=INSTANCES)
def test_both_engines_agree_on_schemas_made_at_random(schema, instance):
    """Schemas and records made at random are valid by both engines or by none."""
    validator = schemas.compile_schema(schema)
    assert (not schemas.errors(validator, instance)) == jsonschema.Draft202012Validator(schema).is_valid(instance)


@pytest.mark.parametrize(
    "schema",
    [
        None,
        "true",
        [],
        {"type": "nonsense"},
        {"$ref": "http://example.com/s"},
        {"$ref": "file:///etc/passwd"},
        {"properties": {"never": {"$ref": "https://example.com/s"}}},
        {"$ref": "#/nowhere"},
        {"$schema": "http://example.com/mine"},
        {"$schema": 7},
        {"pattern": "("},
        {"pattern": "((((a{1,100}){1,100}){1,100}){1,100})"},
        {"minimum": True},
        {"required": ["a", "a"]},
    ],
)
def test_a_schema_that_cannot_be_used_is_refused(schema):
    """What is no schema, refers outside itself or has patterns that do not compile raises, and fetches nothing."""
    with pytest.raises(schemas.SchemaError) as caught:
        schemas.compile_schema(schema)
    assert 0 < len(str(caught.value)) <= 300


def test_a_draft_that_the_schema_contradicts_is_refused():
    """The task's draft holds for schemas that say none; one that says another is an error."""
    bound = {"minimum": 3, "exclusiveMinimum": True}
    assert schemas.errors(schemas.compile_schema(bound, draft="4"), 3)
    said = {**bound, "$schema": "http://json-schema.org/draft-04/schema#"}
    assert schemas.errors(schemas.compile_schema(said, draft="4"), 3)
    with pytest.raises(schemas.SchemaError, match="draft 7"):
        schemas.compile_schema(said, draft="7")


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|aa)+$", "^(?=a)(a|a)*\\1?$", "(a*)*\\1b", "(.*a){20}"])
def test_catastrophic_patterns_end_at_once(pattern):
    """Patterns on which backtracking engines hang for ever are decided."""
    assert schemas.errors(schemas.compile_schema({"pattern": pattern}), "a" * 15 + "c" * 20_000)


def test_circles_of_references_end():
    """Schemas that refer to themselves without going further demand nothing, and do not overflow the stack."""
    circle = {"$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}]}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}
    assert schemas.errors(schemas.compile_schema(circle), {"x": 1}) == []


def test_numbers_keep_their_value():
    """Validation is by the numeral, not by a binary float."""
    assert schemas.errors(schemas.compile_schema({"const": 2**53}), 2**53 + 1)
    assert schemas.errors(schemas.compile_schema({"maximum": Decimal("0.3")}), Decimal("0.30000000000000000001"))
    assert not schemas.errors(schemas.compile_schema({"multipleOf": Decimal("0.01")}), Decimal("19.99"))


def test_only_the_first_errors_are_listed():
    """A record that breaks the schema a thousand times is told so twenty times, with pointers."""
    found = schemas.errors(schemas.compile_schema({"items": {"type": "string"}}), list(range(1000)))
    assert len(found) == 20
    assert found[3][0] == "/3"
