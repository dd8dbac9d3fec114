"""Reads units behind values: words with powers, products and slashes, and quantities in two units."""

from abc import ABC, abstractmethod

from .cursor import Cursor
from .tokens import GrammarError
from .trees import Tree, flat, is_word, mathematical
from .units import compound, unit_name
from .words import JOINING_WORDS


class Measures(Cursor, ABC):
    """What stands behind a value and says what it is a value of."""

    @abstractmethod
    def product(self) -> Tree:
        """Read factors."""

    @abstractmethod
    def script(self) -> Tree:
        """Read what stands behind ^ or _."""

    def starts_unit(self) -> bool:
        """Return whether a word is next that is no factor."""
        kind, text, _ = self.peek()
        if kind == "text":
            return text.strip("\x02\x03 ,").lower() not in (*JOINING_WORDS, "to") and not mathematical(text)
        return kind == "word" and text.lower() not in JOINING_WORDS and is_word(text)

    def unit(self) -> str:
        """Read a unit and what belongs to it: a power, or further units behind slashes and dots."""
        unit = self._measure()
        while self.peek()[1] in ("/", "\\cdot", "*") and self._is_unit(1):
            unit += "/" if self.take()[1] == "/" else " "
            unit += self._measure()
        return unit

    def _is_unit(self, ahead: int) -> bool:
        kind, text, _ = self.peek(ahead)
        return kind == "text" or (kind == "word" and is_word(text))

    def _measure(self) -> str:
        unit = unit_name(self.take()[1].strip("\x02\x03 .,"))
        if self.accept("^", "**"):
            power = self.script()
            unit += f"^-{flat(power[1])}" if power[0] == "negate" else f"^{flat(power)}"
        return unit

    def compound(self, tree: Tree, unit: str) -> Tree:
        """Read the rest of ``6 ft 3 in`` as part of one quantity."""
        rest = self.product()
        if rest[0] != "quantity" or tree[0] != "number" or (sized := compound(tree[1], unit, rest)) is None:
            raise GrammarError("two quantities stand side by side")
        return sized
