"""Which rule holds for which field: JSON pointers with ``*``, followed step by step as a record is walked."""

from dataclasses import dataclass, field
from typing import Any, Self

from . import strict_json


class TaskError(ValueError):
    """The task cannot be used; the message says why."""

    def __init__(self, field_path: str, message: str) -> None:
        super().__init__(message)
        self.field_path = field_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How a field is compared; see FieldRule in proto/reward/v1/json_extraction.proto."""

    comparison: str = "exact"
    relative_tolerance: float = 0.0
    absolute_tolerance: float = 0.0
    decimal_comma: bool = False
    day_first: bool | None = None
    measure: str = "levenshtein"
    min_similarity: float = 0.5
    unordered: bool = False
    weight: float | None = None
    optional: bool = False
    accepted: tuple[Any, ...] = ()


_DEFAULT = Rule()


@dataclass(slots=True)
class _Node:
    """A step of the rules' paths."""

    below: dict[str, "_Node"] = field(default_factory=dict)
    """By key or index; `*` is among them."""
    rule: tuple[int, Rule] | None = None
    """The first rule that ends here, and its place among all."""


class Position:
    """A place in a record, as far as the rules care."""

    __slots__ = ("_nodes",)

    def __init__(self, nodes: tuple[_Node, ...]) -> None:
        self._nodes = nodes

    @property
    def rule(self) -> Rule:
        """The rule that holds here."""
        found = [node.rule for node in self._nodes if node.rule]
        return min(found, key=lambda entry: entry[0])[1] if found else _DEFAULT

    def down(self, key: str) -> "Position":
        """Return the place below, at a key or an index."""
        if not self._nodes:
            return self
        nodes = [found for node in self._nodes for step in {key, "*"} if (found := node.below.get(step))]
        return Position(tuple(nodes))

    @classmethod
    def top(cls, rules: list[dict[str, Any]]) -> Self:
        """Return the root of a record under ``rules``. Raises `TaskError`."""
        root = _Node()
        for i, given in enumerate(rules):
            node = root
            for step in given["path"].split("/")[1:]:
                node = node.below.setdefault(step.replace("~1", "/").replace("~0", "~"), _Node())
            if node.rule is None:
                node.rule = (i, _rule(given, i))
        return cls((root,))


def _rule(given: dict[str, Any], number: int) -> Rule:
    accepted = []
    for j, text in enumerate(given["accepted"]):
        try:
            accepted.append(strict_json.parse(text))
        except strict_json.StrictJsonError as error:
            raise TaskError(f"rules[{number}].also_accepted[{j}]", str(error)) from None
    return Rule(
        **{key: value for key, value in given.items() if key not in ("path", "accepted")}, accepted=tuple(accepted)
    )
