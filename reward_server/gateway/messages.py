"""Chats as clients send them: what the assistant said last is the response."""

from collections.abc import Sequence
from typing import Any

from reward_server.statuses import RequestError

_TEXTS = frozenset({"text", "output_text", "input_text"})


def last_response(messages: Sequence[Any], path: str) -> str:
    """Return the text of the last message, which must be the assistant's. Raises `RequestError`."""
    if not messages or not isinstance(messages[-1], dict) or messages[-1].get("role") != "assistant":
        raise RequestError(f"{path}: the last message must be the assistant's, which is graded")
    return text_of(messages[-1].get("content"), f"{path}[{len(messages) - 1}].content")


def text_of(content: Any, path: str) -> str:
    """Return a message's content, a text or text parts, as one text. Raises `RequestError`."""
    match content:
        case None:
            return ""
        case str():
            return content
        case dict():
            return text_of([content], path)
        case list():
            return "".join(_part(part, f"{path}[{i}]") for i, part in enumerate(content))
    raise RequestError(f"{path}: a text or a list of text parts is expected")


def _part(part: Any, path: str) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, dict) and part.get("type") in _TEXTS and isinstance(part.get("text"), str):
        return str(part["text"])
    raise RequestError(f"{path}: only text is graded")
