"""Decides whether final answers are the expected one, and checks the steps that led there.

Payload: ``answers`` (candidates; the last is the answer; may be empty), ``joined`` (they as a list, where they stand
in one row), ``expected`` (accepted answers), ``rules``, ``form``, ``places``, ``comma_locale``, ``choices``,
``solution`` (None without steps) and ``givens``. Report: ``outcome`` (``equal``, ``different``, ``form``,
``undecided``, ``unreadable``, ``hedged`` or ``none``), ``detail`` and ``steps``.
"""

import contextlib
import random
import re
import signal
from collections.abc import Iterator
from typing import Any

import sympy.core.cache
import sympy.core.random

from .agreement import Rules, UndecidedError
from .conventions import alike
from .forms import fault
from .grammar import parse
from .steps import check_steps
from .tokens import GrammarError, clean
from .trees import Tree
from .values import ValueBoundError
from .warmth import warm

_SECONDS = 1.5
"""Own budget of CPU time for the answer, and again for the steps: how busy the machine is decides nothing."""
_FAULTS = (ArithmeticError, TypeError, ValueError, AttributeError, NotImplementedError, RecursionError)
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+")
"""One number in groups of three digits, or several of three digits: the reference says which."""
_DOLLARS = re.compile(r"\\?\$\s?(\d[\d,.{}!\\]{0,40})")
"""An amount of money, which is no amount of cents."""
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def run(payload: dict[str, Any]) -> dict[str, Any]:
    """Compare the answer with every accepted one, then check the steps."""
    _throw_same_dice()
    outcome, detail = "none", ""
    with _budget() as spent:
        if payload["answers"]:
            outcome, detail = "undecided", "the comparison took too long"
            outcome, detail = _compare(payload)
            if outcome == "hedged" and payload["joined"]:
                outcome, detail = _joined(payload, detail)
    if spent and outcome == "none" and payload["answers"]:
        outcome, detail = "undecided", "the comparison took too long"
    steps: list[dict[str, Any]] = []
    if payload["solution"] is not None:
        with _budget():
            check_steps(payload["solution"], payload["givens"], _references(payload), steps)
    return {"outcome": outcome, "detail": detail, "steps": steps}


def _throw_same_dice() -> None:
    """Have SymPy ask its questions in the same order for the same answer, whatever was compared before."""
    random.seed(0)
    sympy.core.random.seed(0)


def _references(payload: dict[str, Any]) -> list[str]:
    """Return the accepted answers; of a choice, its text."""
    expected: list[str] = payload["expected"]
    letter = _choice(expected[0])
    position = _LETTERS.index(letter) if letter else len(payload["choices"])
    return [*expected, *payload["choices"][position : position + 1]]


@contextlib.contextmanager
def _budget() -> Iterator[list[bool]]:
    """Leave the block once its time is up; what it yields then holds an item."""
    spent: list[bool] = []

    def stop(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, _SECONDS)
    try:
        yield spent
    except TimeoutError:
        spent.append(True)
        sympy.core.cache.clear_cache()  # an interrupted question leaves "not known" behind in what it was asked of
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _compare(payload: dict[str, Any]) -> tuple[str, str]:
    answers, expected = payload["answers"], payload["expected"]
    letter = _choice(expected[0])
    if letter and (len(expected) == 1 or payload["choices"]):
        return _by_letter(answers, letter, payload["choices"])
    comma = payload["comma_locale"]
    rules = Rules(**payload["rules"])
    references = [tree for text in expected if (tree := _parsed(text, comma)) is not None]
    lists = any(tree[0] in ("list", "set") for tree in references)
    trees = [_parsed(_apart(text) if lists else text, comma) for text in answers]
    if not references or trees[-1] is None:
        return _by_text(answers, expected, readable=trees[-1] is not None)
    if any(other is None or _decide(other, [trees[-1]], rules)[0] != "equal" for other in trees[:-1]):
        return "hedged", f"{len(answers)} final answers that differ"
    outcome, detail = _decide(trees[-1], references, rules)
    return _formed(trees[-1], payload) if outcome == "equal" else (outcome, detail)


def _joined(payload: dict[str, Any], hedge: str) -> tuple[str, str]:
    """Compare answers that stand in one row as one list; it is a hedge as before unless the whole list is right."""
    outcome, detail = _compare({**payload, "answers": [payload["joined"]]})
    return (outcome, detail) if outcome in ("equal", "form") else ("hedged", hedge)


def _apart(text: str) -> str:
    """Return numbers of three digits, which look like one number in groups, as a list of them."""
    return text.replace(",", ", ") if _GROUPED.fullmatch(text) else text


def _formed(tree: Tree, payload: dict[str, Any]) -> tuple[str, str]:
    try:
        problem = fault(tree, payload["form"], payload["places"])
    except (ValueBoundError, *_FAULTS) as error:
        problem = f"its form could not be checked: {error}"
    return ("form", problem) if problem else ("equal", "")


def _parsed(text: str, comma_locale: bool) -> Tree | None:  # noqa: FBT001 - private
    amount = _DOLLARS.fullmatch(text.strip())
    try:
        return parse(f"{amount[1]} \\text{{ dollars}}" if amount else text, comma_locale=comma_locale)
    except GrammarError:
        return None


def _decide(answer: Tree, expected: list[Tree], rules: Rules) -> tuple[str, str]:
    outcome, detail = "different", ""
    for other in expected:
        try:
            if alike(answer, other, rules):
                return "equal", ""
        except UndecidedError as error:
            outcome, detail = "undecided", str(error)
        except TimeoutError:
            raise
        except _FAULTS as error:
            outcome, detail = "undecided", f"{type(error).__name__}: {error}"
    return outcome, detail


def _choice(text: str) -> str:
    """Return the letter of a multiple-choice answer, or nothing."""
    plain = clean(text)
    if plain.startswith("\x02(") and plain[3:5] == ")\x03" and plain[5:]:
        plain = plain[2]
    bare = plain.strip("\x02\x03(){}[]. ")
    return bare.upper() if len(bare) == 1 and bare in _LETTERS[:10] else ""


def _by_letter(answers: list[str], letter: str, choices: list[str]) -> tuple[str, str]:
    texts = {_flat(text): _LETTERS[position] for position, text in enumerate(choices)}
    letters = {texts.get(_flat(text)) or _leading_letter(text) for text in answers}
    if len(letters) > 1:
        return "hedged", f"the choices {', '.join(sorted(letters))}"
    said = letters.pop()
    return "equal" if said == letter else "different", f"the choice {said or 'cannot be read'}"


def _leading_letter(text: str) -> str:
    """Return the letter an answer begins with; nothing where a second letter follows, as in "A or B"."""
    bare = clean(text).replace("\x02", "").replace("\x03", "").lstrip("({[ ")
    letter, rest = bare[:1].upper(), bare[1:].lstrip()
    if not letter.isalpha() or bare[1:2].isalnum() or bare[1:2] in ("_", "^", "'"):
        return ""
    others = [word.strip("().,;&") for word in rest.replace("/", " ").replace(",", " ").split()[:3]]
    return "" if any(len(word) == 1 and word in _LETTERS[:10] and word != letter for word in others) else letter


def _by_text(answers: list[str], expected: list[str], *, readable: bool) -> tuple[str, str]:
    texts = {_flat(text) for text in answers}
    if len(texts) > 1:
        return "hedged", "several final answers that differ"
    if texts & {_flat(text) for text in expected}:
        return "equal", ""
    if readable:
        return "different", "compared as text, since the reference is no formula"
    return "unreadable", f"{answers[-1][:200]!r} is not understood"


def _flat(text: str) -> str:
    return "".join(clean(text).replace("\x02", "").replace("\x03", "").split()).lower()


warm(_compare, check_steps)
