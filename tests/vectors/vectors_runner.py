"""Grades a file of vectors and says which came out differently: shared by tests of graders and of attacks."""

import json
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from reward.v1 import result_pb2, sample_pb2

from reward_server.config import Config
from reward_server.grading import Graded, grade_all
from sandboxes.base import Sandbox

VECTORS = Path(__file__).parent


def load(path: Path) -> list[dict[str, Any]]:
    """Return the vectors of a file; a broken line fails with its number."""
    vectors = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        if line.strip():
            vectors.append({**json.loads(line), "where": f"{path.name}:{number}"})
    return vectors


async def mismatches(sandbox: Sandbox, vectors: list[dict[str, Any]]) -> list[str]:
    """Grade every vector in a started sandbox; return one line for each that is not as expected."""
    work, expected = [], {}
    for vector in vectors:
        record = json_format.ParseDict(vector["record"], sample_pb2.TaskRecord())
        record.task.task_id = vector["where"]
        (sample,) = record.samples
        sample.sample_id, sample.task_id = vector["where"], vector["where"]
        expected[vector["where"]] = vector
        work.append((record.task, sample))
    found: list[str] = []

    def report(graded: Graded) -> None:
        vector = expected[graded.sample.sample_id]
        if problem := _difference(graded, vector["expect"]):
            found.append(f"{vector['where']}: {problem} [{vector['why']}]")

    await grade_all(sandbox, Config(minimum_assurance="low"), work, report)
    return sorted(found)


def _difference(graded: Graded, expect: dict[str, Any]) -> str:
    if graded.result is None:
        return graded.problem
    result = graded.result
    if result.WhichOneof("outcome") == "failure":
        reason = result_pb2.FailureReason.Name(result.failure.reason).removeprefix("FAILURE_REASON_")
        return "" if expect.get("failure") == reason else f"FAILURE {reason}: {result.failure.message}"
    verdict = result.verdict
    ruling = result_pb2.Ruling.Name(verdict.ruling).removeprefix("RULING_")
    said = f"{ruling} {verdict.score:.3f} {verdict.summary[:200]}"
    if "failure" in expect:
        return f"expected the failure {expect['failure']}, got {said}"
    if "ruling" in expect and ruling not in expect["ruling"].split("|"):
        return f"expected {expect['ruling']}, got {said}"
    if "score" in expect and abs(verdict.score - expect["score"]) > 1e-6:
        return f"expected the score {expect['score']}, got {said}"
    if verdict.score > expect.get("at_most", 1.0) or verdict.score < expect.get("at_least", 0.0):
        return f"expected a score in {expect}, got {said}"
    flags = {flag.name for flag in verdict.flags}
    if missing := set(expect.get("flags", ())) - flags:
        return f"expected the flags {missing}, got {flags}; {said}"
    if wrong := set(expect.get("never", ())) & flags:
        return f"got the flags {wrong}, for which there is no reason; {said}"
    return ""
