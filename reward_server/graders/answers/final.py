r"""Final answers: ``\boxed{…}``, ``<answer>``, ``####``, phrases, the last line."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from reward_server.graders.answers.boxes import boxed, boxes, joined
from reward_server.graders.answers.extraction import MAX_CANDIDATES, NOTHING, Extraction
from reward_server.graders.answers.tags import answer_tags, visible_text, without_empty_answers
from reward_server.verdict import Flag

_FINAL = ("final answer is", "final answer:", "final answer =")
_LEADING = ("answer:", "answer is", "the answer is", "the answer:")
_PASSING = ("the answer is", "answer is", "answer:")
_EMPHASIS = " \t*_#>-"
_TRAILING = " \t\r\n.*`"
_REASON = re.compile(r",?\s(?:because|since)\s|,\snot\s")
_NEXT_SENTENCE = re.compile(r"\.\s+[A-Z]")
_DELIMITERS = (("\\(", "\\)"), ("\\[", "\\]"), ("$$", "$$"), ("$", "$"))
_END_TOKENS = re.compile(r"(?:<\|[A-Za-z_]{1,30}\|>|</s>)[\sA-Za-z]{0,20}\Z")
_MAX_SENTENCE = 2_000
_DENIALS = re.compile(
    r"\b(?:not?|never|cannot|neither|nor|either|or|unless|except|wrong|incorrect|guess)\b|n't", re.IGNORECASE
)
_NUMERAL = re.compile(r"[-+$\\]?\S{0,63}\d\S{0,63}")


def final_answer(response: str) -> Extraction:
    r"""Find a final answer.

    Of these ways to give one, the first that the visible text uses counts, and only it:

    1. ``<answer>`` blocks: their boxes, or else what they hold;
    2. ``\boxed{…}`` and ``\fbox{…}``, closed; of nested ones the outermost;
    3. lines of GSM8K's ``####``, if a number stands there or the line is the last;
    4. "final answer is …", "Final answer: …" anywhere in a line; if nothing follows, the next line;
    5. lines that begin with "Answer:" or "The answer is";
    6. the last "the answer is …" within a line;
    7. the last line.

    All that are offered in that way are candidates. Several that differ, white space aside, are a hedge, flagged
    ``hedged_answer``; a grader that finds them to be equal in value lifts that.
    """
    visible = visible_text(response)
    if tagged := answer_tags(visible):
        offered = [found for content in tagged for found in boxed(content) or [clean(content)] if found]
        return _offered(offered, "answer_tag")
    if found_boxes := boxes(visible):
        last = _offered([content for _, _, content in found_boxes], "boxed")
        return replace(last, joined=joined(visible, found_boxes)) if last.flags else last
    lines = [line for raw in without_empty_answers(visible).split("\n") if (line := raw.strip())]
    for source, find in (("hashes", _hashes), ("phrase", _final), ("phrase", _leading), ("phrase", _passing)):
        if found_all := find(lines):
            return _offered(found_all, source)
    return _offered([found for line in lines[-1:] if (found := _last_formula(line) or clean(line))], "last_line")


def _last_formula(line: str) -> str:
    """Return the formula that ends a sentence and is the only one in it, unless the sentence denies or doubts it."""
    ending = line.rstrip(" .")
    for opening, closing in _DELIMITERS if len(line) <= _MAX_SENTENCE else ():
        if ending.endswith(closing):
            before, _, formula = ending.removesuffix(closing).rpartition(opening)
            alone = before.strip() and not any(mark in before for mark in ("$", "\\(", "\\["))
            return formula.strip() if alone and not _DENIALS.search(before) else ""
    return ""


def _offered(candidates: Sequence[str], source: str) -> Extraction:
    if not candidates:
        return NOTHING
    distinct = {"".join(candidate.split()) for candidate in candidates}
    flags = (Flag("hedged_answer", f"{len(distinct)} different final answers"),) if len(distinct) > 1 else ()
    return Extraction(candidates[-1], source, tuple(candidates[-MAX_CANDIDATES:]), flags)


def _hashes(lines: Sequence[str]) -> list[str]:
    found = []
    for position, line in enumerate(lines):
        rest = clean(line.removeprefix("####")) if line.startswith("####") else ""
        if rest and (position == len(lines) - 1 or _NUMERAL.fullmatch(rest)):
            found.append(rest)
    return found


def _final(lines: Sequence[str]) -> list[str]:
    return [found for found in _after(lines, _FINAL) if found]


def _leading(lines: Sequence[str]) -> list[str]:
    starts = [(line.lstrip(_EMPHASIS), i) for i, line in enumerate(lines)]
    chosen = [(line, i) for line, i in starts if line[:16].lower().startswith(_LEADING)]
    found = (next(_after([line, *lines[i + 1 : i + 2]], _LEADING), "") for line, i in chosen)
    return [answer for answer in found if answer]


def _passing(lines: Sequence[str]) -> list[str]:
    return [found for found in _after(lines, _PASSING) if found][-1:]


def _after(lines: Sequence[str], phrases: Sequence[str]) -> Iterator[str]:
    """Yield what follows the last of ``phrases`` in each line that has one, or the next line if nothing follows."""
    for position, line in enumerate(lines):
        lowered = line.lower()
        if len(lowered) != len(line):  # a few characters change length in lower case; their case then matters
            lowered = line
        end = max((at + len(phrase) for phrase in phrases if (at := lowered.rfind(phrase)) != -1), default=None)
        if end is None:
            continue
        rest = line[end:].strip(" \t:*")
        if not rest.strip("*_`.: \t") and position + 1 < len(lines):
            rest = lines[position + 1]
        yield clean(_first_sentence(rest))


def _first_sentence(text: str) -> str:
    for opening, closing in _DELIMITERS:
        if text.startswith(opening) and (end := text.find(closing, len(opening))) > len(opening):
            inside, after = text[: end + len(closing)], text[end + len(closing) :]
            return inside if after[:1] in (".", "") or _REASON.match(after) else text
    text = text[: reason.start()] if (reason := _REASON.search(text)) else text
    following = _NEXT_SENTENCE.search(text)
    return text[: following.start()] if following else text


def clean(text: str) -> str:
    """Strip white space, emphasis, a closing full stop and the delimiters of mathematics around an answer."""
    cleaned = _END_TOKENS.sub("", text).strip(_TRAILING)
    for opening, closing in _DELIMITERS:
        if cleaned.startswith(opening) and cleaned.endswith(closing) and len(cleaned) >= len(opening) + len(closing):
            inner = cleaned[len(opening) : -len(closing)]
            if opening not in inner:
                cleaned = inner.strip(_TRAILING)
    return cleaned
