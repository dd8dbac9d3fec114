"""The task of `text_match`; see proto/reward/v1/text_match.proto for what the fields mean."""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

import re2

from reward_server.errors import InvalidTaskError

MAX_CHARACTERS = 8_192
MAX_TEXTS = 64


class TextMeasure(StrEnum):
    """How texts are compared."""

    EQUAL = "equal"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    REGEX = "regex"
    EDIT_SIMILARITY = "edit_similarity"
    SORTED_WORDS = "sorted_words"
    WORD_F1 = "word_f1"
    BLEU = "bleu"
    CHRF = "chrf"
    ROUGE_1 = "rouge_1"
    ROUGE_2 = "rouge_2"
    ROUGE_L = "rouge_l"


class TextSubject(StrEnum):
    """What of a response is looked at."""

    VISIBLE = "visible"
    FINAL_ANSWER = "final_answer"
    RAW = "raw"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextMatchTask:
    """Text against reference texts."""

    expected: str = ""
    accepted: tuple[str, ...] = ()
    measure: TextMeasure = TextMeasure.EQUAL
    subject: TextSubject = TextSubject.VISIBLE
    ignore_case: bool = False
    ignore_punctuation: bool = False
    ignore_articles: bool = False
    keep_white_space: bool = False
    zero_below: float | None = None
    full_from: float | None = None
    forbidden: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_texts("accepted", self.accepted)
        _check_texts("forbidden", self.forbidden)
        _check_text("expected", self.expected)
        if self.zero_below is not None and not 0.0 <= self.zero_below <= 1.0:
            raise InvalidTaskError("zero_below", f"{self.zero_below} is not from 0 to 1")
        if self.full_from is not None and not 0.0 < self.full_from <= 1.0:
            raise InvalidTaskError("full_from", f"{self.full_from} is not above 0 and at most 1")
        if self.measure is TextMeasure.REGEX:
            _check_pattern("expected", self.expected)
            for i, pattern in enumerate(self.accepted):
                _check_pattern(f"accepted[{i}]", pattern)

    @property
    def comparisons(self) -> int:
        """How many texts each response is compared with."""
        return 1 + len(self.accepted) + len(self.forbidden)


def pattern_options() -> re2.Options:
    """Return how patterns are compiled: bounded memory, a dot that matches a line's end, and no groups.

    To find what groups hold would take time in the length of the pattern times that of the text.
    """
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    options.never_capture = True
    options.max_mem = 1 << 22
    return options


def _check_texts(path: str, texts: tuple[str, ...]) -> None:
    if len(texts) > MAX_TEXTS:
        raise InvalidTaskError(path, f"{len(texts)} texts, at most {MAX_TEXTS}")
    for i, text in enumerate(texts):
        _check_text(f"{path}[{i}]", text)


def _check_text(path: str, text: str) -> None:
    if not text:
        raise InvalidTaskError(path, "is empty")
    if len(text) > MAX_CHARACTERS:
        raise InvalidTaskError(path, f"{len(text)} characters, at most {MAX_CHARACTERS}")


def _check_pattern(path: str, pattern: str) -> None:
    try:
        re2.compile(unicodedata.normalize("NFC", pattern), pattern_options())
    except (re2.error, ValueError) as error:
        raise InvalidTaskError(path, f"is no pattern of RE2: {error}") from error
