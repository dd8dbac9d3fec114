"""In which form an answer is given: decimal, exact, simplified, factored, expanded. Values are compared elsewhere."""

from collections.abc import Iterator

import sympy

from .trees import Tree
from .values import value

_MAX_OPERATIONS = 200


def fault(tree: Tree, form: str, places: int | None) -> str:
    """Return what is wrong with the form of an answer; nothing when it is as asked."""
    match form:
        case "exact" if any(part[0] == "number" and "." in part[1] for part in _parts(tree)):
            return "a decimal is given where an exact value is asked"
        case "decimal" if not _is_decimal(tree, places or 0):
            return f"no decimal numeral with {places} decimal places"
        case "simplified":
            return next((why for part in _parts(tree) if (why := _unsimplified(part))), "")
        case "expanded" if any(_unexpanded(part) for part in _parts(tree)):
            return "a product or power of a sum is left to multiply out"
        case "factored" if not _is_factored(tree):
            return "it is no product of factors that cannot be factored further"
    return ""


def _parts(tree: Tree) -> Iterator[Tree]:
    """Yield every tree in ``tree``, itself included; trees are bounded in depth."""
    if tree and isinstance(tree[0], str):
        yield tree
    for inner in tree:
        if isinstance(inner, tuple):
            yield from _parts(inner)


def _is_decimal(tree: Tree, places: int) -> bool:
    while tree[0] in ("negate", "quantity", "percent"):
        tree = tree[1]
    if tree[0] == "relation":
        return _is_decimal(tree[2][-1], places)
    return bool(tree[0] == "number" and len(tree[1].partition(".")[2]) == places)


def _unsimplified(tree: Tree) -> str:
    match tree:
        case ("divide", ("number", top), ("number", bottom)) | ("mixed", _, ("number", top), ("number", bottom)):
            if not (top.isdigit() and bottom.isdigit()):
                return "a fraction of decimals"
            return "a fraction is not in lowest terms" if sympy.igcd(int(top), int(bottom)) > 1 or bottom == "1" else ""
        case ("call", "sqrt", (("number", inside),)) if inside.isdigit() and len(inside) <= 15:
            square = any(power > 1 for power in sympy.factorint(int(inside), limit=10**4).values())
            return "a square factor is left under a root" if square or inside in ("0", "1") else ""
    return ""


def _unexpanded(tree: Tree) -> bool:
    match tree:
        case ("multiply", factors):
            return any(factor[0] == "add" for factor in factors)
        case ("power", ("add", _), ("number", power)):
            return bool(power.isdigit() and int(power) > 1)
    return False


def _is_factored(tree: Tree) -> bool:
    match tree:
        case ("relation", _, trees):
            return _is_factored(trees[-1])
        case ("negate", inner):
            return _is_factored(inner)
        case ("multiply", factors):
            return all(_is_factored(factor) for factor in factors)
        case ("power", base, ("number", _)):
            return _is_factored(base)
        case ("divide", top, bottom):
            return _is_factored(top) and _is_factored(bottom)
    polynomial = value(tree)
    if not polynomial.free_symbols:
        return bool(tree[0] != "add")
    if sympy.count_ops(polynomial) > _MAX_OPERATIONS or not polynomial.is_polynomial():
        return True
    content, factors = sympy.factor_list(polynomial)
    return bool(len(factors) == 1 and factors[0][1] == 1 and (tree[0] != "add" or abs(content) == 1))
