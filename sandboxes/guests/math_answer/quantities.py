"""A value and its unit, however the unit is written, as trees. Nothing is computed here."""

from .trees import Tree, product_of
from .units import measure

_CAPITALS = {"N": "n", "J": "j", "W": "w", "V": "v", "K": "k", "Omega": "ohm"}
"""Letters that are units as capitals only."""


def bare_unit(tree: Tree, unit: str, other: str) -> tuple[Tree, str]:
    """Take a letter behind a number for the unit that the other answer has."""
    match tree:
        case ("multiply", (("number", _) as inner, ("symbol", letter))) if not unit and letter.lower() == other:
            return inner, other
    return tree, unit


def quantity(tree: Tree, other: Tree) -> tuple[Tree, str]:
    r"""Return value and unit; letters behind a value, as in ``9.8\,m\,s^{-2}``, are one if the other is.

    What stands behind degrees is the name of a scale or a direction: it must agree where both say it.
    """
    match tree:
        case ("quantity", ("degrees", _) as inner, unit) | ("multiply", (("degrees", _) as inner, ("symbol", unit))):
            return inner, f"°{unit.lower()}"
        case ("quantity", inner, unit):
            return inner, unit
        case ("degrees", inner):
            return inner, "degree"
    inner, unit = _implied(tree)
    measured = measure(unit) if unit and other[0] in ("quantity", "degrees") else None
    wanted = measure(quantity(other, ("number", "0"))[1])
    return (inner, unit) if measured and wanted and measured[0] == wanted[0] else (tree, "")


def _implied(tree: Tree) -> tuple[Tree, str]:
    match tree:
        case ("multiply", factors):
            start = next((i for i in range(1, len(factors)) if all(map(_named, factors[i:]))), len(factors))
            front, units = factors[:start], factors[start:]
            return product_of(list(front)), " ".join(map(_named, units))
        case ("divide", top, bottom):
            inner, unit = _implied(top)
            below = _named(bottom)
            return (inner, f"{unit}/{below}") if unit and below else (tree, "")
    return tree, ""


def _named(tree: Tree) -> str:
    """Return letters with powers as the name of a unit; nothing where they cannot be one."""
    match tree:
        case ("symbol" | "text", str(name)):
            return _CAPITALS.get(name, "" if name in _CAPITALS.values() else name)
        case ("power", base, ("number", power)) if (name := _named(base)) and "^" not in name:
            return f"{name}^{power}"
        case ("power", base, ("negate", ("number", power))) if (name := _named(base)) and "^" not in name:
            return f"{name}^-{power}"
        case ("multiply", parts) if all(map(_named, parts)):
            return " ".join(map(_named, parts))
        case ("divide", top, bottom) if _named(top) and _named(bottom):
            return f"{_named(top)}/{_named(bottom)}"
    return ""
