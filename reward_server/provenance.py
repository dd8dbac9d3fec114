"""What is said about one graded sample: its result, and where that comes from."""

from typing import Any

from reward.v1 import result_pb2

from reward_server import wire
from reward_server.scoring import Graded, Sample
from sandboxes.base import SandboxInfo


def result_message(
    sample_id: str, sample: Sample, graded: Graded, version: str, sandbox: SandboxInfo
) -> result_pb2.Result:
    """Return what became of ``sample``; ``version`` is its grader's."""
    known: dict[str, Any] = {"grader": sample.task.grader, "grader_version": version, "shared": graded.shared}
    if graded.sandboxed:
        known |= {
            "runtime": sandbox.runtime,
            "image_digest": sandbox.image_digest,
            "assurance_level": int(min(sandbox.assurance_level, graded.assurance_level or sandbox.assurance_level)),
        }
    return wire.result_message(sample_id, graded.result, known, graded.queue_seconds, graded.run_seconds)
