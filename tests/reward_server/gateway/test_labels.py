"""What a label means, and templates that can only look things up."""

import pytest
from google.protobuf import json_format

from reward_server.config import ConfigError
from reward_server.gateway.labels import Labels
from reward_server.gateway.templates import MAX_RENDERED_CHARACTERS, TemplateError, fill, render
from reward_server.statuses import RequestError

LABELS = Labels(
    {
        "text": '{"textMatch": {"expected": "{{ label.word }}", "accepted": "{{label.more}}"}}',
        "mixed": '{"textMatch": {"expected": "It is {{label}}!"}}',
    }
)
MATH = {"mathAnswer": {"expected": "4"}}


@pytest.mark.parametrize(
    ("label", "task"),
    [
        ("4", MATH),
        (4, MATH),
        (0.5, {"mathAnswer": {"expected": "0.5"}}),
        ("First 2, then 2.\n#### 4", MATH),
        (MATH, MATH),
        ('{"mathAnswer": {"expected": "4"}}', MATH),
        ({"math_answer": {"expected": "4"}}, MATH),
        ({"task": MATH, "prompt": []}, MATH),
        ({"ground_truth": "4", "style": "rule"}, MATH),
        ({"ground_truth": '{"mathAnswer": {"expected": "4"}}'}, MATH),
        (r"\{1, 2\}", {"mathAnswer": {"expected": r"\{1, 2\}"}}),
        ("{1, 2}", {"mathAnswer": {"expected": "{1, 2}"}}),
    ],
)
def test_a_label_is_a_task_or_the_answer(label, task):
    """Tasks as JSON are themselves; texts and numbers are mathematical answers."""
    assert json_format.MessageToDict(LABELS.task(label, "label")) == task


@pytest.mark.parametrize("label", [None, True, "", "  ", [], ["4"], {}, {"answer": "4"}])
def test_what_is_neither_is_refused(label):
    """Nothing is guessed: the label's path is in the message."""
    with pytest.raises(RequestError, match=r"^labels\[3\]: "):
        LABELS.task(label, "labels[3]")


def test_a_task_with_a_mistake_is_told_where():
    """The path goes on below the label."""
    with pytest.raises(RequestError, match=r"^label\.mathAnswer: .*no field named \"expcted\""):
        LABELS.task({"mathAnswer": {"expcted": "4"}}, "label")


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ({"mathAnswer": None}, "label: no grader is set"),
        ({"mathAnswer": {"expected": "4"}, "limits": {"memoryBytes": 1e30}}, "label.limits.memoryBytes: "),
        ({"mathAnswer": {}, "sqlQuery": {}}, "label: "),
        ({"codeTests": {"callTests": [{"args": 5}]}}, "label.codeTests.callTests"),
    ],
)
def test_whatever_is_wrong_in_a_task_is_told_below_the_label(label, said):
    """Numbers past a field's range, two graders, wrong types: the message begins with the path."""
    with pytest.raises(RequestError) as error:
        LABELS.task(label, "label")
    assert str(error.value).replace("call_tests", "callTests").startswith(said)


def test_templates_take_values_and_texts():
    """A place alone gives its value as it is; within a text it gives text."""
    filled = LABELS.task({"word": "a", "more": ["b", "c"]}, "label", template="text")
    assert list(filled.text_match.accepted) == ["b", "c"]
    assert LABELS.task({"word": 5, "more": []}, "label", template="text").text_match.expected == "5"
    assert LABELS.task(5, "label", template="mixed").text_match.expected == "It is 5!"
    with pytest.raises(RequestError, match="there is no 'more'"):
        LABELS.task({"word": "a"}, "label", template="text")


@pytest.mark.parametrize("text", ["{", "[]", '{"nope": 1}'])
def test_a_template_that_is_no_task_is_found_at_the_start(text):
    """A mistake in the configuration stops the server before a call can meet it."""
    with pytest.raises(ConfigError, match=r"label_tasks\.bad"):
        Labels({"bad": text})


VALUES = {
    "item": {"a": {"b": ["x", {"c": 1}]}, "t": "{{ sample.secret }}"},
    "sample": {"output_text": "hi", "secret": 7},
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("", ""),
        ("no places { } }}", "no places { } }}"),
        ("{{item.a.b[0]}}-{{ item.a.b.1.c }}", "x-1"),
        ("{{item.a}}", '{"b": ["x", {"c": 1}]}'),
        ("{{sample.output_text}}{{sample.output_text}}", "hihi"),
        ("{{item.t}}", "{{ sample.secret }}"),
    ],
)
def test_places_are_looked_up(template, text):
    """Values are put in once; what they hold is never a template."""
    assert render(template, VALUES) == text


@pytest.mark.parametrize(
    "path",
    [
        "",
        "nope",
        "item.__class__",
        "item.a.keys()",
        "item.a.b[-1]",
        "item.a.b[9]",
        "item..a",
        "item.a|upper",
        "1+1",
        "a b",
    ],
)
def test_nothing_else_is_a_template(path):
    """There are no attributes, calls, filters or expressions."""
    with pytest.raises(TemplateError):
        render("{{" + path + "}}", VALUES)


def test_templates_cannot_blow_up():
    """A long value in many places ends in an error, not in memory."""
    with pytest.raises(TemplateError, match=str(MAX_RENDERED_CHARACTERS)):
        render("{{sample.t}}" * 1000, {"sample": {"t": "x" * (1 << 20)}})


def test_json_is_filled_at_every_depth():
    """Strings in lists and objects are filled, other values stay."""
    assert fill({"a": [1, "{{item.a.b}}", {"k": "v {{item.a.b[0]}}"}]}, VALUES) == {
        "a": [1, ["x", {"c": 1}], {"k": "v x"}]
    }
