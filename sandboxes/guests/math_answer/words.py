"""The words of mathematical answers: functions, letters, relations and units. Data only."""

FUNCTIONS = frozenset(
    """
    Abs Im Re abs acos acot arccos arccot arccsc arcosh arcsec arcsin arctan arg arsinh artanh asin atan binomial ceil
    cis cos cosh cot coth csc csch det exp factorial floor gcd lcm lg ln log max min root sec sech sin sinh sqrt tan
    tanh
    """.split()  # noqa: SIM905 - a list of words
)
"""Names that are applied to what follows."""

GREEK = frozenset(
    """
    Delta Gamma Lambda Omega Phi Psi Sigma Theta Xi aleph alpha beta chi delta ell epsilon eta gamma iota kappa
    lambda mu nu omega phi psi rho sigma tau theta upsilon varepsilon varphi varrho varsigma vartheta xi zeta
    """.split()  # noqa: SIM905 - a list of words
)

RELATIONS = {sign: sign for sign in ("=", "<", ">", "<=", ">=", "!=")}
RELATIONS |= {"le": "<=", "leq": "<=", "leqslant": "<=", "ge": ">=", "geq": ">=", "geqslant": ">=", "in": "in"}
RELATIONS |= {"lt": "<", "gt": ">", "ne": "!=", "neq": "!=", "approx": "=", "equiv": "=", "simeq": "="}
"""Signs between two sides, as commands or characters, and what each means."""

NO_FACTORS = frozenset(
    """
    % & \\ ast bmod cap cdot circ cup div end land lor mid mp pm pmod rVert rangle rbrace rbrack rceil rfloor rvert
    setminus times to vee wedge | }
    """.split()  # noqa: SIM905 - a list of words
)
"""Commands that cannot begin a factor."""


DENIALS = frozenset("not wrong incorrect false never isn't".split())  # noqa: SIM905 - a list of words
"""Words behind a value that take it back."""

OPERATIONS = frozenset(
    "squared cubed factorial minus plus doubled tripled halved tenths hundredths thousandths".split()  # noqa: SIM905 - a list of words
)
"""Words behind a value that make another of it: they are no decoration."""

SYMBOL_MARKS = frozenset(
    "overline bar hat vec tilde mathbb mathcal widehat overrightarrow dot ddot".split()  # noqa: SIM905 - a list of words
)
"""Commands that mark a letter and make it another."""

JOINING_WORDS = frozenset(("or", "and"))
"""Words between answers, as good as a comma."""

CONDITION_WORDS = frozenset(("if", "for", "when", "where", "otherwise", "else", "elsewhere"))
"""Words between a value and its condition in a definition by cases."""

SHORT_UNITS = frozenset(
    """
    cm mm km in ft yd mi sq kg mg lb lbs oz ml dl mph kph hr hrs min sec day cup am pm usd per
    """.split()  # noqa: SIM905 - a list of words
)
"""Units of two or three letters: other short words are products of symbols."""

SAYING_WORDS = ("is", "are", "equals", "answer", "answer:", "is:", "=")
"""Words that end what may stand before an answer."""

BASES = {
    name: str(base)
    for base, name in enumerate(
        ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"), start=2
    )
}
"""Bases of numerals as words."""

_INFINITY = ("constant", "infinity")
MEANINGS = {
    **dict.fromkeys(("all real numbers", "all reals"), ("symbol", "mathbb_R")),
    **dict.fromkeys(("no solution", "no solutions", "empty set", "the empty set"), ("set", ())),
    **dict.fromkeys(("infinity", "positive infinity"), _INFINITY),
    "negative infinity": ("negate", _INFINITY),
    "infinitely many solutions": ("text", "infinitely many"),
    "dne": ("text", "does not exist"),
    **dict.fromkeys(("neither even nor odd", "neither odd nor even"), ("text", "neither")),
}
"""Words that stand for a tree."""
