"""Properties of the comparison, run in process: equal by construction is equal, perturbed is not, all is bounded."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_server.graders.math_answer import GRADER
from reward_server.tasks.math_answer import MathAnswerTask
from reward_server.verdict import Verdict
from sandboxes.base import Limits
from sandboxes.guests.math_answer import run
from sandboxes.guests.math_answer.grammar import parse
from sandboxes.guests.math_answer.tokens import GrammarError

SMALL = st.integers(-99, 99)
FRACTIONS = st.fractions(min_value=-50, max_value=50, max_denominator=60)


def outcome(expected: str, answer: str, **fields: object) -> str:
    """Return what the guest says of a boxed answer, or the ruling when the host settles it."""
    planned = GRADER.plan(MathAnswerTask(expected=expected, **fields), f"\\boxed{{{answer}}}", Limits())
    return planned.ruling.value if isinstance(planned, Verdict) else run(dict(planned.payload))["outcome"]


@given(FRACTIONS, st.integers(2, 9))
def test_a_fraction_equals_itself_unreduced(value: Fraction, factor: int):
    """Numerator and denominator times the same number are the same answer; one more in the numerator is not."""
    top, bottom = value.numerator * factor, value.denominator * factor
    assert outcome(f"{value.numerator}/{value.denominator}", f"\\frac{{{top}}}{{{bottom}}}") == "equal"
    assert outcome(f"{value.numerator}/{value.denominator}", f"\\frac{{{top + 1}}}{{{bottom}}}") == "different"


@given(SMALL, SMALL, SMALL)
@settings(deadline=None)
def test_an_expanded_product_equals_its_factors(a: int, b: int, c: int):
    """(x + a)(x + b) is x^2 + (a+b)x + ab; with another constant it is not."""
    factors = f"(x+({a}))(x+({b}))"
    assert outcome(factors, f"x^2+({a + b})x+({a * b})") == "equal"
    if c:
        assert outcome(factors, f"x^2+({a + b})x+({a * b + c})") == "different"


@given(SMALL, st.integers(1, 9))
@settings(deadline=None)
def test_a_distance_is_no_difference(a: int, b: int):
    """The root of a square is the absolute value, whichever way round; it is not what stood in the square."""
    difference, square = f"{b}x-({a})", f"\\sqrt{{{b * b}x^2-({2 * a * b})x+{a * a}}}"
    assert outcome(square, f"|{difference}|") == outcome(f"|{difference}|", square) == "equal"
    assert outcome(square, difference) == outcome(f"|{difference}|", difference) == "different"


@given(st.lists(SMALL, min_size=2, max_size=6, unique=True), st.randoms())
@settings(deadline=None)
def test_order_counts_in_tuples_only(items: list[int], dice):
    """A permuted set is the same set; a permuted tuple is another tuple; a set less one item is another set."""
    shuffled = dice.sample(items, len(items))
    body, other = ",".join(map(str, items)), ",".join(map(str, shuffled))
    assert outcome(f"\\{{{body}\\}}", f"\\{{{other}\\}}") == "equal"
    assert outcome(f"({body})", f"({other})") == ("equal" if items == shuffled else "different")
    assert outcome(f"\\{{{body}\\}}", "\\{" + ",".join(map(str, items[1:])) + "\\}") == "different"


@given(st.text(alphabet="0123456789xyei+-*/^_=<>()[]{}|,.;:!%&\\ fracsqtinpmd\n", max_size=200))
@settings(deadline=None, max_examples=300)
def test_any_text_is_read_or_refused(text: str):
    """The parser raises nothing but GrammarError."""
    try:
        parse(text)
    except GrammarError:
        return


@pytest.mark.parametrize(
    "text",
    ["(" * 5_000, "2^" * 900 + "2", "9^{9^{9^{9}}}", "9999999!", "((x+1)^{500})^{500}", "|" * 900, "\\frac" * 900],
)
def test_hostile_answers_end(text: str):
    """What would be huge, and take for ever, is refused or given up, and never accepted."""
    assert outcome("1", text) != "equal"


@given(st.lists(SMALL, min_size=2, max_size=5, unique=True), st.randoms())
@settings(deadline=None)
def test_a_row_of_boxes_is_one_list(items: list[int], dice):
    """Boxes joined by "and" are right together, in any order; one too few, and they are a hedge."""
    shuffled = dice.sample(items, len(items))
    expected = MathAnswerTask(expected=", ".join(map(str, items)))
    row, short = (" and ".join(f"$\\boxed{{{item}}}$" for item in boxes) for boxes in (shuffled, [*items[1:], 1_000]))
    assert _outcome_of(expected, f"The solutions are {row}.") == "equal"
    assert _outcome_of(expected, f"The solutions are {short}.") == "hedged"


def _outcome_of(task: MathAnswerTask, response: str) -> str:
    planned = GRADER.plan(task, response, Limits())
    return planned.ruling.value if isinstance(planned, Verdict) else run(dict(planned.payload))["outcome"]


@given(st.integers(1, 5), st.integers(-5, -1), st.permutations(["c_1", "c_2"]))
@settings(deadline=None, max_examples=20)
def test_arbitrary_constants_have_any_name(first: int, second: int, names: list[str]):
    """A general solution is the same under other names and in another order; with another function it is another."""
    expected = f"y=c_1e^{{{first}x}}+c_2e^{{{second}x}}"
    assert outcome(expected, f"y={names[0]}e^{{{first}x}}+{names[1]}e^{{{second}x}}") == "equal"
    assert outcome(expected, f"Ae^{{{second}x}}+Be^{{{first}x}}") == "equal"
    assert outcome(expected, f"Ae^{{{second}x}}+Be^{{{first + 1}x}}") == "different"


@given(st.integers(1, 12), st.integers(0, 59), st.integers(1, 11))
def test_times_are_no_ratios(hour: int, minute: int, later: int):
    """The same time is the same however it is written; another hour is another time, whatever the quotient."""
    assert outcome(f"{hour}:{minute:02} p.m.", f"{hour}:{minute:02} \\text{{ PM}}") == "equal"
    assert outcome(f"{hour}:{minute:02}", f"{(hour + later - 1) % 12 + 1}:{minute:02}") == "different"
