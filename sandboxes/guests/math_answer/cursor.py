"""A place in the tokens of an answer, with a bound on depth. What the tokens mean is read by `expressions`."""

from .tokens import GrammarError, Token

MAX_DEPTH = 60
_END: Token = ("", "", False)


class Cursor:
    """Looks at tokens and takes them one by one."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self._bars = 0
        self._latex = any(kind == "command" for kind, _, _ in tokens)

    def deeper(self) -> None:
        """Count a level. Raises `GrammarError` past the bound."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise GrammarError("it is nested too deeply")

    def peek(self, ahead: int = 0) -> Token:
        """Return a token without taking it."""
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else _END

    def take(self) -> Token:
        """Take the next token, whatever it is."""
        token = self.peek()
        self._at += 1
        return token

    def accept(self, *texts: str) -> str | None:
        """Take the next token if it is one of ``texts``."""
        kind, text, _ = self.peek()
        if kind in ("operator", "command", "word") and text in texts:
            self._at += 1
            return text
        return None

    def expect(self, text: str) -> None:
        """Take ``text``. Raises `GrammarError` when something else comes."""
        if not self.accept(text):
            raise GrammarError(f"{text!r} is expected")
