"""Decides whether final answers are the expected one.

Payload: ``answers`` (candidates; the last is the answer), ``expected`` (accepted answers), ``rules``. Report:
``outcome`` (``equal``, ``different``, ``undecided``, ``unreadable`` or ``hedged``) and ``detail``.
"""

from typing import Any

from .math_comparison import Rules, UndecidedError, same
from .math_grammar import GrammarError, Tree, clean, parse


def run(payload: dict[str, Any]) -> dict[str, Any]:
    """Compare the answer with every accepted one."""
    rules = Rules(**payload["rules"])
    expected = []
    for text in payload["expected"]:
        try:
            expected.append(parse(text))
        except GrammarError as error:
            if len(payload["expected"]) == 1 and not _choice(text):
                return _by_text(payload["answers"], text, f"the reference is compared as text: {error}")
    if (letter := _choice(payload["expected"][0])) and len(payload["expected"]) == 1:
        return _by_letter(payload["answers"], letter)
    answers = payload["answers"]
    trees = [_parsed(text) for text in answers]
    if trees[-1] is None:
        return {"outcome": "unreadable", "detail": f"{answers[-1][:200]!r} is not understood"}
    if any(other is None or _decide(other, [trees[-1]], rules)[0] != "equal" for other in trees[:-1]):
        return {"outcome": "hedged", "detail": f"{len(answers)} final answers that differ"}
    outcome, detail = _decide(trees[-1], expected, rules)
    return {"outcome": outcome, "detail": detail}


def _parsed(text: str) -> Tree | None:
    try:
        return parse(text)
    except GrammarError:
        return None


def _decide(answer: Tree, expected: list[Tree], rules: Rules) -> tuple[str, str]:
    outcome, detail = "different", ""
    for other in expected:
        try:
            if same(answer, other, rules):
                return "equal", ""
        except (UndecidedError, RecursionError) as error:
            outcome, detail = "undecided", str(error)
        except (ArithmeticError, TypeError, ValueError, AttributeError, NotImplementedError) as error:
            outcome, detail = "undecided", f"{type(error).__name__}: {error}"
    return outcome, detail


def _choice(text: str) -> str:
    """Return the letter of a multiple-choice answer, or nothing."""
    bare = clean(text).strip("\x02\x03(){}[]. ")
    return bare.upper() if len(bare) == 1 and bare in "ABCDEFGHIJ" else ""


def _by_letter(answers: list[str], letter: str) -> dict[str, Any]:
    letters = {_leading_letter(text) for text in answers}
    if len(letters) > 1:
        return {"outcome": "hedged", "detail": f"the choices {', '.join(sorted(letters))}"}
    said = letters.pop()
    return {"outcome": "equal" if said == letter else "different", "detail": f"the choice {said or 'cannot be read'}"}


def _leading_letter(text: str) -> str:
    bare = clean(text).replace("\x02", "").replace("\x03", "").lstrip("({[ ")
    return bare[:1].upper() if bare[:1].isalpha() and not bare[1:2].isalnum() else ""


def _by_text(answers: list[str], expected: str, detail: str) -> dict[str, Any]:
    texts = {"".join(clean(text).split()).lower() for text in answers}
    if len(texts) > 1:
        return {"outcome": "hedged", "detail": "several final answers that differ"}
    equal = texts == {"".join(clean(expected).split()).lower()}
    return {"outcome": "equal" if equal else "different", "detail": detail}
