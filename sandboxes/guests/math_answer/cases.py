"""Definitions by cases in one spelling, as trees: conditions with words, and what "otherwise" stands for."""

from .trees import Tree

_OPPOSITE = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "=": "!=", "!=": "="}
_FILLERS = frozenset(("is", "an", "a", "if", "when", "for", "number", "integer"))
_OTHERWISE: Tree = ("text", "otherwise")


def spelled(tree: Tree) -> Tree:
    """Return cases with "otherwise" as the opposite of the only other condition, and words of conditions as such."""
    if tree[0] != "cases":
        return tree
    rows = [(row[0], _condition(row[1])) if len(row) == 2 else row for row in tree[1]]
    if len(rows) == 2 and all(len(row) == 2 for row in rows):
        first, second = rows[0][1], rows[1][1]
        rows = [(rows[0][0], _opposite(second, first)), (rows[1][0], _opposite(first, second))]
    return ("cases", tuple(rows))


def turned(tree: Tree) -> Tree:
    """Return cases in reverse order, "otherwise" last: conditions that hold together must give the same value."""
    if tree[0] != "cases":
        return tree
    rows = tree[1][:-1] if tree[1] and tree[1][-1][-1] == _OTHERWISE else tree[1]
    return ("cases", (*rows[::-1], *tree[1][len(rows) :]))


def _condition(tree: Tree) -> Tree:
    """Return ``n is odd`` as the words of a condition, which must agree; of letters, not of values."""
    match tree:
        case ("quantity", ("symbol", letter), said):
            return ("text", " ".join([letter, *(word for word in str(said).split() if word not in _FILLERS)]))
        case ("text", said):
            return ("text", " ".join(word for word in str(said).split() if word not in _FILLERS))
    return tree


def _opposite(other: Tree, condition: Tree) -> Tree:
    if condition == _OTHERWISE and other[0] == "relation" and len(other[1]) == 1 and other[1][0] in _OPPOSITE:
        return ("relation", (_OPPOSITE[other[1][0]],), other[2])
    return condition
