r"""Boxes: ``\\boxed{…}`` and ``\\fbox{…}``, in linear time."""

import re
from collections.abc import Sequence
from typing import TypeAlias

_BOX_MARK = re.compile(
    r"\\(?:boxed|fbox)\s{0,8}\{"  # a box
    r"|\\(?:boxed|fbox)(?![A-Za-z])[ \t]{0,8}([^\s\\{}]{1,64})"  # \boxed 7
    r"|\\(?=\\(?:boxed|fbox))"  # a backslash too many
    r"|\\.|[{}]",
    re.DOTALL,
)
_BOX = re.compile(r"\\(?:boxed|fbox)\s{0,8}\{")
_ROOM = re.compile(
    r"\\(?:[hv]?phantom|hspace)\s{0,8}\{[^{}]{0,99}\}"
    r"|\\(?:square|Box|qquad|quad|[cl]?dots|underline|text)(?![A-Za-z])|\\[,;:! ]|[\s.?_~{}]"
)
"""What a box holds in a question: room for an answer."""
_BETWEEN = re.compile(
    r"(?:[\s$,;&~]|\\[()\[\],;:!]|\\q?quad(?![a-z])|\band\b|\bor\b|\\(?:text|mathrm)\s?\{[\s,]*(?:and|or)?[\s,]*\}){0,40}"
)
"""What stands between boxes that are parts of one answer."""
_MAX_JOINED = 20
_ROOM_BEGINS = "\\.?_~{} \t\n"

Box: TypeAlias = tuple[int, int, str]
"""Where a box begins, where it ends, and what it holds."""


def boxed(text: str) -> list[str]:
    r"""Return the contents of the outermost closed boxes of ``text`` that hold anything, in order."""
    return [content for _, _, content in boxes(text)]


def joined(text: str, found: Sequence[Box]) -> str | None:
    r"""Return ``\\boxed{1} and \\boxed{2}`` as one list, where such a row holds every boxed answer of ``text``."""
    row = list(found[-1:])
    for before in reversed(found[:-1]):
        if not _BETWEEN.fullmatch(text, before[1], row[0][0]) or len(row) >= _MAX_JOINED:
            break
        row.insert(0, before)
    contents = [content for _, _, content in row]
    return ", ".join(contents) if len(row) > 1 and {content for _, _, content in found} == set(contents) else None


def boxes(text: str) -> list[Box]:
    """Return where each box begins and ends and what it holds; what only keeps room for an answer holds nothing."""
    found = []
    for opening, start, end in _spans(text):
        content = _unnested(text[start:end]).strip(" \t\r\n")
        if content and (content[0] not in _ROOM_BEGINS or _ROOM.sub("", content)):
            found.append((opening, end + 1, content))
    return found


def _spans(text: str) -> list[tuple[int, int, int]]:
    spans: list[tuple[int, int, int]] = []
    open_braces: list[tuple[int, int] | None] = []  # where a box and its content begin; None for other braces
    for mark in _BOX_MARK.finditer(text):
        token = mark[0]
        if token == "{":  # noqa: S105 - a brace
            open_braces.append(None)
        elif token == "}":  # noqa: S105 - a brace
            start = open_braces.pop() if open_braces else None
            if start is not None:
                while spans and spans[-1][1] >= start[1]:
                    spans.pop()
                spans.append((*start, mark.start()))
        elif mark[1] is not None:
            spans.append((mark.start(), mark.start(1), mark.start(1) + len(mark[1].rstrip("$.,;:"))))
        elif len(token) > len("\\{") and token[-1] == "{":
            open_braces.append((mark.start(), mark.end()))
    return spans


def _unnested(content: str) -> str:
    r"""Return the inside of a box that is all there is in a box: ``\boxed{\boxed{7}}``; a few deep at most."""
    inner = content.strip()
    for _ in range(4):
        opening = _BOX.match(inner)
        if not (opening and inner.endswith("}") and inner.count("{") == inner.count("}")):
            return inner
        if (body := inner[opening.end() : -1]).find("}") < body.find("{") and "}" in body:
            return inner  # the braces belong to two boxes
        inner = body.strip()
    return inner if not _BOX.match(inner) else ""
