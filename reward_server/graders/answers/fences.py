"""Fenced blocks of markdown, as models write them: see the differences to CommonMark at `fenced_blocks`."""

import re
from dataclasses import dataclass
from typing import NamedTuple

_OPENING = re.compile(r"([ \t]*)(`{3,}|~{3,})([^`\n]*)")
_LATE_OPENING = re.compile(r"`{3}([A-Za-z][A-Za-z0-9+#_.-]{0,30})[ \t\r]*\Z")
_ONE_LINE_LANGUAGES = frozenset({"bash", "js", "json", "py", "python", "sql", "sqlite", "text"})
_KEPT = 300
_LATE_SEARCH = 48
"""How many characters before the end of a line a late opening may begin."""


class Block(NamedTuple):
    """A fenced block."""

    language: str
    """In lower case; empty when none is named."""
    text: str
    closed: bool
    info: str = ""
    """All that stands behind the opening fence, at most a few hundred characters."""
    above: str = ""
    """The line above the fence, at most a few hundred characters."""
    end: int = 0
    """Where in the text its last line ends."""


@dataclass(slots=True)
class _Open:
    """The block that is being read."""

    fence: str
    language: str
    indent: int
    lines: list[str]
    info: str = ""
    above: str = ""

    def block(self, end: int, *, closed: bool) -> Block:
        return Block(self.language, "\n".join(self.lines), closed, self.info, self.above, end)


def fenced_blocks(text: str) -> list[Block]:
    """Return the blocks between fences of backticks or tildes; one that is not closed reaches to the end.

    Unlike CommonMark: any indentation may precede a fence (lists are often indented wrongly) and is taken from the
    block's lines; prose may precede an opening fence that names a language; code may precede a closing fence on its
    line; a block may stand on one line.
    """
    blocks: list[Block] = []
    if "```" not in text and "~~~" not in text:
        return blocks
    current: _Open | None = None
    above, end = "", -1
    for raw in text.split("\n"):
        end += len(raw) + 1
        line = raw.removesuffix("\r")
        if current is None:
            opened = _opened(line)
            if isinstance(opened, Block):
                blocks.append(opened._replace(end=end))
            elif opened is not None:
                opened.above = above[:_KEPT]
                current = opened
            above = line if line.strip() else above
        elif _closes(line, current):
            blocks.append(current.block(end, closed=True))
            current, above = None, ""
    if current is not None:
        blocks.append(current.block(end, closed=False))
    return blocks


def _opened(line: str) -> "_Open | Block | None":
    if found := _OPENING.match(line):
        indent, fence, info = found.groups()
        if found.end() == len(line):
            return _Open(fence, _language(info) if info else "", len(indent), [], info[:_KEPT])
        return _one_line(line.strip(), fence)
    if "```" not in line:
        return None
    found = _LATE_OPENING.search(line, max(0, len(line) - _LATE_SEARCH))
    if found and line.count("```") == 1:
        return _Open("```", found[1].lower(), 0, [])
    return None


def _one_line(line: str, fence: str) -> Block | None:
    inner = line[len(fence) : -len(fence)]
    if not (line.endswith(fence) and inner.strip()) or fence in inner:
        return None
    word, _, rest = inner.partition(" ")
    if word.lower() in _ONE_LINE_LANGUAGES and rest.strip():
        return Block(word.lower(), rest.strip(), closed=True)
    return Block("", inner.strip(), closed=True)


def _closes(line: str, current: _Open) -> bool:
    """Take ``line`` into the block and return False, or return True when it closes the block."""
    if current.fence[:3] not in line:
        current.lines.append(_taken(line, current.indent))
        return False
    bare = line.strip()
    if bare.startswith(current.fence) and not bare.strip(current.fence[0]):
        return True
    taken = _taken(line, current.indent)
    if bare.endswith(current.fence) and bare.count(current.fence) == 1 and current.fence[0] == "`":
        current.lines.append(taken.rstrip().removesuffix(current.fence))
        return True
    current.lines.append(taken)
    return False


def _taken(line: str, indent: int) -> str:
    """Return ``line`` without the fence's own indentation."""
    return line[min(indent, len(line) - len(line.lstrip(" \t"))) :] if indent else line


def _language(info: str) -> str:
    words = info.split(maxsplit=1)
    return words[0].lower().strip("{}.:,")[:64] if words else ""
