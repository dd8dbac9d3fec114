"""Tags around thinking and answers."""

import re

_THINKING = re.compile(r"<(/?)(think|thinking|reasoning)\s{0,8}>", re.IGNORECASE | re.ASCII)
_ANSWER = re.compile(r"<(/?)answer\s{0,8}>", re.IGNORECASE | re.ASCII)
_EMPTY_ANSWER = re.compile(r"<answer\s{0,8}>\s*(?:</answer\s{0,8}>|\Z)", re.IGNORECASE | re.ASCII)


def visible_text(response: str) -> str:
    """Return ``response`` without its thinking: ``<think>``, ``<thinking>`` and ``<reasoning>`` blocks.

    A block that is not closed reaches to the end. A closing tag that nothing opened (chat templates often open the
    block in the prompt) makes everything before it thinking. Inside a block only its own closing tag means anything.
    """
    return "".join(response[start:end] for start, end in visible_spans(response))


def visible_spans(response: str) -> list[tuple[int, int]]:
    """Return where what `visible_text` keeps begins and ends."""
    kept: list[tuple[int, int]] = []
    position, inside = 0, ""
    for tag in _THINKING.finditer(response):
        closing, name = bool(tag[1]), tag[2].lower()
        if not inside and not closing:
            kept.append((position, tag.start()))
            inside = name
        elif not inside:
            kept, position = [], tag.end()
        elif closing and name == inside:
            position, inside = tag.end(), ""
    if not inside:
        kept.append((position, len(response)))
    return kept


def answer_tags(text: str) -> tuple[str, ...]:
    """Return the contents of the ``<answer>`` blocks that hold anything, in order; the last may lack its closing tag.

    A second opening tag before a closing one begins the block anew.
    """
    contents: list[str] = []
    start: int | None = None
    for tag in _ANSWER.finditer(text):
        if not tag[1]:
            start = tag.end()
        elif start is not None:
            contents.append(text[start : tag.start()])
            start = None
    if start is not None:
        contents.append(text[start:])
    return tuple(content for content in contents if content.strip())


def answer_tag(text: str) -> str | None:
    """Return the content of the last ``<answer>`` block that holds anything; None without one."""
    contents = answer_tags(text)
    return contents[-1] if contents else None


def without_empty_answers(text: str) -> str:
    """Return ``text`` without ``<answer>`` blocks that hold nothing: tags alone are no answer."""
    return _EMPTY_ANSWER.sub("", text)
