"""The grader of records: its guest run in this process, its documentation row by row, and its properties."""

import json
import math
import re
from pathlib import Path

import pytest
from google.protobuf import json_format
from hypothesis import assume, given
from hypothesis import strategies as st
from reward.v1 import json_extraction_pb2

from reward_server import wire
from reward_server.errors import InvalidTaskError
from reward_server.graders.json_extraction import GRADER
from reward_server.tasks.json_extraction import FieldComparison, FieldRule, JsonExtractionTask
from reward_server.verdict import Ruling, Verdict
from sandboxes.base import Ending, Execution, Job, Limits
from sandboxes.guests.json_extraction import run

DOCUMENT = Path(__file__).parents[3] / "docs" / "graders" / "json_extraction.md"


def executed(job):
    """Run the guest here instead of in a box."""
    return Execution(ending=Ending.EXITED, report=json.loads(json.dumps(run(json.loads(json.dumps(job.payload))))))


def grade(task, response):
    planned = GRADER.plan(task, response, Limits())
    if isinstance(planned, Verdict):
        return planned
    reference = executed(GRADER.prepare(task, Limits()))
    return GRADER.judge(task, planned, executed(planned), reference)


def task_of(expected, **settings):
    return JsonExtractionTask(expected=json.dumps(expected), **settings)


def rows():
    """Yield the rows of the document's tables of examples: policy, task, response, outcome."""
    for line in DOCUMENT.read_text("utf-8").splitlines():
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 5 and cells[1].startswith("`"):
            yield pytest.param(*(cell.strip("`") for cell in cells[1:]), id=cells[0][:60])


@pytest.mark.parametrize(("expected", "settings", "response", "outcome"), list(rows()))
def test_the_document_says_what_happens(expected, settings, response, outcome):
    """Each row of the policy tables is graded as it says."""
    message = json_format.ParseDict({"expected": expected, **json.loads(settings or "{}")}, _message())
    try:
        verdict = grade(wire.record(message, JsonExtractionTask), response)
    except InvalidTaskError:
        assert outcome == "INVALID_TASK"
        return
    ruling, _, score = outcome.partition(" ")
    assert verdict.ruling is Ruling[ruling], verdict
    assert not score or verdict.score == pytest.approx(float(score), abs=0.005), verdict


def _message():
    return json_extraction_pb2.JsonExtractionTask()


def test_the_worked_example_says_what_happens():
    """The document's company record, its rules and its table of checks are those of the grader."""
    text = DOCUMENT.read_text("utf-8")
    verdict = grade(*worked(text))
    told = re.findall(r"^\| `([^`]+)` \| ([\d.]+) \| ([\d.]+) \|", text, re.MULTILINE)
    assert [(check.name, check.score, check.weight) for check in verdict.checks] == [
        (name, pytest.approx(float(score), abs=0.005), pytest.approx(float(weight), abs=0.005))
        for name, score, weight in told
    ]
    assert f"scores {verdict.score:.3f}." in text


def worked(text):
    """Return the task and the response of the worked example."""
    schema, expected, rules, response = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    message = {"schema": schema, "expected": expected, "rules": json.loads(rules), "checkFormats": True}
    record = wire.record(json_format.ParseDict(message, _message()), JsonExtractionTask)
    return record, f"```json\n{response}```"


KEYS = st.text(alphabet="abc/~*", min_size=1, max_size=2)
SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.text(alphabet="ab", max_size=2)
RECORDS = st.recursive(SCALARS, lambda x: st.lists(x, max_size=3) | st.dictionaries(KEYS, x, max_size=3), max_leaves=8)
OBJECTS = st.dictionaries(KEYS, RECORDS, min_size=1, max_size=4)
UNORDERED = (FieldRule(path="/list", unordered=True), FieldRule(path="/list/*/list", unordered=True))
"""Of `Nested` records: both levels of arrays come in any order."""
ITEMS = st.fixed_dictionaries({"k": SCALARS, "list": st.lists(SCALARS, max_size=3)})


@given(OBJECTS)
def test_the_reference_itself_is_accepted(record):
    """Any record is accepted as itself, bare or in a fence."""
    assert grade(task_of(record), json.dumps(record)).ruling is Ruling.ACCEPTED
    assert grade(task_of(record), f"Here:\n```json\n{json.dumps(record, indent=2)}\n```").score == 1.0


@given(OBJECTS, OBJECTS)
def test_two_records_that_differ_are_never_accepted(one, other):
    """Only an equal record gets full marks, though Python finds True and 1 equal."""
    alike = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (grade(task_of(one), json.dumps(other)).ruling is Ruling.ACCEPTED) == alike


@given(OBJECTS, st.data())
def test_leaving_out_a_right_field_costs(record, data):
    """A record is worth less without one of its fields, and less with one that is made up."""
    key = data.draw(st.sampled_from(sorted(record)))
    less = {name: value for name, value in record.items() if name != key}
    assert grade(task_of(record), json.dumps(less)).score < 1.0
    assert grade(task_of(record), json.dumps({**record, "made up": 1})).score < 1.0
    assert (
        grade(task_of(record), json.dumps({**less, "made up": 1})).score
        <= grade(task_of(record), json.dumps(less)).score
    )


@given(st.dictionaries(KEYS, st.integers(), min_size=2, max_size=6), st.data())
def test_the_score_rises_with_each_right_field(record, data):
    """Putting one wrong field right never lowers the score, and raises it by that field's share."""
    wrong = data.draw(st.sets(st.sampled_from(sorted(record)), min_size=1))
    worse = {key: value + (key in wrong) for key, value in record.items()}
    mended = {**worse, (key := min(wrong)): record[key]}
    gained = grade(task_of(record), json.dumps(mended)).score - grade(task_of(record), json.dumps(worse)).score
    assert gained == pytest.approx(1 / len(record))


@given(st.lists(ITEMS, min_size=1, max_size=4), st.lists(ITEMS, max_size=4), st.data())
def test_unordered_arrays_are_scored_alike_in_any_order(expected, actual, data):
    """Permuting what comes in any order, at both levels, does not change the score; a permutation is accepted."""
    task = task_of({"list": expected}, rules=UNORDERED)
    assert grade(task, json.dumps({"list": data.draw(st.permutations(expected))})).score == 1.0
    shuffled = [
        {**item, "list": data.draw(st.permutations(item["list"]))} for item in data.draw(st.permutations(actual))
    ]
    scores = [grade(task, json.dumps({"list": items})).score for items in (actual, shuffled)]
    assert scores[0] == pytest.approx(scores[1])


@given(OBJECTS, OBJECTS)
def test_the_checks_explain_the_score(one, other):
    """The score is the weighted mean of the checks, whatever is missing, wrong, extra or invalid."""
    schema = json.dumps({"required": sorted(one), "maxProperties": len(one)})
    verdict = grade(task_of(one, schema=schema), json.dumps(other))
    weight = math.fsum(check.weight for check in verdict.checks)
    assert verdict.score == pytest.approx(math.fsum(check.score * check.weight for check in verdict.checks) / weight)


@given(st.text(max_size=200) | st.text(alphabet='{}[]",:` \\\n0ajson', max_size=80))
def test_no_response_raises(response):
    """Whatever a model writes gets a verdict, and none of it is the reference."""
    assert grade(task_of({"name": "something else"}), response).score == 0.0


@given(OBJECTS)
def test_truncated_json_earns_nothing(record):
    """A record that breaks off is not repaired."""
    text = json.dumps(record)
    assume(len(text) > 2)
    assert grade(task_of(record), text[:-1]).score == 0.0


def test_many_fields_are_listed_in_part():
    """Of a thousand fields five hundred are checks of their own, and the score counts all."""
    record = {f"k{i}": i for i in range(1000)}
    verdict = grade(task_of(record), json.dumps({**record, "k999": -1, **{f"x{i}": i for i in range(100)}}))
    assert verdict.score == pytest.approx(999 / 1100)
    assert len(verdict.checks) < 550
    names = [check.name for check in verdict.checks]
    assert {"further_fields", "further_extra_fields", "accuracy", "completeness", "no_extra_fields"} <= set(names)


def test_accuracy_completeness_and_invention_are_apart():
    """One wrong field of three, one missing of four, two invented."""
    verdict = grade(task_of({"a": 1, "b": 2, "c": 3, "d": 4}), '{"a":1,"b":2,"c":9,"x":1,"y":2}')
    aspects = {check.name: (check.score, check.weight) for check in verdict.checks}
    assert aspects["accuracy"] == (pytest.approx(2 / 3), 0.0)
    assert aspects["completeness"] == (pytest.approx(3 / 4), 0.0)
    assert aspects["no_extra_fields"] == (pytest.approx(4 / 6), 0.0)


@pytest.mark.parametrize(
    ("ending", "ruling"),
    [
        (Ending.CPU_LIMIT, Ruling.TIME_LIMIT),
        (Ending.WALL_LIMIT, Ruling.TIME_LIMIT),
        (Ending.MEMORY_LIMIT, Ruling.MEMORY_LIMIT),
        (Ending.KILLED, Ruling.RUNTIME_ERROR),
    ],
)
def test_a_run_that_ends_early_scores_nothing(ending, ruling):
    """A response whose comparison meets a limit gets that ruling; a reference that does is the task's fault."""
    task = task_of({"a": 1})
    job = GRADER.plan(task, "{}", Limits())
    assert isinstance(job, Job)
    ended = Execution(ending=ending, report={})
    verdict = GRADER.judge(task, job, ended, executed(GRADER.prepare(task, Limits())))
    assert (verdict.score, verdict.ruling) == (0.0, ruling)
    with pytest.raises(InvalidTaskError):
        GRADER.judge(task, job, executed(job), ended)


def test_several_documents_are_flagged():
    """The last block is the answer, and that there were others is said."""
    verdict = grade(task_of({"a": 1}), '```json\n{"a":2}\n```\nNo:\n```json\n{"a":1}\n```')
    assert verdict.score == 1.0
    assert [flag.name for flag in verdict.flags] == ["several_documents"]


def test_a_json_too_long_to_send_is_refused():
    """What would not fit a frame gets a ruling instead of breaking the box."""
    verdict = grade(task_of({"a": 1}), '{"a":"' + "\x01" * 1_000_000 + '"}')
    assert (verdict.score, verdict.ruling) == (0.0, Ruling.OUTPUT_LIMIT)


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"expected": ""}, "expected"),
        ({"expected": "1" * ((1 << 20) + 1)}, "expected"),
        ({"schema": " " * ((1 << 20) + 1)}, "schema"),
        ({"schema": "\x00" * 600_000}, ""),
        ({"rules": (FieldRule(path="a"),)}, "rules[0].path"),
        ({"rules": (FieldRule(), FieldRule(weight=math.nan))}, "rules[1].weight"),
        ({"rules": (FieldRule(relative_tolerance=-1),)}, "rules[0].relative_tolerance"),
        ({"rules": (FieldRule(also_accepted=("1",) * 101),)}, "rules[0].also_accepted"),
        ({"rules": (FieldRule(),) * 1001}, "rules"),
        ({"schema_cost": 1.5}, "schema_cost"),
        ({"extra_field_weight": -0.1}, "extra_field_weight"),
    ],
)
def test_a_record_of_the_task_checks_itself(settings, path):
    """What cannot be a task is refused with the path of the field."""
    with pytest.raises(InvalidTaskError) as caught:
        JsonExtractionTask(**{"expected": "{}", **settings})
    assert caught.value.field == path


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"schema": "{"}, "schema"),
        ({"schema": '{"type":"nonsense"}'}, "schema"),
        ({"schema": '{"required":["b"]}'}, "expected"),
        ({"expected": '{"a":1,"a":1}'}, "expected"),
        ({"rules": (FieldRule(also_accepted=("{",)),)}, "rules[0].also_accepted[0]"),
        ({"rules": (FieldRule(path="/a", comparison=FieldComparison.DATE),)}, "expected"),
        ({"rules": (FieldRule(comparison=FieldComparison.IGNORED),)}, "expected"),
    ],
)
def test_a_task_whose_own_reference_fails_is_invalid(settings, path):
    """What only the sandbox can find out about a task names the field too, for any response."""
    task = JsonExtractionTask(**{"expected": '{"a":"never"}', **settings})
    for response in ("{}", "{", '{"a":"never"}'):
        with pytest.raises(InvalidTaskError) as caught:
            grade(task, response)
        assert caught.value.field == path
