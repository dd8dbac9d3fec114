"""Takes away the name that an answer gives to a value, where the other answer has none."""

from .agreement import Rules, contradicts, holds
from .shapes import is_asked, is_name, names_values
from .trees import Tree


def bare(tree: Tree, other: Tree, rules: Rules, *, asked: bool = False) -> Tree:
    """Take the right side of ``x = 3`` or of "x in S" when the other answer is no relation.

    An answer (``asked``) may also have what was asked for on the left, as in ``m + n = 24``.
    """
    match tree:
        case ("relation", signs, (left, *_, right)) if asked and set(signs) == {"="} and is_asked(left, right, other):
            total: Tree = right
            return total
        case ("relation", signs, (left, *_, right)) if set(signs) == {"="} and other[0] != "relation":
            named = is_name(left) and not contradicts(tree[2][1:], rules)
            chosen: Tree = right if named or (asked and holds(tree[2], rules)) else tree
            return chosen
        case ("power", ("group", "(", items, ")"), ("symbol", "T")):
            return ("group", "(", items, ")")
        case ("relation", ("in",), (_, right)):
            within: Tree = right
            return within
        case ("list", parts) if other[0] != "relation" and not (names_values(tree) and names_values(other)):
            return ("list", tuple(part if part[0] == "list" else bare(part, ("number", "0"), rules) for part in parts))
        case ("group", "(" | "[", (only,), ")" | "]") if other[0] != "group":
            return bare(only, other, rules)
    return tree
