"""The example responses get what their names say, from a real server over gRPC."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from reward_server.child import child_server
from trainer_client import RewardClient, Ruling, Verdict, read_samples

pytestmark = pytest.mark.timeout(300)  # a server that starts loads all graders, on a busy machine for long
ROOT = Path(__file__).parents[2]
GRADERS = ("code_tests", "sql_query", "math_answer", "json_extraction")
RULINGS = {
    "running-median/hostile/loops for ever": Ruling.TIME_LIMIT,
    "word-count/hostile/prints without end": Ruling.OUTPUT_LIMIT,
    "word-count/hostile/takes all memory": Ruling.MEMORY_LIMIT,
    "big-customers/hostile/drops the table first": Ruling.FORBIDDEN,
    "big-customers/hostile/counts for ever": Ruling.TIME_LIMIT,
    "quadratic/malformed/never comes to an answer": Ruling.NO_ANSWER,
}


@pytest.fixture(scope="module", params=["local", pytest.param("docker", marks=pytest.mark.docker)])
def graded(request):
    """Every example's result, by its id."""
    samples = [sample for grader in GRADERS for sample in read_samples(ROOT / "examples" / f"{grader}.jsonl")]
    with child_server("--sandbox", request.param) as address, RewardClient(address) as client:
        return {result.sample_id: result for result in client.score(samples)}


def test_every_kind_is_there(graded):
    """There are at least forty responses of all four graders and every kind."""
    assert len(graded) >= 40
    assert {result.provenance.grader for result in graded.values()} == set(GRADERS)
    kinds = Counter(name.split("/")[1] for name in graded)
    assert kinds.keys() == {"right", "partly", "wrong", "malformed", "hostile"}
    assert min(kinds.values()) >= 5


def test_nothing_fails(graded):
    """Every example gets a verdict, the hostile ones too."""
    assert [name for name, result in graded.items() if not isinstance(result, Verdict)] == []


def test_names_come_true(graded):
    """What is right is accepted, what is partly right gets a part, and nothing else is accepted."""
    for name, result in graded.items():
        match name.split("/")[1]:
            case "right":
                assert result.ruling is Ruling.ACCEPTED, f"{name}: {result}"
            case "partly":
                assert result.ruling is Ruling.PARTIAL, f"{name}: {result}"
            case _:
                assert result.score <= 0.5, f"{name}: {result}"


@pytest.mark.parametrize(("name", "ruling"), RULINGS.items())
def test_limits_have_their_own_rulings(graded, name, ruling):
    """What goes past a limit, or does what is forbidden, is told apart."""
    assert graded[name].ruling is ruling


def test_every_verdict_is_explained(graded):
    """Every verdict says in a sentence what it found."""
    assert [name for name, result in graded.items() if not result.summary.strip(" .")] == []


def test_the_demonstration():
    """The demonstration shows a line for each response and ends well."""
    command = [sys.executable, "examples/demo.py", "--sandbox", "local", "examples/math_answer.jsonl"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"probability.*right.*ACCEPTED.*██████████ 1\.00", done.stdout)
    assert "0 failures" in done.stdout
