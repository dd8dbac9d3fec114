"""JSON in responses. Nothing is repaired: a text that breaks off is returned as it stands."""

import re
from collections.abc import Iterator

from reward_server.graders.answers.extraction import MAX_CANDIDATES, NOTHING, Extraction
from reward_server.graders.answers.fences import Block, fenced_blocks
from reward_server.graders.answers.tags import answer_tag, visible_text

_JSON_LANGUAGES = ("json", "jsonc", "json5", "jsonl", "geojson")
_MARK = re.compile(r'\\.|["{}\[\]]', re.DOTALL)
_LINE_START = re.compile(r"^[ \t]{0,40}([{\[])", re.MULTILINE)

_MAX_INDENT = 40


def extract_json_text(response: str) -> Extraction:
    """Find a JSON text: the last fenced block marked json, else the last that begins like JSON, else one in prose.

    A closed block wins over one that breaks off. In prose the last outermost object or array that begins a line wins,
    else the last of all.
    """
    visible = visible_text(response)
    tagged = answer_tag(visible)
    text = visible if tagged is None else tagged
    if pool := _pool([block for block in fenced_blocks(text) if block.text.strip()]):
        chosen = next((block for block in reversed(pool) if block.closed), pool[-1])
        return Extraction(chosen.text.strip(), "fence", tuple(block.text.strip() for block in pool[-MAX_CANDIDATES:]))
    stripped = text.strip()
    source = "bare" if tagged is None else "answer_tag"
    documents = _documents(stripped)
    if len(documents) <= 1 and stripped[:1] in ("{", "[") and not _prose_follows(stripped, documents):
        return Extraction(stripped, source, (stripped,))
    if documents:
        leading = [document for document, leads in documents if leads]
        chosen_text = leading[-1] if leading else documents[-1][0]
        return Extraction(chosen_text, "prose", tuple(document for document, _ in documents[-MAX_CANDIDATES:]))
    if stripped and (tagged is not None or _is_scalar(stripped)):
        return Extraction(stripped, source, (stripped,))
    return NOTHING


def _pool(blocks: list[Block]) -> list[Block]:
    alike = [block for block in blocks if block.text.lstrip()[:1] in ("{", "[")]
    named = [block for block in blocks if block.language in _JSON_LANGUAGES]
    return named or [block for block in alike if not block.language] or alike


def _prose_follows(text: str, documents: list[tuple[str, bool]]) -> bool:
    """Return whether after the document at the start of ``text`` comes what no JSON goes on with."""
    rest = text[len(documents[0][0]) :].lstrip() if documents else ""
    return bool(rest) and rest[0] not in '}]",:' and not _is_scalar(rest)


def _is_scalar(text: str) -> bool:
    return text in ("null", "true", "false") or text[0] in '"-0123456789'


def _documents(text: str) -> list[tuple[str, bool]]:
    """Return the outermost bracketed stretches of ``text``, each with whether it begins a line.

    The last may break off. A stray bracket in prose would swallow all that follows it: then the stretches after the
    last line that begins like JSON are looked for a second time.
    """
    spans = list(_spans(text, 0))
    if spans and spans[-1][1] is None and not _leads(text, spans[-1][0]):
        later = [found.start(1) for found in _LINE_START.finditer(text, spans[-1][0])]
        if later:
            spans[-1:] = _spans(text, later[-1])
    return [(text[start:end], _leads(text, start)) for start, end in spans]


def _leads(text: str, start: int) -> bool:
    """Return whether only a little white space precedes ``start`` on its line."""
    before = text[max(0, start - _MAX_INDENT) : start]
    return not before.rpartition("\n")[2].strip() and ("\n" in before or len(before) == start)


def _spans(text: str, position: int) -> Iterator[tuple[int, int | None]]:
    depth, start, in_string = 0, 0, False
    for mark in _MARK.finditer(text, position):
        character = mark[0]
        if character == '"':
            in_string = depth > 0 and not in_string
        elif in_string or len(character) > 1:
            continue
        elif character in "{[":
            start = mark.start() if depth == 0 else start
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0:
                yield start, mark.end()
    if depth:
        yield start, None
