"""A value and its unit, however the unit is written, as trees. Nothing is computed here."""

from .trees import Tree
from .units import measure


def bare_unit(tree: Tree, unit: str, other: str) -> tuple[Tree, str]:
    """Take a letter behind a number for the unit that the other answer has."""
    match tree:
        case ("multiply", (("number", _) as inner, ("symbol", letter))) if not unit and letter.lower() == other:
            return inner, other
    return tree, unit


def quantity(tree: Tree) -> tuple[Tree, str]:
    """Return value and unit; a single letter behind a number is a unit where the other answer has one."""
    match tree:
        case ("quantity", inner, unit):
            return inner, unit
        case ("degrees", inner):
            return inner, "degree"
        case ("multiply", (("number", _) as inner, ("symbol", unit))) if measure(unit):
            return inner, unit
        case ("multiply", (("number", _) as inner, ("power", ("symbol", unit), ("number", "2" | "3" as power)))):
            return (inner, f"{unit}^{power}") if measure(unit) else (tree, "")
        case ("divide", top, bottom):
            inner, unit = quantity(top)
            below = _unit_below(bottom)
            return (inner, f"{unit}/{below}") if unit and below and measure(below) else (tree, "")
    return tree, ""


def _unit_below(tree: Tree) -> str:
    match tree:
        case ("symbol" | "text", unit):
            return str(unit)
        case ("power", ("symbol" | "text", unit), ("number", power)):
            return f"{unit}^{power}"
    return ""
