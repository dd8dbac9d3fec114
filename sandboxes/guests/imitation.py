"""Output that imitates the report of a test framework, which no program of a response has reason to print."""

import re

_REPORTS = re.compile(
    rb"^=+ (?:\d+ \w+, )*\d+ passed(?:, \d+ \w+)* in \d+\.\d+s"  # pytest's last line
    rb"|^\S*test\S*\.py::\S+ PASSED"  # a line of `pytest -v`
    rb"|^<testsuites?[ >]"  # JUnit's XML
    rb"|^\s*\{[^{}\n]{0,200}\"(?:passed|all_passed|tests_passed|verdict|reward)\"\s*:\s*(?:true|1\b|\"pass)",
    re.MULTILINE,
)
_LOOKED_AT_BYTES = 1 << 15


def imitated(output: bytes) -> str:
    """Return the line with which ``output`` poses as a test's report; nothing where there is none.

    Only its begin and its end are looked at, so that a flood costs no time.
    """
    found = _REPORTS.search(output[:_LOOKED_AT_BYTES]) or _REPORTS.search(output[-_LOOKED_AT_BYTES:])
    return found.group().decode("utf-8", "replace")[:200] if found else ""
