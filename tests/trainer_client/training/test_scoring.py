"""Groups scored while others are generated, against a real server process that is killed and started again."""

import subprocess
import sys
import threading
import time
from concurrent.futures import as_completed, wait
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from serving import toy_task

from trainer_client.errors import InvalidRequestError
from trainer_client.results import Failure, Verdict
from trainer_client.rewards import Shaping
from trainer_client.training.rollout import Completion
from trainer_client.training.scoring import OutageError, RewardsConfig, Scorer

PROGRAM = Path(__file__).parents[2] / "support" / "serve_toy_at.py"


class Server:
    """A reward server in a process of its own, with one address for all its lives."""

    def __init__(self):
        self.address = "127.0.0.1:0"
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, PROGRAM, self.address], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.address = self.process.stdout.readline().strip()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def wait_for(self, line):
        while (said := self.process.stdout.readline().strip()) != line:
            assert said, f"the server ended before it said {line!r}"


@pytest.fixture(scope="module")
def process():
    running = Server()
    yield running
    running.kill()


@pytest.fixture
def server(process):
    """The one server of this file, alive."""
    if process.process.poll() is not None:
        process.start()
    return process


@dataclass(frozen=True, slots=True)
class Asked:
    task: dict
    prompt_token_ids: tuple[int, ...]


TASKS = [Asked({"task_id": f"t{i}", "code_tests": toy_task("right")}, (i, i)) for i in range(8)]


def group(*texts, tokens=4):
    return tuple(
        Completion(token_ids=(1,) * tokens, logprobs=(-1.0,) * tokens, text=text, finish_reason="stop")
        for text in texts
    )


def scorer(server, **options):
    return Scorer(RewardsConfig(address=server.address, **options), run_id="test")


def rewards(scored):
    return [episode.reward for episode in scored.episodes]


def scored_by(scoring, drawn, tasks):
    """Submit each group as it is drawn; yield them as they come back."""
    left = set()
    for position, completions in drawn:
        left.add(scoring.submit(position, tasks[position], completions))
        ready, left = wait(left, timeout=0)
        yield from (each.result() for each in ready)
    yield from (each.result() for each in as_completed(left))


def test_each_completion_gets_its_reward(server):
    """Episodes come in the order drawn, with prompt, completion, verdict and reward."""
    drawn = [(i, group("right", "wrong", f"{i}")) for i in range(8)]
    with scorer(server) as scoring:
        scored = sorted(scored_by(scoring, iter(drawn), TASKS), key=lambda each: each.task_index)
    assert [each.task_index for each in scored] == list(range(8))
    for (position, completions), each in zip(drawn, scored, strict=True):
        assert rewards(each) == [1.0, 0.0, 0.0]
        assert tuple(episode.completion for episode in each.episodes) == completions
        assert {episode.prompt_token_ids for episode in each.episodes} == {(position, position)}
        assert all(isinstance(episode.result, Verdict) and not episode.masked for episode in each.episodes)


def test_grading_goes_on_while_the_next_group_is_generated(server):
    """The first group is at the server, and comes back, before the second is generated."""
    came = []

    def drawn():
        yield 0, group("right", "first")
        server.wait_for("grades first")
        yield 1, group("second")
        while not came:
            yield 2, group("right")

    with scorer(server) as scoring:
        came.extend(each.task_index for each in scored_by(scoring, drawn(), TASKS))
    assert {0, 1} <= set(came) <= {0, 1, 2}  # the third is needed when the first was not back yet


def test_faults_have_no_reward(server):
    """A dead sandbox, a broken grader: None with the reason, never a 0."""
    with scorer(server) as scoring:
        (scored,) = scored_by(scoring, iter([(0, group("no sandbox", "break plan", "right"))]), TASKS)
    assert rewards(scored) == [None, None, 1.0]
    assert [episode.masked for episode in scored.episodes] == ["sandbox_unavailable", "grader_error", ""]
    assert [type(episode.result) for episode in scored.episodes] == [Failure, Failure, Verdict]


def test_rewards_are_shaped(server):
    """What the configuration says of length is in the reward, not in the verdict."""
    shaping = Shaping(overlong_start=2, overlong_limit=6)
    with scorer(server, shaping=shaping) as scoring:
        (scored,) = scored_by(scoring, iter([(0, group("right", "wrong"))]), TASKS)
    assert rewards(scored) == [0.5, -0.5]
    assert [episode.result.score for episode in scored.episodes] == [1.0, 0.0]


def test_an_outage_is_waited_out(server):
    """The server is killed with groups in its hands, and starts again: every completion has its verdict."""

    def drawn():
        yield 0, group("right", "before the end")
        server.wait_for("grades before the end")
        server.kill()
        yield 1, group("right")
        back.start()
        for position in range(2, 8):
            yield position, group("right", "wrong")

    back = threading.Timer(0.5, server.start)
    with scorer(server, patience_seconds=0.0) as scoring:
        scored = {each.task_index: rewards(each) for each in scored_by(scoring, drawn(), TASKS)}
    back.join()
    assert scored == {0: [1.0, 0.0], 1: [1.0]} | {position: [1.0, 0.0] for position in range(2, 8)}


def test_an_outage_masks(server):
    """Told to mask, the run goes on without rewards while the server is away, and with them when it is back."""
    with scorer(server, on_outage="mask", patience_seconds=0.0) as scoring:
        server.kill()
        (away,) = scored_by(scoring, iter([(0, group("right", "wrong"))]), TASKS)
        server.start()
        while rewards(back := next(scored_by(scoring, iter([(1, group("right", "wrong"))]), TASKS))) == [None, None]:
            time.sleep(0.05)
    assert rewards(away) == [None, None]
    assert [(episode.result, episode.masked) for episode in away.episodes] == [(None, "outage")] * 2
    assert rewards(back) == [1.0, 0.0]


def test_an_outage_stops(server):
    """Told to stop, the run gets an error to save and end on, and no reward."""
    with scorer(server, on_outage="stop", patience_seconds=0.3) as scoring:
        server.kill()
        with pytest.raises(OutageError, match=server.address):
            list(scored_by(scoring, iter([(0, group("right"))]), TASKS))


def test_what_waiting_does_not_mend_is_raised(server):
    """A task that the contract refuses raises at once, whatever is to happen in an outage."""
    with scorer(server) as scoring, pytest.raises(InvalidRequestError):
        list(scored_by(scoring, iter([(0, group("right"))]), [Asked({"no_such_field": 1}, (1,))]))


def test_what_is_cancelled_is_not_graded_any_more(server):
    """A group given up leaves nothing at the server, and the scorer can be used again."""
    with scorer(server) as scoring:
        given_up = scoring.submit(0, TASKS[0], group("never", "before leaving"))
        server.wait_for("grades before leaving")
        given_up.cancel()
        assert rewards(scoring.submit(1, TASKS[1], group("right")).result()) == [1.0]
    assert not [thread for thread in threading.enumerate() if thread.name == "scoring"]


def test_closing_twice_is_closing_once(server):
    """A scorer may be closed by whoever comes first."""
    scoring = scorer(server)
    scoring.close()
    scoring.close()


@pytest.mark.parametrize("name", ["timeout_seconds", "groups_in_flight"])
def test_limits_are_above_nothing(name):
    """Limits that would let nothing through are refused by name."""
    with pytest.raises(ValueError, match=name):
        replace(RewardsConfig(), **{name: 0})
