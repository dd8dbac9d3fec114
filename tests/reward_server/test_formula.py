"""Formulas: read as Python reads the same expression, and nothing else is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_server.formula import FormulaError, evaluate, names_in, parse

SCORES = {"a": 0.25, "b": 0.75}
ATOMS = st.sampled_from(["a", "b", "1", "0.5", "2.0", ".25"])
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(lambda parts: "({} {} {})".format(*parts)),
        st.tuples(inner, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), inner).map(
            lambda parts: "({} {} {})".format(*parts)
        ),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda parts: "{}({}, {})".format(*parts)),
        inner.map(lambda text: f"(-{text})"),
        inner.map(lambda text: f"(not {text})"),
        inner.map(lambda text: f"abs({text})"),
    ),
    max_leaves=12,
)


@given(EXPRESSIONS)
def test_a_formula_means_what_it_means_in_python(text):
    """Precedence, comparisons and functions are Python's."""
    expected = eval(text, {"__builtins__": {}, "min": min, "max": max, "abs": abs}, SCORES)
    assert evaluate(parse(text), SCORES) == pytest.approx(float(expected))


@pytest.mark.parametrize(
    "text",
    ["a + b * a - a * b + b", "-a * -b", "a - b - a", "b / a / 2", "not a < b", "1 - -a", "a < b and b < 1 or a"],
)
def test_operators_bind_as_in_python(text):
    """Without brackets."""
    expected = eval(text, {"__builtins__": {}}, SCORES)
    assert evaluate(parse(text), SCORES) == pytest.approx(float(bool(expected) if "and" in text else expected))


@given(st.text())
def test_any_text_is_a_formula_or_refused(text):
    """Never another exception, and never a name that is not in the text."""
    try:
        expression = parse(text)
    except FormulaError:
        return
    assert all(name in text for name in names_in(expression))


def test_a_long_chain_is_refused_before_recursion():
    """Trees are bounded in depth however they are written."""
    for text in ("+".join(["a"] * 2_000), "(" * 2_000, "not " * 1_000 + "a", "-" * 4_000 + "a"):
        with pytest.raises(FormulaError):
            parse(text)
