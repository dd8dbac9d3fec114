"""Trees of expressions, and what letters in a row are: a word, a symbol or a product. Nothing is parsed here.

A tree is a tuple whose first item is its kind:
``("number", text)``, ``("repeating", text, digits)``, ``("based", digits, base)``, ``("symbol", name)``,
``("constant", name)``, ``("add"|"multiply", trees)``, ``("negate"|"percent"|"degrees", tree)``,
``("divide"|"power", left, right)``, ``("call", function, trees)``, ``("mixed", whole, top, bottom)``,
``("plus_minus", left or None, right)``, ``("quantity", tree, unit)``, ``("text", words)``,
``("sum"|"prod"|"bigcup", letter, low, high, tree)``.
"""

import itertools
from typing import Any, TypeAlias

from .words import FUNCTIONS, GREEK, JOINING_WORDS, SHORT_UNITS

Tree: TypeAlias = tuple[Any, ...]


def sum_of(terms: list[Tree]) -> Tree:
    """Return the tree of a sum; a single term is itself."""
    return terms[0] if len(terms) == 1 else ("add", tuple(terms))


def product_of(factors: list[Tree]) -> Tree:
    """Return the tree of a product; a single factor is itself."""
    return factors[0] if len(factors) == 1 else ("multiply", tuple(factors))


def indexed(name: str, below: Tree, above: Tree, term: Tree) -> Tree:
    """Return a sum over an index, which is called the same in every answer; one in another gets a name of its own."""
    letter, low = below[2]
    index = ("symbol", f"index_{str(term).count('index_')}")
    return (name, index, low, above, _exchanged(term, letter, index))


def _exchanged(tree: Any, old: Tree, new: Tree) -> Any:
    if tree == old:
        return new
    return tuple(_exchanged(part, old, new) for part in tree) if isinstance(tree, tuple) else tree


def listed(parts: list[Tree], ends: list[int]) -> Tree:
    """Return answers in a row as their list; where ``ends`` of groups are given, as a list of such lists."""
    if not ends:
        return parts[0] if len(parts) == 1 else ("list", tuple(parts))
    edges = [0, *(end for end in ends if end < len(parts)), len(parts)]
    return ("list", tuple(listed(parts[start:end], []) for start, end in itertools.pairwise(edges)))


def unbracketed(tree: Tree) -> Tree:
    """Return what stands alone in square brackets, where the brackets only hold a factor together."""
    if tree[0] == "power" and tree[1][:2] == ("group", "[") and len(tree[1][2]) == 1:
        return ("power", tree[1][2][0], tree[2])
    alone = tree[:2] == ("group", "[") and tree[3] == "]" and len(tree[2]) == 1
    return tree[2][0] if alone and tree[2][0][0] != "relation" else tree


def flat(part: Any) -> str:
    """Return a script as a name: its leaves, one after the other."""
    if isinstance(part, str):
        return part
    leaf = len(part) == 2 and isinstance(part[1], str)
    return part[1] if leaf else "".join(flat(inner) for inner in part)


def signed(left: Tree | None, sign: str, right: Tree) -> Tree:
    """Return ``right`` with a sign before it, and ``left`` before that where the sign is ±."""
    if sign == "-":
        return ("negate", right)
    return ("plus_minus", left, ("negate", right) if sign == "\\mp" else right)


def letter(name: str) -> Tree:
    """Return a letter as a symbol, or as the constant it names."""
    return ("constant", name) if name in ("e", "i") else ("symbol", name)


def is_word(text: str) -> bool:
    """Return whether letters are a word, such as a unit, rather than a product of symbols."""
    if text in FUNCTIONS or text in GREEK or text in ("pi", "oo", "inf", "infinity") or len(text) < 2:
        return False
    return len(text) > 3 or text.lower() in SHORT_UNITS or text.lower() in JOINING_WORDS


def mathematical(text: str) -> bool:
    """Return whether upright text is a symbol of mathematics, such as an upright e, and no unit."""
    return text.strip("\x02\x03 ") in ("i", "e", "d", "x", "y", "n")


def continued(digits: str) -> Tree | None:
    """Return ``0.1666...`` as a repeating decimal: a last digit thrice, or a last group twice, goes on for ever."""
    for size in range(1, (len(digits) - digits.index(".") - 1) // 2 + 1):
        period, times = digits[-size:], 3 if size == 1 else 2
        if digits.endswith(period * times) and "." not in period * times:
            return ("repeating", digits, period)
    return None
