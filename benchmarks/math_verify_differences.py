"""Prints where Math-Verify rules otherwise than our vectors say. Run it where `math-verify` is installed.

Each difference is explained in docs/graders/math_answer.md. Vectors with task options are left out: it has none.
"""

import importlib.util
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).parent.parent / "tests/vectors"
FILES = ("math_answer.jsonl", "math_answer_pairs.jsonl")
SECONDS = 2


def plain_vectors() -> list[dict[str, Any]]:
    """Return the vectors that state an expected answer and nothing else."""
    lines = [line for name in FILES for line in (VECTORS / name).read_text("utf-8").splitlines() if line.strip()]
    vectors = list(map(json.loads, lines))
    return [v for v in vectors if set(v["record"]["task"]["mathAnswer"]) == {"expected"} and "ruling" in v["expect"]]


def main() -> int:
    """Compare every plain vector; return 0 also where they differ."""
    if importlib.util.find_spec("math_verify") is None:
        print("math-verify is not installed: skipped")
        return 0
    from math_verify import parse, verify  # noqa: PLC0415 - only where it is installed

    vectors = plain_vectors()
    counts: Counter[tuple[bool, bool]] = Counter()
    for vector in vectors:
        expected = vector["record"]["task"]["mathAnswer"]["expected"]
        response = vector["record"]["samples"][0].get("response", "")
        gold = parse(f"${expected}$", parsing_timeout=SECONDS)
        theirs = verify(gold, parse(response, parsing_timeout=SECONDS), timeout_seconds=SECONDS)
        ours = vector["expect"]["ruling"] == "ACCEPTED"
        counts[ours, theirs == ours] += 1
        if theirs != ours:
            print(f"{expected!r} | {response[-60:]!r} | vector {ours}, Math-Verify {theirs} | {vector['why']}")
    refused, accepted = counts[True, False], counts[False, False]
    print(f"{len(vectors)} vectors compared: {refused} right answers refused, {accepted} wrong ones accepted")
    return 0


if __name__ == "__main__":
    sys.exit(main())
