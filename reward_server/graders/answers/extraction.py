"""What an extraction gives."""

from dataclasses import dataclass

from reward_server.verdict import Flag

MAX_CANDIDATES = 1_000
"""How many candidates are kept, the last ones; flags take all into account."""


@dataclass(frozen=True, slots=True)
class Extraction:
    """An answer, and how it was found."""

    text: str | None
    """None when there is no answer."""
    source: str
    """Where it was: ``boxed``, ``answer_tag``, ``hashes``, ``phrase``, ``last_line``, ``fence``, ``prose`` or ``bare``;
    empty without an answer."""
    candidates: tuple[str, ...] = ()
    """Every answer that was offered in the same way, in order; `text` is one of them."""
    flags: tuple[Flag, ...] = ()
    joined: str | None = None
    """All answers as one list, where they differ and stand in one row, as in one sentence that names two solutions."""


NOTHING = Extraction(None, "")
