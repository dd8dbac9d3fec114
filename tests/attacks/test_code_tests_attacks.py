"""Responses that try to be graded better than they are, in the embedded sandbox."""

from pathlib import Path

from vectors_runner import load, mismatches

from sandboxes.local_sandbox import LocalSandbox


async def test_no_attack_on_code_tests_raises_a_verdict():
    """Wrong code stays wrong whatever it does beside; the honest controls among the attacks are right."""
    async with LocalSandbox(boxes=2) as sandbox:
        assert await mismatches(sandbox, load(Path(__file__).with_name("code_tests.jsonl"))) == []
