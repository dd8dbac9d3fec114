"""Reads operators that bind a letter: sums and products over an index, integrals, limits."""

from abc import abstractmethod

from .measures import Measures
from .tokens import GrammarError, Token
from .trees import Tree, indexed, product_of
from .words import FUNCTIONS, GREEK, JOINING_WORDS

_ARROWS = ("\\to", "\\rightarrow", "\\longrightarrow")
_SIDES = {("^", "+"): "+", ("^", "-"): "-", ("^", "{", "+", "}"): "+", ("^", "{", "-", "}"): "-"}
_D: Tree = ("symbol", "d")


class Operators(Measures):
    """Operators with a letter of their own, which is called the same in every answer."""

    _level = -1
    """How deep the integrand of the innermost open integral stands."""

    @abstractmethod
    def answer(self) -> Tree:
        """Read what may stand between brackets."""

    @abstractmethod
    def sum(self) -> Tree:
        """Read terms with signs between them."""

    @abstractmethod
    def atom(self) -> Tree:
        """Read one factor without its powers."""

    def over_index(self, name: str) -> Tree:
        """Read a sum, product or union over an index: bounds below and above, then the term."""
        self.expect("_")
        below = self.script()
        if below[:2] != ("relation", ("=",)) or len(below[2]) != 2 or below[2][0][0] not in ("symbol", "constant"):
            raise GrammarError("an index without a lower bound")
        self.expect("^")
        above = self.script()
        return indexed(name, below, above, self.answer() if name == "bigcup" else self.product())

    def integral(self) -> Tree:
        """Read bounds, an integrand and its differential, which may stand above a fraction bar."""
        bounds: dict[str, Tree] = {}
        while sign := self.accept("_", "^"):
            bounds[sign] = self.script()
        self._spread_differentials()
        outer, self._level = self._level, self._depth + 1
        integrand = ("number", "1") if self._differential_ahead() else self.sum()
        self._level = outer
        if self._differential_ahead():
            self.take()
            letter = self.atom()
        else:
            integrand, letter = _taken_out(integrand)
        if not bounds:
            return ("antiderivative", letter, integrand)
        if len(bounds) != 2:
            raise GrammarError("an integral with one bound")
        return indexed("integral", ("relation", ("=",), (letter, bounds["_"])), bounds["^"], integrand)

    def at_differential(self) -> bool:
        """Return whether the integrand that is being read ends here."""
        return self._depth == self._level and self._differential_ahead()

    def _differential_ahead(self) -> bool:
        kind, text, _ = self.peek()
        if text.strip("\x02\x03 ") != "d" or kind not in ("word", "text"):
            return False
        kind, text, _ = self.peek(1)
        return (kind == "word" and len(text) == 1) or (kind == "command" and text[1:] in GREEK)

    def _spread_differentials(self) -> None:
        """Cut letters in a row that hold a d, as in ``xdx``, into single ones: none of them is a word."""
        spread: list[Token] = []
        for kind, text, spaced in self._tokens[self._at :]:
            whole = kind != "word" or "d" not in text or text in FUNCTIONS | GREEK or text in JOINING_WORDS
            spread += [(kind, text, spaced)] if whole else [("word", name, spaced) for name in text]
        self._tokens[self._at :] = spread

    def limit(self) -> Tree:
        """Read where a letter goes, and the term."""
        self.expect("_")
        self.expect("{")
        letter = self.atom()
        if not self.accept(*_ARROWS):
            self.expect("-")
            self.expect(">")
        side = self._side()
        point = self.sum()
        self.expect("}")
        bound = indexed("limit", ("relation", ("=",), (letter, point)), point, self.product())
        return ("limit", bound[1], point, side, bound[-1])

    def _side(self) -> str:
        """Return from which side a letter goes to its limit, and take the sign away."""
        end = next((i for i in range(self._at, len(self._tokens)) if self._tokens[i][1] == "}"), len(self._tokens))
        for size, stop in ((2, end), (4, end + 1)):
            sign = tuple(token[1] for token in self._tokens[max(self._at, stop - size) : stop])
            if sign in _SIDES:
                del self._tokens[stop - size : stop]
                return _SIDES[sign]
        return "+-"


def _taken_out(integrand: Tree) -> tuple[Tree, Tree]:
    r"""Return ``\frac{x\,dx}{y}`` as x/y and the letter x. Raises `GrammarError` where there is no differential."""
    if integrand[0] == "divide":
        top: Tree = integrand[1][1] if integrand[1][0] == "multiply" else ()
        if len(top) >= 2 and top[-2] == _D and top[-1][0] == "symbol":
            above = product_of(list(top[:-2])) if top[:-2] else ("number", "1")
            return ("divide", above, integrand[2]), top[-1]
    raise GrammarError("an integral without a differential")
