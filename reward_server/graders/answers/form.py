"""The form of a response as named checks: format rewards. Content does not count here; thinking is looked at too."""

import json
import re
from dataclasses import dataclass
from typing import Any

from reward_server.graders.answers.boxes import boxed, boxes
from reward_server.graders.answers.fences import fenced_blocks
from reward_server.graders.answers.tags import visible_spans, visible_text
from reward_server.graders.text_normalization import shows_nothing, without_invisible
from reward_server.verdict import Check

_SAID = re.compile(r"[^\W_]")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatRules:
    """What form a response must have. Each rule that is set is one check."""

    tags: tuple[str, ...] = ()
    """Tags, e.g. ``think``, ``answer``: each must open and close exactly once, one after the other in this order, and
    hold something that shows."""
    only_tags: bool = False
    """Whether nothing but white space may stand outside these tags."""
    fenced_block: bool = False
    """Whether there must be exactly one fenced block, closed, outside the thinking."""
    fence_language: str = ""
    """The language it must name; empty for any."""
    boxed: bool = False
    r"""Whether there must be exactly one ``\\boxed{…}`` outside the thinking."""
    nothing_after: bool = False
    """Whether only white space and punctuation may follow the last tag, fence or box."""
    only_json: bool = False
    """Whether the visible text must be one JSON text and nothing else: no fence, no prose."""


def format_checks(response: str, rules: FormatRules) -> tuple[Check, ...]:
    """Return one check for each rule that is set, with score 0 or 1 and the reason in its detail."""
    checks: list[Check] = []
    visible = visible_text(response)
    spans = _tag_spans(response, rules.tags)
    if rules.tags:
        checks.append(_check("format:tags", spans if isinstance(spans, str) else ""))
    if rules.only_tags:
        checks.append(_check("format:only_tags", spans if isinstance(spans, str) else _outside(response, spans)))
    if rules.fenced_block:
        checks.append(_check("format:fenced_block", _fence_trouble(visible, rules.fence_language)))
    if rules.boxed:
        count = len(boxed(visible))
        checks.append(_check("format:boxed", "" if count == 1 else f"{count} boxed answers instead of one"))
    if rules.nothing_after:
        checks.append(_check("format:nothing_after", _after_trouble(response, visible, rules)))
    if rules.only_json:
        checks.append(_check("format:only_json", _json_trouble(visible)))
    return tuple(checks)


def _check(name: str, trouble: str) -> Check:
    return Check(name, 0.0 if trouble else 1.0, 1.0, trouble)


def _tag_spans(response: str, tags: tuple[str, ...]) -> list[tuple[int, int]] | str:
    """Return where each tag's block begins and ends, or what is wrong with them."""
    spans, position = [], 0
    for tag in tags:
        opening, closing = f"<{tag}>", f"</{tag}>"
        if response.count(opening) != 1 or response.count(closing) != 1:
            opened, closed = response.count(opening), response.count(closing)
            return f"<{tag}> opens {opened} and closes {closed} times instead of once"
        start, end = response.find(opening), response.find(closing)
        if start < position or end < start:
            return f"<{tag}> is out of order"
        if shows_nothing(response[start + len(opening) : end]):
            return f"<{tag}> is empty"
        position = end + len(closing)
        spans.append((start, position))
    return spans


def _outside(response: str, spans: list[tuple[int, int]]) -> str:
    edges = [0, *(edge for span in spans for edge in span), len(response)]
    stretches = [
        without_invisible(response[start:end]).strip() for start, end in zip(edges[::2], edges[1::2], strict=True)
    ]
    extra = sum(map(len, stretches))
    return f"{extra} characters stand outside the tags" if extra else ""


def _fence_trouble(visible: str, language: str) -> str:
    blocks = fenced_blocks(visible)
    if len(blocks) != 1:
        return f"{len(blocks)} fenced blocks instead of one"
    if not blocks[0].closed:
        return "the fenced block is not closed"
    if language and blocks[0].language != language.lower():
        return f"the fenced block names {blocks[0].language or 'no language'!r} instead of {language.lower()!r}"
    return "the fenced block is empty" if shows_nothing(blocks[0].text) else ""


def _after_trouble(response: str, visible: str, rules: FormatRules) -> str:
    ends = [response.rfind(closing) + len(closing) for tag in rules.tags if (closing := f"</{tag}>") in response]
    if rules.fenced_block:
        ends += [_in_response(response, block.end) for block in fenced_blocks(visible)[-1:] if block.closed]
    if rules.boxed:
        ends += [_in_response(response, end) for _, end, _ in boxes(visible)[-1:]]
    if not ends:
        return "there is nothing that could end the response"
    extra = _SAID.search(response, max(ends))
    return f"text follows the answer: {response[extra.start() :][:40]!r}" if extra else ""


def _in_response(response: str, end: int) -> int:
    """Return where in ``response`` what ends at ``end`` of its visible text ends."""
    for start, stop in visible_spans(response):
        if end <= stop - start:
            return start + end
        end -= stop - start
    return len(response)


def _json_trouble(visible: str) -> str:
    try:
        json.loads(visible, parse_int=str, parse_float=str, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        return f"it is not one JSON text and nothing else: {error}"
    return ""


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
