"""Finding the answer in what a model wrote: code, JSON or a final answer, in thinking, prose, tags and fences.

One place for all graders. Everything here is linear in the response, which is hostile: plain scans and patterns that
cannot backtrack far, no recursion; nothing raises. The rules, in the order in which they apply:

1. Thinking is not the answer; see `visible_text`.
2. The content of the last ``<answer>`` block, if there is one, is the whole answer. A block that is not closed reaches
   to the end, since samplers often stop at the closing tag and drop it.
3. Then by kind: see `extract_code`, `extract_json_text` and `final_answer`.

`format_checks` looks at the form of the whole response instead, thinking included.
"""

from reward_server.graders.answers.code import defines, extract_code, named_files
from reward_server.graders.answers.extraction import Extraction
from reward_server.graders.answers.fences import Block, fenced_blocks
from reward_server.graders.answers.final import final_answer
from reward_server.graders.answers.form import FormatRules, format_checks
from reward_server.graders.answers.json_text import extract_json_text
from reward_server.graders.answers.tags import answer_tag, answer_tags, visible_text, without_empty_answers

__all__ = [
    "Block",
    "Extraction",
    "FormatRules",
    "answer_tag",
    "answer_tags",
    "defines",
    "extract_code",
    "extract_json_text",
    "fenced_blocks",
    "final_answer",
    "format_checks",
    "named_files",
    "visible_text",
    "without_empty_answers",
]
