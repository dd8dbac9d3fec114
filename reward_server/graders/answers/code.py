"""Code in responses."""

import re
from collections.abc import Collection, Sequence

from reward_server.graders.answers.extraction import MAX_CANDIDATES, NOTHING, Extraction
from reward_server.graders.answers.fences import Block, fenced_blocks
from reward_server.graders.answers.tags import answer_tag, visible_text, without_empty_answers

_SQL_STARTS = (
    *(f"{verb}{gap}" for verb in ("select", "values", "with") for gap in (" ", "\t", "(", "*")),
    "insert ",
    "update ",
    "delete ",
    "replace ",
)
_SQL_VERBS = frozenset(
    """
    select values with insert update delete replace explain pragma create drop alter attach detach begin commit end
    rollback savepoint release vacuum analyze reindex merge show describe set use truncate grant
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
_SQL_BEGINNINGS = frozenset(verb[:4] for verb in _SQL_VERBS)
"""So that a statement whose verb is misspelt is still one."""
_WORD = re.compile(r"[\s(]{0,40}([A-Za-z]{1,20})(?![A-Za-z'\u2019])")
_SPAN = re.compile(r"`([^`\n]+)`")
_CODE_STARTS = (
    "def ",
    "class ",
    "import ",
    "from ",
    "async def ",
    "@",
    "#!",
    "print(",
    "for ",
    "while ",
    "if ",
    "with ",
    "try:",
)
_COMMENTS = ("#", "//", "--", "/*", "<!--", ";")
_PROSE_TAGS = ("sql", "sqlite")


def named_files(response: str, paths: Collection[str]) -> dict[str, str]:
    """Return the files among ``paths`` that a response brings, each in a fenced block that names it.

    The name stands behind the opening fence (```` ```python shapes.py ````, ``title="shapes.py"``), alone in the line
    above, or in a comment on the block's first line. Of several blocks for one path the last counts.
    """
    files = {}
    for block in _blocks(response):
        if path := _path_of(block, paths):
            files[path] = f"{block.text}\n"
    return files


def _blocks(response: str) -> list[Block]:
    visible = visible_text(response)
    tagged = answer_tag(visible)
    return fenced_blocks(visible if tagged is None else tagged)


def _path_of(block: Block, paths: Collection[str]) -> str:
    """Return which of ``paths`` a block names; empty for none."""
    first = block.text.lstrip().partition("\n")[0][:300].strip()
    comment = first.lstrip("#/-*<!; ").rstrip("-*/> ").strip() if first.startswith(_COMMENTS) else ""
    words = [word.strip("\"'`{}") for word in block.info.replace("=", " ").replace(":", " ").split()]
    places = (*words, _label(block.above), _label(comment))
    return next((place for place in places if place in paths), "")


def _label(line: str) -> str:
    """Return the path that a line consists of, without its markup: ``**`shapes.py`**:``, ``### File: shapes.py``."""
    bare = line.strip().strip("#*_`:-> ").strip()
    head, _, rest = bare.partition(":")
    return rest.strip("*_` ") if rest and head.strip("*_` ").lower() in ("file", "filename", "path") else bare


def extract_code(
    response: str, languages: Sequence[str], defining: str = "", *, without: Collection[str] = ()
) -> Extraction:
    """Find code: the last fenced block in one of ``languages``, else the last without a language, else the last of all.

    Among several the last that defines the name ``defining`` wins, so that a usage example after the solution is not
    taken for it; and a closed block wins over one that breaks off. Without any block the text itself is the code, from
    its first line that looks like code. Blocks that name one of the files ``without`` are no candidates.
    """
    visible = visible_text(response)
    tagged = answer_tag(visible)
    text = visible if tagged is None else tagged
    found = [block for block in fenced_blocks(text) if block.text.strip()]
    blocks = [block for block in found if not _path_of(block, without)]
    if found and not blocks:
        return NOTHING
    if pool := _pool(blocks, languages):
        defined = [block for block in pool if defines(block.text, defining)] if defining else []
        offered = defined or pool
        chosen = next((block for block in reversed(offered) if block.closed), offered[-1])
        return Extraction(chosen.text, "fence", tuple(block.text for block in pool[-MAX_CANDIDATES:]))
    if not without_empty_answers(text).strip():
        return NOTHING
    code = _unfenced_sql(text) if set(_PROSE_TAGS) & set(languages) else _unfenced_code(text)
    if code is None:
        return NOTHING
    return Extraction(code, "bare" if tagged is None else "answer_tag", (code,))


def _pool(blocks: list[Block], languages: Sequence[str]) -> list[Block]:
    named = [block for block in blocks if block.language in languages]
    return named or [block for block in blocks if not block.language] or blocks


def defines(code: str, name: str) -> bool:
    """Return whether some line of ``code`` begins the definition of ``name`` or assigns it."""
    starts = (f"def {name}", f"class {name}", f"async def {name}")
    for line in (raw.strip() for raw in code.split("\n")):
        if line.startswith((f"{name} =", f"{name}=", f"{name}:")):
            return True
        start = next((start for start in starts if line.startswith(start)), None)
        if start and not (line[len(start) :][:1].isalnum() or line[len(start) :][:1] == "_"):
            return True
    return False


def _lines(text: str) -> list[str]:
    return [line.removesuffix("\r") for line in text.strip("\r\n").split("\n")]


def _unfenced_code(text: str) -> str:
    lines = _lines(text)
    if next((line for line in lines if line.strip()), "")[:1] in (" ", "\t"):  # it goes on inside a function
        return "\n".join(lines)
    for position, line in enumerate(lines):
        if line.startswith(_CODE_STARTS):
            return "\n".join(lines[position:])
    return "\n".join(lines)


def _unfenced_sql(text: str) -> str | None:
    """Return from the first line that begins a statement to the next blank line, else the last such code span.

    A text that begins like no statement at all is prose: None.
    """
    lines = _lines(text)
    first = next((i for i, line in enumerate(lines) if _begins_sql(line)), None)
    if first is None:
        spans = [span for span in _SPAN.findall(text) if _begins_sql(span)]
        word = _WORD.match(text)
        return spans[-1] if spans else text if word and word[1][:4].lower() in _SQL_BEGINNINGS else None
    last = next((i for i in range(first, len(lines)) if not lines[i].strip()), len(lines))
    return "\n".join(lines[first:last])


def _begins_sql(text: str) -> bool:
    return f"{text.strip().lower()} ".startswith(_SQL_STARTS)
