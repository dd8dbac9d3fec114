"""Finding the answer in what a model wrote: code, JSON or a final answer, in thinking, prose, tags and fences.

One place for all graders. Everything is linear in the response, which is hostile: plain scans, no backtracking, no
recursion. The rules, in the order in which they apply:

1. Thinking is not the answer: ``<think>``, ``<thinking>`` and ``<reasoning>`` blocks are dropped; without an opening
   tag everything before the last closing tag is thinking; without a closing tag everything after the opening one is.
2. The content of the last ``<answer>`` block, if there is one, is the whole answer.
3. Then by kind: see `extract_code`, `extract_json_text` and `final_answer`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reward_server.verdict import Flag

_THINKING_TAGS = ("think", "thinking", "reasoning")
_BOXES = ("\\boxed", "\\fbox")
_PHRASES = ("final answer is", "final answer:", "the answer is", "answer is", "answer:")
_SQL_STARTS = (
    "select ",
    "with ",
    "select\t",
    "select*",
    "select(",
    "insert ",
    "update ",
    "delete ",
    "values ",
    "values(",
)
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
_TRAILING = " \t\r\n.*`"


@dataclass(frozen=True, slots=True)
class Extraction:
    """An answer, and how it was found."""

    text: str | None
    """None when there is no answer."""
    source: str
    """Where it was: ``boxed``, ``answer_tag``, ``fence``, ``phrase``, ``bare`` …; empty without an answer."""
    candidates: tuple[str, ...] = ()
    """Every answer that was offered in the same way, in order; `text` is the last."""
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block."""

    language: str
    text: str
    closed: bool


_NOTHING = Extraction(None, "")


def visible_text(response: str) -> str:
    """Return ``response`` without its thinking."""
    text = response
    for tag in _THINKING_TAGS:
        text = _without_tag(text, tag)
    return text


def _without_tag(text: str, tag: str) -> str:
    lowered = text.lower()
    if len(lowered) != len(text):  # a few characters change length in lower case; their case then matters
        lowered = text
    opening, closing = f"<{tag}>", f"</{tag}>"
    kept, position = [], 0
    first_open, first_close = lowered.find(opening), lowered.find(closing)
    if first_close != -1 and not -1 < first_open < first_close:
        position = lowered.rfind(closing, 0, first_open if first_open != -1 else len(lowered)) + len(closing)
    while (start := lowered.find(opening, position)) != -1:
        kept.append(text[position:start])
        end = lowered.find(closing, start)
        if end == -1:
            return "".join(kept)
        position = end + len(closing)
    kept.append(text[position:])
    return "".join(kept)


def answer_tag(text: str) -> str | None:
    """Return the content of the last complete ``<answer>`` block; None without one."""
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = text
    end = lowered.rfind("</answer>")
    start = lowered.rfind("<answer>", 0, end) if end != -1 else -1
    return text[start + len("<answer>") : end] if start != -1 else None


def fenced_blocks(text: str) -> list[Block]:
    """Return the blocks between fences of backticks or tildes; one that is not closed reaches to the end."""
    blocks: list[Block] = []
    fence, language = "", ""
    lines: list[str] = []
    for line in text.splitlines():
        bare = line.strip()
        marker = bare[: len(bare) - len(bare.lstrip(bare[0]))] if bare[:3] in ("```", "~~~") else ""
        if not fence and marker and "`" not in bare[len(marker) :]:
            words = bare[len(marker) :].split()
            fence, language, lines = marker, words[0].lower().strip("{}.") if words else "", []
        elif fence and marker[:1] == fence[0] and len(marker) >= len(fence) and bare == marker:
            blocks.append(Block(language, "\n".join(lines), closed=True))
            fence = ""
        elif fence:
            lines.append(line)
    if fence:
        blocks.append(Block(language, "\n".join(lines), closed=False))
    return blocks


def extract_code(response: str, languages: Sequence[str], defining: str = "") -> Extraction:
    """Find code: the last fenced block in one of ``languages``, else the last without a language, else unfenced code.

    Among several blocks the last that defines the name ``defining`` wins, so that a usage example after the solution
    is not taken for it. Unfenced text begins at its first line that looks like code.
    """
    visible = visible_text(response)
    tagged = answer_tag(visible)
    text = visible if tagged is None else tagged
    blocks = [block for block in fenced_blocks(text) if block.text.strip()]
    named = [block for block in blocks if block.language in languages]
    pool = named or [block for block in blocks if not block.language] or blocks
    if pool:
        defined = [block for block in pool if defines(block.text, defining)] if defining else []
        texts = tuple(block.text for block in pool)
        return Extraction((defined or pool)[-1].text, "fence", texts)
    if not text.strip():
        return _NOTHING
    code = _unfenced_sql(text) if "sql" in languages else _unfenced_code(text)
    return Extraction(code, "bare" if tagged is None else "answer_tag", (code,))


def defines(code: str, name: str) -> bool:
    """Return whether some line of ``code`` begins the definition of ``name`` or assigns it."""
    starts = (f"def {name}", f"class {name}", f"async def {name}")
    for line in (raw.strip() for raw in code.splitlines()):
        if line.startswith((f"{name} =", f"{name}=")):
            return True
        start = next((start for start in starts if line.startswith(start)), None)
        if start and not (line[len(start) :][:1].isalnum() or line[len(start) :][:1] == "_"):
            return True
    return False


def _unfenced_code(text: str) -> str:
    lines = text.strip("\r\n").splitlines()
    for position, line in enumerate(lines):
        if line.startswith(_CODE_STARTS):
            return "\n".join(lines[position:])
    return "\n".join(lines)


def _unfenced_sql(text: str) -> str:
    """Return from the first line that begins a statement to the next blank line."""
    lines = text.strip("\r\n").splitlines()
    starts = (i for i, line in enumerate(lines) if f"{line.strip().lower()} ".startswith(_SQL_STARTS))
    first = next(starts, None)
    if first is None:
        return "\n".join(lines)
    last = next((i for i in range(first, len(lines)) if not lines[i].strip()), len(lines))
    return "\n".join(lines[first:last])


def extract_json_text(response: str) -> Extraction:
    """Find a JSON text: the last fenced block marked json or beginning like one, else the last object or array.

    Nothing is repaired: a text that breaks off is returned as it stands.
    """
    visible = visible_text(response)
    tagged = answer_tag(visible)
    text = visible if tagged is None else tagged
    blocks = [
        block
        for block in fenced_blocks(text)
        if block.language in ("json", "jsonc", "json5")
        or (not block.language and block.text.lstrip()[:1] in ("{", "["))
    ]
    if blocks:
        return Extraction(blocks[-1].text.strip(), "fence", tuple(block.text.strip() for block in blocks))
    stripped = text.strip()
    if stripped[:1] in ("{", "["):
        return Extraction(stripped, "bare", (stripped,))
    documents = tuple(_documents(text))
    if documents:
        return Extraction(documents[-1], "prose", documents)
    if tagged is not None and stripped:
        return Extraction(stripped, "answer_tag", (stripped,))
    return Extraction(stripped, "bare", (stripped,)) if stripped and _is_scalar(stripped) else _NOTHING


def _is_scalar(text: str) -> bool:
    return text in ("null", "true", "false") or text[0] in '"-0123456789'


def _documents(text: str) -> Iterator[str]:
    """Yield the outermost bracketed stretches of ``text``; the last may be unclosed."""
    depth, start, in_string, escaped = 0, 0, False, False
    for position, character in enumerate(text):
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif depth and character == '"':
            in_string = True
        elif character in "{[":
            start = position if depth == 0 else start
            depth += 1
        elif character in "}]" and depth:
            depth -= 1
            if depth == 0:
                yield text[start : position + 1]
    if depth:
        yield text[start:]


def final_answer(response: str) -> Extraction:
    r"""Find a final answer: ``\boxed{…}``, ``<answer>``, ``####``, "the answer is …", or the last line.

    All boxes outside the thinking count, and so do all lines of GSM8K's ``####``: several that differ are a hedge,
    flagged ``hedged_answer`` (what differs is decided after white space; the grader may find that they are equal).
    """
    visible = visible_text(response)
    tagged = answer_tag(visible)
    text = visible if tagged is None else tagged
    if boxes := [box for box in _boxed(text) if box]:
        return _offered(boxes, "boxed")
    if tagged is not None:
        cleaned = _clean(tagged)
        return Extraction(cleaned, "answer_tag", (cleaned,)) if cleaned else _NOTHING
    lines = [line for raw in visible.splitlines() if (line := raw.strip())]
    if marked := [_clean(line[4:]) for line in lines if line.startswith("####") and _clean(line[4:])]:
        return _offered(marked, "hashes")
    if phrased := [found for line in lines if (found := _after_phrase(line))]:
        return _offered(phrased[-1:], "phrase")
    if lines:
        last = _clean(lines[-1])
        return Extraction(last, "last_line", (last,)) if last else _NOTHING
    return _NOTHING


def _offered(candidates: list[str], source: str) -> Extraction:
    distinct = {"".join(candidate.split()) for candidate in candidates}
    flags = (Flag("hedged_answer", f"{len(distinct)} different final answers"),) if len(distinct) > 1 else ()
    return Extraction(candidates[-1], source, tuple(candidates), flags)


def _boxed(text: str) -> Iterator[str]:
    r"""Yield the content of every ``\boxed{…}`` that is closed, and of ``\boxed 7``."""
    position = 0
    while (start := _next_box(text, position)) is not None:
        after = start
        while after < len(text) and text[after] in " \t":
            after += 1
        if after < len(text) and text[after] == "{":
            end = _closing_brace(text, after)
            if end is None:
                return
            yield text[after + 1 : end].strip()
            position = end + 1
        else:
            word = text[after : after + 64].split(maxsplit=1)[:1]
            yield word[0].rstrip("$.,") if word else ""
            position = after + 1


def _next_box(text: str, position: int) -> int | None:
    found = [(at, at + len(box)) for box in _BOXES if (at := text.find(box, position)) != -1]
    return min(found)[1] if found else None


def _closing_brace(text: str, opening: int) -> int | None:
    depth, position = 0, opening
    while position < len(text):
        character = text[position]
        if character == "\\":
            position += 1
        elif character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
            if depth == 0:
                return position
        position += 1
    return None


def _after_phrase(line: str) -> str:
    lowered = line.lower()
    if len(lowered) != len(line):
        return ""
    for phrase in _PHRASES:
        at = lowered.rfind(phrase)
        if at != -1:
            return _clean(line[at + len(phrase) :].lstrip(" :*"))
    return ""


def _clean(text: str) -> str:
    """Strip white space, emphasis, a closing full stop and the delimiters of mathematics around an answer."""
    cleaned = text.strip(_TRAILING)
    for opening, closing in (("\\(", "\\)"), ("\\[", "\\]"), ("$$", "$$"), ("$", "$")):
        if cleaned.startswith(opening) and cleaned.endswith(closing) and len(cleaned) > len(opening) + len(closing) - 1:
            inner = cleaned[len(opening) : -len(closing)]
            if opening not in inner:
                cleaned = inner.strip(_TRAILING)
    return cleaned
