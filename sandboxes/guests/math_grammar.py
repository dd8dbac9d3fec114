"""Reads mathematical answers, in LaTeX or plain notation, into bounded trees. Nothing is evaluated here.

A tree is a tuple whose first item is its kind:
``("number", text)``, ``("symbol", name)``, ``("constant", name)``, ``("add"|"multiply", trees)``, ``("negate", tree)``,
``("divide"|"power", left, right)``, ``("call", function, trees)``, ``("mixed", whole, numerator, denominator)``,
``("plus_minus", left or None, right)``, ``("percent"|"degrees", tree)``, ``("relation", operators, trees)``,
``("list", trees)``, ``("set", trees)``, ``("group", opening, trees, closing)``, ``("union", trees)``,
``("matrix", rows)``, ``("text", words)``.
"""

import re
from typing import Any, TypeAlias

Tree: TypeAlias = tuple[Any, ...]

MAX_CHARACTERS = 10_000
MAX_TOKENS = 2_000
MAX_DEPTH = 60
MAX_DIGITS = 400

FUNCTIONS = frozenset(
    [
        "sin",
        "cos",
        "tan",
        "cot",
        "sec",
        "csc",
        "arcsin",
        "arccos",
        "arctan",
        "arccot",
        "sinh",
        "cosh",
        "tanh",
        "ln",
        "log",
        "exp",
        "sqrt",
        "abs",
        "floor",
        "ceil",
        "factorial",
        "binomial",
        "min",
        "max",
        "gcd",
        "lcm",
        "root",
        "asin",
        "acos",
        "atan",
        "lg",
        "det",
    ]
)
_GREEK = frozenset(
    [
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "varepsilon",
        "zeta",
        "eta",
        "theta",
        "vartheta",
        "iota",
        "kappa",
        "lambda",
        "mu",
        "nu",
        "xi",
        "rho",
        "sigma",
        "tau",
        "upsilon",
        "phi",
        "varphi",
        "chi",
        "psi",
        "omega",
        "Gamma",
        "Delta",
        "Theta",
        "Lambda",
        "Xi",
        "Sigma",
        "Phi",
        "Psi",
        "Omega",
        "ell",
    ]
)
_RELATIONS = {
    "=": "=",
    "<": "<",
    ">": ">",
    "<=": "<=",
    ">=": ">=",
    "!=": "!=",
    "le": "<=",
    "leq": "<=",
    "leqslant": "<=",
}
_RELATIONS |= {"ge": ">=", "geq": ">=", "geqslant": ">=", "lt": "<", "gt": ">", "ne": "!=", "neq": "!=", "in": "in"}
_NO_FACTORS = frozenset(
    [
        "cup",
        "cap",
        "pm",
        "mp",
        "cdot",
        "times",
        "div",
        "ast",
        "end",
        "\\",
        "&",
        "}",
        "rangle",
        "rceil",
        "rfloor",
        "rvert",
    ]
    + ["to", "mid", "%", "circ", "setminus", "rbrace", "|"]
)
"""Commands that cannot begin a factor."""
_SPACING = re.compile(
    r"(?<!\\)\\(?:[,;:! ]|quad|qquad|left|right|middle|displaystyle|textstyle|limits|big|Big|bigg|Bigg|bigl|bigr|Bigl|Bigr)"
    r"(?![a-zA-Z])"
)
_TEXT = re.compile(
    r"\\(?:text|textrm|textnormal|textbf|textit|mathrm|mathbf|mathit|operatorname|mbox|hbox|textsf|boldsymbol|rm|bf)"
    r"\s*\*?\s*\{([^{}]*)\}"
)
_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+\.\d+|\.\d+|\d+\.?)
    |(?P<command>\\[a-zA-Z]+|\\[{}|%$\\&])|(?P<word>[a-zA-Z]+)|(?P<text>\x02[^\x03]*\x03)
    |(?P<operator><=|>=|!=|\*\*|\+-|[-+*/^_=<>()\[\]{}|,;:!%&]))""",
    re.VERBOSE,
)
_UNICODE = {
    "−": "-", "–": "-", "×": "*", "·": "*", "⋅": "*", "∗": "*", "÷": "/", "π": "\\pi ", "∞": "\\infty ", "√": "\\sqrt ",
    "≤": "<=", "≥": ">=", "≠": "!=", "±": "\\pm ", "∪": "\\cup ", "∩": "\\cap ", "∈": "\\in ", "°": "^\\circ ",
    "²": "^2", "³": "^3", "½": "\\frac{1}{2}", "¼": "\\frac{1}{4}", "¾": "\\frac{3}{4}", "∅": "\\emptyset ",
    "ℝ": "\\mathbb{R}", "θ": "\\theta ", "α": "\\alpha ", "β": "\\beta ", "，": ",", "（": "(", "）": ")",
    "\u00a0": " ", "\u2009": " ", "\u202f": " ", "′": "'",
}  # fmt: skip
_CURRENCY = "€£¥₹$"
_UNITS = frozenset(
    [
        "cm",
        "mm",
        "m",
        "km",
        "in",
        "inch",
        "inches",
        "ft",
        "feet",
        "foot",
        "yd",
        "yards",
        "mile",
        "miles",
        "s",
        "sec",
        "second",
        "seconds",
        "min",
        "minute",
        "minutes",
        "h",
        "hr",
        "hour",
        "hours",
        "day",
        "days",
        "week",
        "weeks",
        "month",
        "months",
        "year",
        "years",
        "kg",
        "g",
        "mg",
        "lb",
        "lbs",
        "pounds",
        "pound",
        "oz",
        "ounces",
        "l",
        "liter",
        "liters",
        "litre",
        "litres",
        "ml",
        "mph",
        "kph",
        "units",
        "unit",
        "degrees",
        "degree",
        "dollars",
        "dollar",
        "cents",
        "cent",
        "euros",
        "percent",
        "square",
        "cubic",
        "sq",
        "meters",
        "meter",
        "metres",
        "centimeters",
        "kilometers",
        "kilograms",
        "grams",
        "people",
        "students",
        "apples",
        "pieces",
        "ways",
        "times",
        "per",
        "and",
        "of",
    ]
)


class GrammarError(Exception):
    """The text is no answer that this grammar knows."""


def parse(text: str) -> Tree:
    """Return the tree of ``text``. Raises `GrammarError` and nothing else."""
    if len(text) > MAX_CHARACTERS:
        raise GrammarError("it is too long")
    cleaned = clean(text)
    if words := _only_words(cleaned):
        return words
    tokens = _tokens(cleaned)
    parser = _Parser(tokens)
    tree = parser.top()
    parser.end()
    return tree


def clean(text: str) -> str:
    """Strip what surrounds and decorates an answer: delimiters, spacing, currency, a final full stop."""
    for symbol, plain in _UNICODE.items():
        text = text.replace(symbol, plain)
    text = text.strip().strip("`*").strip()
    for opening, closing in (("\\(", "\\)"), ("\\[", "\\]"), ("$$", "$$"), ("$", "$")):
        if len(text) > len(opening + closing) and text.startswith(opening) and text.endswith(closing):
            text = text[len(opening) : -len(closing)].strip()
    text = text.replace("{,}", ",").replace("\\$", "")
    for symbol in _CURRENCY:
        text = text.replace(symbol, "")
    text = re.sub(r"(?<=\d)(?:\\,|\\!|\\ )(?=\d{3})", "", text)
    text = _SPACING.sub(" ", text)
    text = _TEXT.sub("\x02\\1\x03", text)
    text = re.sub(r"\s+", " ", text).strip()
    return text.removesuffix("\\\\").rstrip(" .") if not text.endswith("\\.") else text[:-2]


def _only_words(text: str) -> Tree | None:
    """Return words as a text answer: names, yes and no, choices with an explanation."""
    bare = text.replace("\x02", " ").replace("\x03", " ").strip()
    if not re.fullmatch(r"[A-Za-z][A-Za-z '\-.,:()]*", bare) or "\\" in bare:
        return None
    words = re.findall(r"[A-Za-z]+", bare)
    if any(len(word) > 1 and word.lower() not in FUNCTIONS and word not in ("pi", "oo", "inf") for word in words):
        return ("text", " ".join(word.lower() for word in words))
    return ("text", words[0].lower()) if text.startswith("\x02") and len(words) == 1 else None


def _tokens(text: str) -> list[tuple[str, str, bool]]:
    """Return (kind, text, whether white space stood before) for each token."""
    tokens: list[tuple[str, str, bool]] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.end() == position:
            if not text[position:].strip():
                break
            raise GrammarError(f"{text[position : position + 10]!r} is not understood")
        kind = match.lastgroup or ""
        spaced = match.start(kind) > match.start() if kind else False
        tokens.append((kind, match.group(kind), spaced))
        position = match.end()
        if len(tokens) > MAX_TOKENS:
            raise GrammarError("it has too many parts")
    return tokens


class _Parser:
    """Recursive descent over tokens, with a bound on depth."""

    def __init__(self, tokens: list[tuple[str, str, bool]]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self._bars = 0

    def end(self) -> None:
        """Fail unless everything was read."""
        if self._at < len(self._tokens):
            raise GrammarError(f"{self._tokens[self._at][1]!r} is not expected")

    def top(self) -> Tree:
        """Read a whole answer: relations joined by commas, "or" and "and"."""
        parts = [self._relation()]
        while self._accept(",", ";") or self._accept_word("or", "and"):
            self._accept_word("or", "and")
            parts.append(self._relation())
        return parts[0] if len(parts) == 1 else ("list", tuple(parts))

    def _relation(self) -> Tree:
        trees, operators = [self._union()], []
        while (operator := self._relation_sign()) is not None:
            operators.append(operator)
            trees.append(self._union())
        return ("relation", tuple(operators), tuple(trees)) if operators else trees[0]

    def _relation_sign(self) -> str | None:
        kind, text, _ = self._peek()
        name = text.removeprefix("\\") if kind == "command" else text if kind == "operator" else ""
        if name in _RELATIONS and (kind == "command" or not name.isalpha()):
            self._at += 1
            return _RELATIONS[name]
        return None

    def _union(self) -> Tree:
        trees = [self._sum()]
        while self._accept("\\cup") or (
            self._peek()[1] == "U" and trees[0][0] in ("group", "set") and self._accept("U")
        ):
            trees.append(self._sum())
        return ("union", tuple(trees)) if len(trees) > 1 else trees[0]

    def _sum(self) -> Tree:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise GrammarError("it is nested too deeply")
        sign = self._accept("+", "-", "\\pm", "\\mp", "+-")
        first = self._product()
        tree = ("negate", first) if sign == "-" else ("plus_minus", None, first) if sign and sign != "+" else first
        terms = [tree]
        while sign := self._accept("+", "-", "\\pm", "\\mp", "+-"):
            term = self._product()
            if sign in ("\\pm", "\\mp", "+-"):
                terms = [("plus_minus", _sum_of(terms), term)]
            else:
                terms.append(("negate", term) if sign == "-" else term)
        self._depth -= 1
        return _sum_of(terms)

    def _product(self) -> Tree:
        factors = [self._power()]
        while True:
            if self._accept("*", "\\cdot", "\\times", "\\ast"):
                factors.append(self._signed_power())
            elif self._accept("/", "\\div"):
                factors = [("divide", _product_of(factors), self._signed_power())]
            elif self._starts_factor():
                factors = self._implicit(factors)
            else:
                return _product_of(factors)

    def _implicit(self, factors: list[Tree]) -> list[Tree]:
        """Read a factor without a sign before it: a mixed number's fraction, a unit, or a product."""
        spaced = self._peek()[2]
        last = factors[-1]
        if self._peek()[0] == "text":
            self._at += 1  # a unit, or a word beside the value
            if self._accept("^"):
                self._script()
            return factors
        factor = self._power()
        if last[0] == "number" and last[1].isdigit() and len(factors) == 1:
            if factor[0] == "divide" and factor[1][0] == factor[2][0] == "number":
                return [("mixed", last, factor[1], factor[2])]
            if factor[0] == "number" and spaced and self._peek()[1] == "/":
                self._at += 1
                return [("mixed", last, factor, self._power())]
        if factor[0] == "number" and last[0] == "number":
            raise GrammarError("two numbers stand side by side")
        if factor[0] == "word" or (factor[0] == "power" and factor[1][0] == "word"):
            return factors
        return [*factors, factor]

    def _starts_factor(self) -> bool:
        kind, text, _ = self._peek()
        if kind == "text":
            return text.strip("\x02\x03 ,").lower() not in ("or", "and")
        if kind == "number":
            return True
        if kind == "word":
            return text.lower() not in ("or", "and") and not (text == "U" and self._peek(1)[1] in ("(", "["))
        if kind == "command":
            return text[1:] not in _RELATIONS and text[1:] not in _NO_FACTORS
        return text in ("(", "{") or (text == "|" and self._bars == 0)

    def _signed_power(self) -> Tree:
        if self._accept("-"):
            return ("negate", self._power())
        self._accept("+")
        return self._power()

    def _power(self) -> Tree:
        base = self._postfix(self._atom())
        if self._accept("^", "**"):
            if self._accept("\\circ") or self._braced_circle():
                return ("degrees", base)
            exponent = self._script()
            if base[0] == "function":
                raise GrammarError("a power of a function")
            base = self._postfix(("power", base, exponent))
        return base

    def _braced_circle(self) -> bool:
        if [token[1] for token in self._tokens[self._at : self._at + 3]] == ["{", "\\circ", "}"]:
            self._at += 3
            return True
        return False

    def _postfix(self, tree: Tree) -> Tree:
        while True:
            if self._accept("!"):
                tree = ("call", "factorial", (tree,))
            elif self._accept("%", "\\%"):
                tree = ("percent", tree)
            else:
                return tree

    def _script(self) -> Tree:
        """Read what stands behind ^ or _: a brace group or one sign."""
        if self._accept("{"):
            return self._until("}")
        if self._accept("-"):
            return ("negate", self._script())
        kind, text, spaced = self._peek()
        if kind == "number" and len(text) > 1 and text.isdigit() and self._latex():
            self._tokens[self._at] = (kind, text[1:], spaced)
            return ("number", text[0])
        return self._atom()

    def _latex(self) -> bool:
        return any(token[0] == "command" for token in self._tokens)

    def _until(self, closing: str) -> Tree:
        tree = self.top()
        self._expect(closing)
        return tree

    def _atom(self) -> Tree:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise GrammarError("it is nested too deeply")
        kind, text, _ = self._peek()
        self._at += 1
        tree = self._atom_of(kind, text)
        self._depth -= 1
        return tree

    def _atom_of(self, kind: str, text: str) -> Tree:
        match kind:
            case "number":
                digits = text.replace(",", "")
                if len(digits) > MAX_DIGITS:
                    raise GrammarError("a number has too many digits")
                return ("number", digits)
            case "text":
                return self._words_atom(text)
            case "word":
                return self._word(text)
            case "command":
                return self._command(text[1:])
        if text in ("(", "["):
            return self._group(text)
        if text == "{":
            return self._until("}")
        if text == "|":
            self._bars += 1
            inside = self.top()
            self._bars -= 1
            self._expect("|")
            return ("call", "abs", (inside,))
        raise GrammarError(f"{text!r} is not expected" if text else "it breaks off")

    def _words_atom(self, text: str) -> Tree:
        words = text.strip("\x02\x03 ").strip()
        if len(words) == 1 and words.isalpha():
            return ("symbol", words)
        if self._at < len(self._tokens) and words.lower() in ("", "or", "and"):
            return self._atom()
        return ("text", words.lower())

    def _word(self, text: str) -> Tree:
        if text in ("pi", "oo", "inf", "infinity"):
            return ("constant", "pi" if text == "pi" else "infinity")
        if text in FUNCTIONS:
            return self._function(text)
        if len(text) > 1 and (text.lower() in _UNITS):
            return ("word", text)
        if len(text) == 1:
            return self._symbol(text)
        letters = [("symbol", letter) if letter not in "ei" else ("constant", letter) for letter in text]
        if len(text) > 4 or self._accept("("):
            raise GrammarError(f"{text!r} is no function")
        return ("multiply", tuple(letters))

    def _symbol(self, text: str) -> Tree:
        if text in "ei":
            return ("constant", text)
        if self._accept("_"):
            index = self._script()
            return ("symbol", f"{text}_{_flat(index)}")
        return ("symbol", text)

    def _command(self, name: str) -> Tree:
        if name in ("frac", "dfrac", "tfrac", "cfrac"):
            return ("divide", self._argument(), self._argument())
        if name in ("binom", "dbinom", "tbinom"):
            return ("call", "binomial", (self._argument(), self._argument()))
        if name == "sqrt":
            if self._accept("["):
                degree = self._until("]")
                return ("power", self._argument(), ("divide", ("number", "1"), degree))
            return ("call", "sqrt", (self._argument(),))
        if name in ("pi", "infty"):
            return ("constant", "pi" if name == "pi" else "infinity")
        if name in ("emptyset", "varnothing"):
            return ("set", ())
        if name in FUNCTIONS:
            return self._function(name)
        if name in _GREEK:
            return self._symbol_named(name)
        if name in ("{", "lbrace"):
            return self._set()
        if name in ("lfloor", "lceil", "lvert", "langle", "|"):
            return self._delimited(name)
        if name == "begin":
            return self._environment()
        if name == "mathbb":
            return ("symbol", f"mathbb_{_flat(self._argument())}")
        if name in ("overline", "bar", "hat", "vec"):
            return ("symbol", f"{name}_{_flat(self._argument())}")
        if name == "boxed":
            return self._argument()
        raise GrammarError(f"\\{name} is not known")

    def _symbol_named(self, name: str) -> Tree:
        if self._accept("_"):
            return ("symbol", f"{name}_{_flat(self._script())}")
        return ("symbol", name)

    def _argument(self) -> Tree:
        if self._accept("{"):
            return self._until("}")
        kind, text, spaced = self._peek()
        if kind == "number" and len(text) > 1 and text.isdigit():  # \frac12
            self._tokens[self._at] = (kind, text[1:], spaced)
            return ("number", text[0])
        return self._atom()

    def _function(self, name: str) -> Tree:
        name = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "lg": "log10"}.get(name, name)
        base = exponent = None
        while sign := self._accept("^", "_"):
            script = self._script()
            base, exponent = (script, exponent) if sign == "_" else (base, script)
        if self._accept("("):
            arguments = self._items(")")
        elif self._accept("{"):
            arguments = self._items("}")
        else:
            arguments = (self._product_without_functions(),)
        if base is not None and name == "log":
            arguments = (*arguments, base)
        call: Tree = ("call", name, arguments)
        if exponent is None:
            return call
        if exponent == ("negate", ("number", "1")):
            return ("call", f"arc{name}", arguments)
        return ("power", call, exponent)

    def _product_without_functions(self) -> Tree:
        factors = [self._power()]
        while (
            self._starts_factor()
            and not (self._peek()[0] == "command" and self._peek()[1][1:] in FUNCTIONS)
            and self._peek()[1] != "("
        ):
            if self._peek()[0] == "word" and self._peek()[1] in FUNCTIONS:
                break
            factors.append(self._power())
        return _product_of(factors)

    def _items(self, closing: str) -> tuple[Tree, ...]:
        if self._accept(closing):
            return ()
        trees = [self._relation()]
        while self._accept(",", ";"):
            trees.append(self._relation())
        self._expect(closing)
        return tuple(trees)

    def _group(self, opening: str) -> Tree:
        self._split_thousands()
        trees = [self._relation()]
        while self._accept(",", ";"):
            trees.append(self._relation())
        closing = self._accept(")", "]")
        if closing is None:
            raise GrammarError(f"{opening!r} is not closed")
        if len(trees) == 1 and opening == "(" and closing == ")":
            return trees[0]
        return ("group", opening, tuple(trees), closing)

    def _split_thousands(self) -> None:
        """Inside brackets a comma separates: (1,234) is a pair."""
        depth, at = 1, self._at
        while at < len(self._tokens) and depth:
            kind, text, spaced = self._tokens[at]
            depth += (text in ("(", "[")) - (text in (")", "]"))
            if kind == "number" and "," in text:
                parts = text.split(",")
                pieces = [token for part in parts for token in (("operator", ",", False), ("number", part, False))][1:]
                pieces[0] = (pieces[0][0], pieces[0][1], spaced)
                self._tokens[at : at + 1] = pieces
            at += 1

    def _set(self) -> Tree:
        if self._accept("\\}", "\\rbrace"):
            return ("set", ())
        trees = [self._relation()]
        while self._accept(",", ";"):
            trees.append(self._relation())
        if self._accept("|", "\\mid", ":"):
            raise GrammarError("a set given by a condition")
        if not self._accept("\\}", "\\rbrace"):
            raise GrammarError("a set is not closed")
        return ("set", tuple(trees))

    def _delimited(self, opening: str) -> Tree:
        closing, function = {
            "lfloor": ("\\rfloor", "floor"),
            "lceil": ("\\rceil", "ceil"),
            "lvert": ("\\rvert", "abs"),
            "|": ("\\|", "abs"),
            "langle": ("\\rangle", ""),
        }[opening]
        trees = [self._relation()]
        while self._accept(",", ";"):
            trees.append(self._relation())
        self._expect(closing)
        return ("call", function, tuple(trees)) if function else ("group", "(", tuple(trees), ")")

    def _environment(self) -> Tree:
        name = "".join(self._take_name())
        if not name.endswith("matrix") and name != "array":
            raise GrammarError(f"the environment {name} is not known")
        if name == "array" and self._accept("{"):
            while not self._accept("}"):
                self._at += 1
                if self._at >= len(self._tokens):
                    raise GrammarError("it breaks off")
        rows: list[tuple[Tree, ...]] = []
        row: list[Tree] = []
        while True:
            row.append(self._relation())
            if self._accept("&"):
                continue
            if self._accept("\\\\"):
                rows.append(tuple(row))
                row = []
                if self._peek()[1] != "\\end":
                    continue
            self._expect("\\end")
            self._take_name()
            return ("matrix", tuple([*rows, tuple(row)] if row else rows))

    def _take_name(self) -> list[str]:
        self._expect("{")
        name = []
        while not self._accept("}"):
            name.append(self._peek()[1])
            self._at += 1
            if self._at > len(self._tokens):
                raise GrammarError("it breaks off")
        return name

    def _peek(self, ahead: int = 0) -> tuple[str, str, bool]:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else ("", "", False)

    def _accept(self, *texts: str) -> str | None:
        kind, text, _ = self._peek()
        if kind in ("operator", "command", "word") and text in texts:
            self._at += 1
            return text
        return None

    def _accept_word(self, *words: str) -> bool:
        kind, text, _ = self._peek()
        if kind in ("word", "text") and text.strip("\x02\x03 ,").lower() in words:
            self._at += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise GrammarError(f"{text!r} is expected")


def _sum_of(terms: list[Tree]) -> Tree:
    return terms[0] if len(terms) == 1 else ("add", tuple(terms))


def _product_of(factors: list[Tree]) -> Tree:
    kept = [factor for factor in factors if factor[0] not in ("word", "text")] or factors
    return kept[0] if len(kept) == 1 else ("multiply", tuple(kept))


def _flat(part: Any) -> str:
    return part if isinstance(part, str) else "".join(_flat(inner) for inner in part)
