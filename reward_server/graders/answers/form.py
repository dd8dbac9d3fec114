"""The form of a response as named checks: format rewards. Content does not count here; thinking is looked at too."""

import re
from dataclasses import dataclass

from reward_server.graders.answers.boxes import boxed
from reward_server.graders.answers.fences import fenced_blocks
from reward_server.graders.answers.json_text import extract_json_text
from reward_server.graders.answers.tags import visible_text
from reward_server.verdict import Check


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatRules:
    """What form a response must have. Each rule that is set is one check."""

    tags: tuple[str, ...] = ()
    """Tags, e.g. ``think``, ``answer``: each must open and close exactly once, one after the other in this order, and
    hold something."""
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
        checks.append(_check("format:nothing_after", _after_trouble(response, rules)))
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
        if not response[start + len(opening) : end].strip():
            return f"<{tag}> is empty"
        position = end + len(closing)
        spans.append((start, position))
    return spans


def _outside(response: str, spans: list[tuple[int, int]]) -> str:
    edges = [0, *(edge for span in spans for edge in span), len(response)]
    stretches = [response[start:end].strip() for start, end in zip(edges[::2], edges[1::2], strict=True)]
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
    return "" if blocks[0].text.strip() else "the fenced block is empty"


def _after_trouble(response: str, rules: FormatRules) -> str:
    ends = [response.rfind(closing) + len(closing) for tag in rules.tags if (closing := f"</{tag}>") in response]
    if rules.fenced_block:
        ends += [at + 3 for fence in ("```", "~~~") if (at := response.rfind(fence)) != -1]
    if rules.boxed and (at := response.rfind("\\boxed")) != -1:
        closing_brace = _box_end(response, at)
        ends += [closing_brace] if closing_brace else []
    if not ends:
        return "there is nothing that could end the response"
    extra = re.sub(r"[\W_]", "", response[max(ends) :])
    return f"{len(extra)} characters follow the answer" if extra else ""


def _box_end(text: str, start: int) -> int | None:
    depth = 0
    for mark in re.finditer(r"\\.|[{}]", text[start + len("\\boxed") :], re.DOTALL):
        depth += {"{": 1, "}": -1}.get(mark[0], 0)
        if depth == 0 and mark[0] == "}":
            return start + len("\\boxed") + mark.end()
    return None


def _json_trouble(visible: str) -> str:
    found = extract_json_text(visible)
    if found.text is None:
        return "there is no JSON"
    if found.source != "bare" or len(found.candidates) != 1 or visible.strip()[-1:] not in '}]"0123456789elL':
        return "there is more than one JSON text, or something around it"
    return ""
