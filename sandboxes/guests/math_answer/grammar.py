"""Reads whole answers, in LaTeX or plain notation, into bounded trees. Nothing is evaluated here.

Beside the trees of `expressions`: ``("relation", operators, trees)``, ``("list"|"set"|"union", trees)``,
``("group", opening, trees, closing)``, ``("matrix"|"cases", rows)``, ``("builder", tree, condition)``,
``("without", left, right)``, ``("intersection", trees)``, ``("ratio", trees)``, ``("modulo", relation, modulus)``,
``("rounded", exact, decimal)`` for an exact value with its decimal beside it, ``("both", inequality, interval)``.
"""

import re

from .expressions import Expressions
from .prose import formula
from .sets import both_bounds
from .tokens import MAX_CHARACTERS, GrammarError, Token, clean, tokens
from .trees import Tree, listed
from .words import CONDITION_WORDS, FUNCTIONS, JOINING_WORDS, RELATIONS, SAYING_WORDS

_DELIMITERS = {
    "lfloor": ("\\rfloor", "floor"),
    "lceil": ("\\rceil", "ceil"),
    "lvert": ("\\rvert", "abs"),
    "|": ("\\|", "abs"),
    "langle": ("\\rangle", ""),
}
_TWICE = re.compile(r"([^:{}]*(?:[<>]|\\[lg]eq?(?:slant)?(?![a-z]))[^:{}]*): ?((?:\(|\[|\\mathbb|\\emptyset)[^:]*)")
"""An inequality, a colon and the same as an interval, as textbooks print solutions."""
_WORDS = re.compile(r"[A-Za-z][A-Za-z '\-.,:()]*")


def parse(text: str, *, comma_locale: bool = False) -> Tree:
    """Return the tree of ``text``. Raises `GrammarError` and nothing else."""
    if len(text) > MAX_CHARACTERS:
        raise GrammarError("it is too long")
    cleaned = formula(clean(text, comma_locale=comma_locale))
    if words := _only_words(cleaned):
        return words
    if twice := _TWICE.fullmatch(cleaned):
        return ("both", *(_Answers(tokens(said)).whole() for said in twice.groups()))
    return _Answers(tokens(cleaned)).whole()


def _only_words(text: str) -> Tree | None:
    """Return words as a text answer: names, yes and no, choices with an explanation."""
    bare = text.replace("\x02", " ").replace("\x03", " ").strip()
    if not _WORDS.fullmatch(bare):
        return None
    words = re.findall(r"[A-Za-z]+", bare)
    if any(len(word) > 1 and word.lower() not in FUNCTIONS and word not in ("pi", "oo", "inf") for word in words):
        if len(words) > 1 and all(len(word) == 1 or word.lower() in JOINING_WORDS for word in words):
            return None
        said = " ".join(word.lower() for word in words if word.lower() != "and")
        return ("text", said) if not _letters_only(bare) else None
    return ("text", words[0].lower()) if text.startswith("\x02") and len(words) == 1 else None


def _letters_only(bare: str) -> bool:
    """Return whether the words may be products of letters, such as ab, rather than language."""
    return len(bare) < 4 and bare.isalpha() and bare.islower() and bare not in ("yes", "no", "odd", "all")


class _Answers(Expressions):
    """Lists, relations, sets, intervals and environments around expressions."""

    def whole(self) -> Tree:
        """Read everything."""
        self._lead()
        self._relation_sign()
        tree = self.answer()
        self.accept(",", ";")
        if self._at < len(self._tokens):
            raise GrammarError(f"{self._tokens[self._at][1]!r} is not expected")
        return tree

    def _lead(self) -> None:
        """Leave out words before the answer, such as "the answer is"."""
        kind, text, _ = self.peek()
        if kind == "text" and len(self._tokens) > 1 and text.strip("\x02\x03 ").lower().endswith(SAYING_WORDS):
            self._at += 1

    def answer(self) -> Tree:
        """Read relations joined by commas, "or" and "and"."""
        parts, signs, ends, commas = [self._relation()], set(), [], False
        while sign := self.accept(",", ";", "\\lor", "\\land", "\\vee", "\\wedge") or self._joined():
            self._joined()
            signs.add(self._tokens[self._at - 1][1].strip("\x02\x03 ,\\").lower())
            ends += [len(parts)] if sign == ";" else []
            commas = commas or sign == ","
            if self._at >= len(self._tokens):
                break
            parts.append(self._relation())
        if signs <= {"and", "land", "wedge"} and (between := both_bounds(parts)):
            return between
        return listed(parts, ends if commas else [])

    def _joined(self) -> str:
        kind, text, _ = self.peek()
        if kind in ("word", "text") and text.strip("\x02\x03 ,").lower() in JOINING_WORDS:
            self._at += 1
            return text
        return ""

    def _relation(self) -> Tree:
        trees, operators = [self._union()], []
        while (operator := self._relation_sign()) is not None:
            rounded = self._tokens[self._at - 1][1] in ("\\approx", "\\simeq")
            right = self._union()
            if rounded and right[0] == "number" and "." in right[1] and trees[-1][0] != "symbol":
                trees[-1] = ("rounded", trees[-1], right)
            else:
                operators.append(operator)
                trees.append(right)
        tree: Tree = ("relation", tuple(operators), tuple(trees)) if operators else trees[0]
        return ("modulo", tree, self._argument()) if self.accept("\\pmod") else tree

    def _relation_sign(self) -> str | None:
        kind, text, _ = self.peek()
        name = text.removeprefix("\\") if kind == "command" else text if kind == "operator" else ""
        if name in RELATIONS and (kind == "command" or not name.isalpha()):
            self._at += 1
            return RELATIONS[name]
        return None

    def _union(self) -> Tree:
        tree = self._ratio()
        while True:
            if self.accept("\\cup") or (tree[0] in ("group", "set", "union") and self.accept("U")):
                parts = tree[1] if tree[0] == "union" else (tree,)
                tree = ("union", (*parts, self._ratio()))
            elif self.accept("\\cap"):
                tree = ("intersection", (tree, self._ratio()))
            elif self.accept("\\setminus", "\\backslash"):
                tree = ("without", tree, self._ratio())
            else:
                return tree

    def _ratio(self) -> Tree:
        trees = [self.sum()]
        while self.peek()[1] == ":" and self._bars == 0 and self._in_set == 0 and self.accept(":"):
            trees.append(self.sum())
        if self.peek()[1].strip("\x02\x03 ") == "to" and len(trees) == 1:
            self._at += 1
            trees.append(self.sum())
        return ("ratio", tuple(trees)) if len(trees) > 1 else trees[0]

    _in_set = 0

    def bracketed(self, opening: str) -> Tree | None:
        """Read a group, set or environment that was opened."""
        name = opening.removeprefix("\\")
        if opening in ("(", "[", "\\lbrack"):
            return self._group("[" if opening == "\\lbrack" else opening)
        if opening == "{":
            return self.until("}")
        if not opening.startswith("\\"):
            return None
        if name in ("{", "lbrace"):
            return self._set()
        if name in ("emptyset", "varnothing"):
            return ("set", ())
        if name in _DELIMITERS:
            return self._delimited(name)
        if name == "begin":
            return self._environment()
        raise GrammarError(f"{opening} is not known")

    def _group(self, opening: str) -> Tree:
        self._split_thousands()
        trees = self._relations()
        closing = self.accept(")", "]", "\\rbrack")
        if closing is None:
            raise GrammarError(f"{opening!r} is not closed")
        closing = "]" if closing != ")" else ")"
        if len(trees) == 1 and ((opening == "(" and closing == ")") or trees[0][0] == "matrix"):
            return trees[0]
        return ("group", opening, tuple(trees), closing)

    def _relations(self) -> list[Tree]:
        trees = [self._relation()]
        while self.accept(",", ";"):
            trees.append(self._relation())
        return trees

    def _split_thousands(self) -> None:
        """Inside brackets a comma separates: (1,234) is a pair. Groups of groups of digits are left alone."""
        depth, at = 1, self._at
        while at < len(self._tokens) and depth:
            kind, text, spaced = self._tokens[at]
            depth += (text in ("(", "[", "\\{")) - (text in (")", "]", "\\}"))
            if kind == "number" and "," in text:
                parts = text.split(",")
                pieces = [token for part in parts for token in (("operator", ",", False), ("number", part, False))][1:]
                self._tokens[at : at + 1] = [(pieces[0][0], pieces[0][1], spaced), *pieces[1:]]
            at += 1

    def _set(self) -> Tree:
        if self.accept("\\}", "\\rbrace"):
            return ("set", ())
        self._split_thousands()
        self._in_set += 1
        self._bars += 1
        trees = self._relations()
        self._bars -= 1
        if self.accept("|", "\\mid", ":"):
            start, condition = self._at, self.answer()
            either = condition[0] == "list" and any(self._says_or(token) for token in self._tokens[start : self._at])
            trees = [("builder", trees[0], ("either", condition[1]) if either else condition)]
        self._in_set -= 1
        if not self.accept("\\}", "\\rbrace"):
            raise GrammarError("a set is not closed")
        return trees[0] if trees[0][0] == "builder" else ("set", tuple(trees))

    @staticmethod
    def _says_or(token: Token) -> bool:
        return token[1].strip("\x02\x03 ").lower() in ("or", "\\lor", "\\vee")

    def _delimited(self, opening: str) -> Tree:
        closing, function = _DELIMITERS[opening]
        trees = self._relations()
        self.expect(closing)
        return ("call", function, tuple(trees)) if function else ("group", "(", tuple(trees), ")")

    def _environment(self) -> Tree:
        name = self._name()
        if name not in ("array", "cases", "aligned", "gathered", "smallmatrix") and not name.endswith("matrix"):
            raise GrammarError(f"the environment {name} is not known")
        if name == "array":
            self._name()
        if name == "aligned":
            self._tokens = [token for token in self._tokens if token[1] != "&"]
        rows = self._rows(name)
        self._name()
        if name != "vmatrix":
            return ("cases" if name in ("cases", "aligned", "gathered") else "matrix", rows)
        return ("call", "det", (("matrix", rows),))

    def _rows(self, name: str) -> tuple[tuple[Tree, ...], ...]:
        rows: list[tuple[Tree, ...]] = []
        row: list[Tree] = []
        while True:
            if self.accept("\\end"):
                break
            row.append(self._condition() if name == "cases" and row else self._relation())
            if name == "cases" and self.accept(","):
                self.accept("&")
            elif self.accept("&"):
                continue
            if self.peek()[1] in ("\\\\", "\\end"):
                rows.append(tuple(row))
                row = []
                self.accept("\\\\")
        return tuple(rows)

    def _condition(self) -> Tree:
        kind, text, _ = self.peek()
        word = text.strip("\x02\x03 ,.").lower()
        if kind in ("text", "word") and word in CONDITION_WORDS:
            self._at += 1
            if word in ("otherwise", "else", "elsewhere"):
                return ("text", "otherwise")
        return self._relation()

    def _name(self) -> str:
        self.expect("{")
        name = ""
        while not self.accept("}"):
            name += self.take()[1]
            if self._at > len(self._tokens):
                raise GrammarError("it breaks off")
        return name
