"""Compares a few dozen answers ahead, so that forked children inherit what SymPy and `re` make only when first used.

Modules that are imported in the middle of a calculation, assumptions of common numbers, tables of functions and
polynomials cost a fresh child up to a third of a second. What is kept are pure results: nothing of them decides a
verdict, and `run` sets the dice anew for every job.
"""

from collections.abc import Callable, Iterator
from typing import Any

import sympy

_NUMBERS = (0, 1, -1, 2, 3, sympy.Rational(1, 2), sympy.pi, sympy.E, sympy.I, sympy.oo, -sympy.oo, sympy.nan, sympy.zoo)
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_FACTS = (
    "zero", "positive", "negative", "nonnegative", "integer", "even", "odd", "prime", "rational", "algebraic", "real",
    "extended_real", "imaginary", "complex", "finite", "infinite", "commutative", "hermitian",
)  # fmt: skip

_PAIRS = r"""
\frac{\sqrt{2}}{2}+x^2      | x^2+\frac12\sqrt{2}
x^3-2x+1                    | (x-1)(x^2+x-1)
x^3                         | x^3+1
\frac{x^2-1}{x-1}           | x+1
\frac{a}{b}+\frac{c}{d}     | \frac{ad+bc}{bd}
x^{2/3}y^{-1}               | \frac{\sqrt[3]{x^2}}{y}
\sqrt{x^2+1}                | x
|x-3|                       | x-3
\sin^2 x                    | 1-\cos^2 x
\tan x                      | \frac{\sin x}{\cos x}
\sec^2 x - \cot x           | 1+\tan^2 x - \csc x
\arcsin x + \arctan x       | \arccos x
\sinh x + \tanh x           | \cosh x
\ln(x^2+1)                  | \log_2 (x)
2^x                         | 3^x
x^x                         | e^{x\ln x}
e^{-x}\cos 2x               | e^{x}
\frac{1}{1+e^{-x}}          | \frac{e^x}{e^x+1}
n!                          | (n-1)!
\binom{n}{2}                | \frac{n(n-1)}{2}
(-1)^n                      | (-1)^{n+1}
\lfloor x \rfloor           | \lceil x \rceil
\max(x,y)                   | \min(x,y)
\sum_{n=0}^\infty x^n       | \sum_{k=1}^\infty x^{k-1}
\sum_{n=1}^\infty \frac{1}{n^2} | \frac{\pi^2}{6}
\int_0^1 x^2\,dx             | \frac13
\lim_{x\to 0}\frac{\sin x}{x} | 1
\frac{\sin^2x}{2}+C         | -\frac{\cos^2x}{2}+C
c_1e^x+c_2e^{-x}            | Ae^{-x}+Be^x
x+y=1                       | 2x+2y=2
x^2+y^2<4                   | 4>x^2+y^2
y=2x+1                      | 2x-y+1=0
f(x)=x+1                    | f(t)=t+1
x=2\pi k, k\in\mathbb{Z}    | 2\pi n
\sqrt{12}+\sqrt[3]{5}       | 2\sqrt{3}
\frac{1+\sqrt5}{2}          | 1.618
\frac{\pi}{4}               | \arctan 1
\frac{\sqrt3}{2}            | \sin 60^\circ
\cos\frac{\pi}{12}          | \frac{\sqrt6+\sqrt2}{4}
e^{i\pi}                    | -1
3+4i                        | 4i-3
|3+4i|                      | 5
\frac{1}{1+i}               | \frac{1-i}{2}
e^{2}+\ln 4                 | 2\ln 2
\log_2 10                   | \frac{\ln 10}{\ln 2}
2^{10}                      | 1024
0.1\overline{6}             | \frac16
5/36                        | 5/36 \approx 0.139
3.2\times 10^{-4}           | 0.00032
25\%                        | \frac14
5 \text{ cm}                | 50 mm
12:30 p.m.                  | 12:30
12 \frac{1}{2}              | 12.5
72                          | 48+24=72
\pm 2                       | 2,-2
1,2,3                       | 3 and 2 and 1
(1,2)                       | (x,y)=(1,2)
(-\infty,1]\cup(2,\infty)   | x\le1 or x>2
\{x \mid x\ge 1\}           | [1,\infty)
\mathbb{R}\setminus\{2\}    | x\ne 2
\begin{pmatrix}1&\sqrt2\\x&4\end{pmatrix} | \begin{bmatrix}1&2\\x&4\end{bmatrix}
\begin{cases} x & x>0 \\ -x & \text{otherwise}\end{cases} | |x|
\mathbf i-2\mathbf j        | \langle 1,-2\rangle
x\equiv 1\pmod 3            | x\equiv 4\pmod 3
2516_8                      | 1358
\text{Tuesday}              | \text{no solution}
"""

_STEPS = """
$2x + 1 = 5$, so $2x = 4$ and $x = 2$.
$x + y = 3$, so $y = 1$.
$x^2 - 5x + 6 = 0$, so $x = 2$ or $x = 3$.
Total: 3 * 4 = 12 apples, and 12 - 2 = 10.
"""

_PLAIN: dict[str, Any] = {
    "joined": "",
    "rules": {},
    "form": "simplified",
    "places": None,
    "comma_locale": False,
    "choices": [],
}


def warm(
    compare: Callable[[dict[str, Any]], tuple[str, str]],
    check_steps: Callable[[str, list[str], list[str], list[dict[str, Any]]], None],
) -> None:
    """Compare and check once what responses usually hold; outcomes are dropped."""
    for number in (*_NUMBERS, *map(sympy.Symbol, _LETTERS)):
        for fact in _FACTS:
            getattr(sympy.sympify(number), f"is_{fact}")
    for payload in _payloads():
        compare(payload)
    check_steps(_STEPS, ["x + y = 3", "There are 3 boxes of 4 apples; 2 are eaten."], ["x = 2", "10"], [])


def _payloads() -> Iterator[dict[str, Any]]:
    for line in _PAIRS.strip().splitlines():
        expected, _, answer = (part.strip() for part in line.partition(" | "))
        yield {**_PLAIN, "answers": [answer], "expected": [expected]}
        yield {**_PLAIN, "answers": [expected], "expected": [expected]}
