"""Which code of a response runs: found in its text, and put together with the task's prefix."""

from reward_server.graders.answers import defines, extract_code
from reward_server.graders.answers.extraction import Extraction
from reward_server.tasks.code_tests import CodeTestsTask, Language

FENCES = {
    Language.PYTHON: ("python", "py", "python3", "py3"),
    Language.BASH: ("bash", "sh", "shell"),
    Language.CPP: ("cpp", "c++", "cc", "cxx"),
    Language.GO: ("go", "golang"),
    Language.JAVASCRIPT: ("javascript", "js", "node"),
    Language.RUST: ("rust", "rs"),
    Language.TYPESCRIPT: ("typescript", "ts"),
}
"""What fences call a language, where it is not its own name alone."""
_FUTURE = "from __future__ import "
"""Must stand first in a module, so before the prefix."""


def extract(task: CodeTestsTask, response: str) -> Extraction:
    """Find the code that answers ``task``."""
    defining = task.entry_point or next((call.function for call in task.call_tests), "")
    languages = FENCES.get(task.language, (task.language.value,))
    return extract_code(response, languages, defining, without=task.response_files)


def whole_source(task: CodeTestsTask, code: str) -> str:
    """Put the prefix before the code; a response that brings the whole function needs only what stands before it."""
    if not task.prefix:
        return code
    if not (task.entry_point and defines(code, task.entry_point)):
        return f"{task.prefix}\n{code}" if not task.prefix.endswith("\n") else task.prefix + code
    lines = task.prefix.split("\n")
    at = next((i for i, line in enumerate(lines) if defines(line, task.entry_point)), len(lines))
    while at and lines[at - 1].lstrip().startswith("@"):
        at -= 1
    code_lines = code.split("\n")
    future = [line for line in code_lines if line.startswith(_FUTURE)]
    return "\n".join([*future, *lines[:at], *(line for line in code_lines if not line.startswith(_FUTURE))])
