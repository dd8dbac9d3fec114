"""Reads expressions: sums, products, powers, functions and numerals. Lists, sets and relations are `grammar`'s."""

from abc import abstractmethod

from .operators import Operators
from .tokens import GrammarError
from .trees import (
    Tree,
    continued,
    flat,
    is_word,
    letter,
    product_of,
    signed,
    sum_of,
    unbracketed,
)
from .words import BASES, FUNCTIONS, GREEK, JOINING_WORDS, NO_FACTORS, RELATIONS, SYMBOL_MARKS

MAX_DIGITS = 400
_SHORT_NAMES = {"Abs": "abs", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "acot": "arccot", "lg": "log10"}
_CLOSING = {"(": ")", "{": "}", "\\{": "\\}"}
MARKS = "\x02\x03 "


class Expressions(Operators):
    """Recursive descent over tokens, with a bound on depth."""

    @abstractmethod
    def bracketed(self, opening: str) -> Tree | None:
        """Read a group, set or environment that was opened; None when ``opening`` opens none."""

    def sum(self) -> Tree:
        """Read terms with signs between them."""
        self.deeper()
        sign = self.accept("+", "-", "\\pm", "\\mp", "+-")
        first = self.product()
        terms: list[Tree] = [first if sign in (None, "+") else signed(None, sign or "", first)]
        while sign := self.accept("+", "-", "\\pm", "\\mp", "+-"):
            term = self.product()
            if sign in ("+", "-"):
                terms.append(term if sign == "+" else ("negate", term))
            else:
                terms = [signed(sum_of(terms), sign, term)]
        self._depth -= 1
        return sum_of(terms)

    def product(self) -> Tree:
        """Read factors, and a unit behind them."""
        factors = [self._power()]
        unit = ""
        while True:
            if self.accept("*", "\\cdot", "\\times", "\\ast"):
                factors.append(self._signed_power())
            elif self.accept("/", "\\div"):
                factors = [("divide", product_of(factors), self._signed_power())]
            elif self.starts_unit():
                unit = f"{unit} {self.unit()}".strip()
                if self.peek()[0] == "number":
                    return self.compound(product_of(factors), unit.removesuffix(" and"))
            elif self._starts_factor():
                factors = self._implicit(factors)
            elif self.peek()[1] == "[":
                factors.append(self._in_brackets())
            else:
                tree = product_of([unbracketed(factor) for factor in factors] if len(factors) > 1 else factors)
                return ("percent", tree) if unit == "percent" else ("quantity", tree, unit) if unit else tree

    def _in_brackets(self) -> Tree:
        """Read a factor in square brackets; an interval is none."""
        factor = unbracketed(self._power())
        if factor[0] == "group":
            raise GrammarError("an interval behind a factor")
        return factor

    def _implicit(self, factors: list[Tree]) -> list[Tree]:
        """Read a factor without a sign before it: a mixed number's fraction, or a product."""
        spaced, last = self.peek()[2], factors[-1]
        factor = self._power()
        if last[0] == "number" and last[1].isdigit() and len(factors) == 1:
            if factor[0] in ("percent", "degrees") and factor[1][0] == "divide":
                return [(factor[0], *self._mixed(last, factor[1]))]
            if factor[0] == "divide" and factor[1][0] == factor[2][0] == "number":
                return [("mixed", last, factor[1], factor[2])]
            if factor[0] == "number" and spaced and self.accept("/"):
                return [("mixed", last, factor, self._power())]
        if factor[0] == "number" and (last[0] == "number" or spaced):
            raise GrammarError("two numbers stand side by side")
        return [*factors, factor]

    @staticmethod
    def _mixed(whole: Tree, fraction: Tree) -> tuple[Tree]:
        plain = fraction[1][0] == fraction[2][0] == "number"
        return (("mixed", whole, *fraction[1:]) if plain else ("multiply", (whole, fraction)),)

    def _starts_factor(self) -> bool:
        kind, text, _ = self.peek()
        if self.at_differential():
            return False
        match kind:
            case "text":
                return text.strip("\x02\x03 ,").lower() not in (*JOINING_WORDS, "to")
            case "number":
                return True
            case "word":
                return text.lower() not in JOINING_WORDS and not (text == "U" and self.peek(1)[1] in ("(", "["))
            case "command":
                return text[1:] not in RELATIONS and text[1:] not in NO_FACTORS
        return text in ("(", "{") or (text == "|" and self._bars == 0)

    def _signed_power(self) -> Tree:
        if self.accept("-"):
            return ("negate", self._power())
        self.accept("+")
        return self._power()

    def _power(self) -> Tree:
        base = self._postfix(self.atom())
        if base[0] == "number" and self.accept("_"):
            base = ("based", base[1], self._base())
        while self.accept("^", "**"):
            if self.accept("\\circ") or self._braced_circle():
                base = ("degrees", base)
            else:
                base = self._postfix(("power", base, self.script()))
        return base

    def _braced_circle(self) -> bool:
        if [token[1] for token in self._tokens[self._at : self._at + 3]] == ["{", "\\circ", "}"]:
            self._at += 3
            return True
        return False

    def _postfix(self, tree: Tree) -> Tree:
        while sign := self.accept("!", "%", "\\%"):
            tree = ("call", "factorial", (tree,)) if sign == "!" else ("percent", tree)
        return tree

    def script(self) -> Tree:
        """Read what stands behind ^ or _: a brace group or one sign."""
        if self.accept("{"):
            kind, text, _ = self.peek()
            if kind in ("command", "word") and text.lstrip("\\") in FUNCTIONS and self.peek(1)[1] == "}":
                self._at += 2
                return ("symbol", text.lstrip("\\"))
            return self.until("}")
        if self.accept("-"):
            self.deeper()
            return ("negate", self.script())
        return self._digit() if self._latex or self.peek()[0] == "word" else self.atom()

    def _digit(self) -> Tree:
        r"""Read one atom; of a numeral or of letters in a row only the first, as TeX does in ``\frac12``."""
        kind, text, spaced = self.peek()
        if kind == "number" and len(text) > 1 and text.isdigit():
            self._tokens[self._at] = (kind, text[1:], spaced)
            return ("number", text[0])
        if kind == "word" and len(text) > 1 and text not in FUNCTIONS | GREEK | {"pi", "oo", "inf", "infinity"}:
            self._tokens[self._at : self._at + 1] = [(kind, name, spaced) for name in text[1:]]
            return letter(text[0])
        return self.atom()

    def until(self, closing: str) -> Tree:
        """Read up to ``closing``."""
        tree = self.answer()
        self.expect(closing)
        return tree

    def atom(self) -> Tree:
        """Read one factor without its powers."""
        self.deeper()
        kind, text, _ = self.take()
        tree = self._atom_of(kind, text)
        self._depth -= 1
        return tree

    def _atom_of(self, kind: str, text: str) -> Tree:
        match kind:
            case "number":
                return self._numeral(text.replace(",", ""))
            case "text":
                return self._text_atom(text)
            case "word":
                return self._word(text)
            case "command" if (tree := self._command(text[1:])) is not None:
                return tree
        if text == "|":
            self._bars += 1
            inside = self.sum()
            self._bars -= 1
            self.expect("|")
            return ("call", "abs", (inside,))
        if (tree := self.bracketed(text)) is not None:
            return tree
        raise GrammarError(f"{text!r} is not expected" if text else "it breaks off")

    def _numeral(self, digits: str) -> Tree:
        if len(digits) > MAX_DIGITS:
            raise GrammarError("a number has too many digits")
        if self.accept("_"):
            return ("based", digits, self._base())
        if "." in digits and self.accept("\\ldots", "\\dots", "\\cdots"):
            if (tree := continued(digits)) is None:
                raise GrammarError("a numeral that goes on, nobody knows how")
            return tree
        if self.peek()[1] in ("\\overline", "\\bar", "\\dot") and "." in digits:
            self._at += 1
            period = flat(self._argument()).removeprefix("number")
            if period.isdigit():
                return ("repeating", digits, period)
            raise GrammarError("a period that is no numeral")
        return ("number", digits)

    def _base(self) -> str:
        name = flat(self.script())
        return BASES.get(name.removeprefix("text"), name)

    def _text_atom(self, text: str) -> Tree:
        words = text.strip("\x02\x03 ").strip()
        if len(words) == 1 and words.isalpha():
            return self._symbol(words) if self.peek()[1] in ("_", "'") else letter(words)
        if words.lower() in ("", *JOINING_WORDS) and self._at < len(self._tokens):
            return self.atom()
        return ("text", words.lower())

    def _word(self, text: str) -> Tree:
        if text in ("pi", "oo", "inf", "infinity"):
            return ("constant", "pi" if text == "pi" else "infinity")
        if text in FUNCTIONS:
            return self._function(text)
        if text in GREEK or len(text) == 1:
            return self._symbol(text)
        if is_word(text):
            return ("text", text.lower())
        self._tokens[self._at : self._at] = [("word", name, False) for name in text[1:]]
        return self._symbol(text[0])

    def _symbol(self, name: str) -> Tree:
        if self.accept("_"):
            return ("symbol", f"{name}_{flat(self.script())}")
        while self.accept("'"):
            name += "'"
        return letter(name)

    def _command(self, name: str) -> Tree | None:
        match name:
            case "frac" | "dfrac" | "tfrac" | "cfrac":
                return ("divide", self._argument(), self._argument())
            case "binom" | "dbinom" | "tbinom":
                return ("call", "binomial", (self._argument(), self._argument()))
            case "sqrt":
                degree = self.until("]") if self.accept("[") else None
                inside = self.until("}") if self.accept("{") else self.atom()
                return ("call", "sqrt", (inside,)) if degree is None else ("call", "root", (inside, degree))
            case "pi" | "infty":
                return ("constant", "pi" if name == "pi" else "infinity")
            case "sum" | "prod" | "bigcup":
                return self.over_index(name)
            case "int":
                return self.integral()
            case "lim":
                return self.limit()
            case "boxed" | "fbox" | "mathrm" | "mathbf" | "textbf" | "bf" | "rm" | "text" | "bm" | "mathsf":
                inner = self._argument()
                marked = inner[0] == "symbol" and self.peek()[1] in ("_", "'")
                return self._symbol(inner[1]) if marked else inner
            case "cdots" | "ldots" | "dots":
                return ("text", "...")
        if name in ("angle", "measuredangle", "triangle") and self.peek()[0] in ("word", "text"):
            return ("symbol", f"{name}_{self.take()[1].strip(MARKS)}")
        if name.startswith("unitvector"):
            return ("symbol", name)
        if name in FUNCTIONS:
            return self._function(name)
        if name in GREEK:
            return self._symbol(name)
        if name in SYMBOL_MARKS:
            return ("symbol", f"{name}_{flat(self._argument())}")
        return None

    def _argument(self) -> Tree:
        return self.until("}") if self.accept("{") else self._digit()

    def _function(self, name: str) -> Tree:
        name = _SHORT_NAMES.get(name, name)
        base = exponent = None
        while sign := self.accept("^", "_"):
            script = self.script()
            base, exponent = (script, exponent) if sign == "_" else (base, script)
        opening = self.accept("(", "{") or (self.accept("\\{") if name in ("max", "min", "gcd", "lcm") else None)
        arguments = self.items(_CLOSING[opening]) if opening else (self._bare_argument(),)
        if base is not None and name == "log":
            arguments = (*arguments, base)
        if exponent == ("negate", ("number", "1")):
            return ("call", f"arc{name}", arguments)
        call: Tree = ("call", name, arguments)
        return call if exponent is None else ("power", call, exponent)

    def _bare_argument(self) -> Tree:
        """Read the argument of ``sin 2x``: factors up to a sign, a bracket or another function."""
        outer, self._level = self._level, self._level + (self._depth == self._level + 1)
        factors = [self._signed_power()]
        while self._starts_factor() and not self.starts_unit() and self.peek()[1] != "(":
            name = self.peek()[1].lstrip("\\")
            if name in FUNCTIONS and not (name == "sqrt" and all(factor[0] == "number" for factor in factors)):
                break
            factors.append(self._power())
        self._level = outer
        return product_of(factors)

    def items(self, closing: str) -> tuple[Tree, ...]:
        """Read what stands between commas, up to ``closing``."""
        trees = [self.sum()]
        while self.accept(",", ";"):
            trees.append(self.sum())
        self.expect(closing)
        return tuple(trees)
