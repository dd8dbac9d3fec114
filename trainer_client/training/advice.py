"""What a person should change: task sets that teach nothing, named while the run goes on.

GRPO learns from differences within a group. A set whose responses all earn 0, or all earn 1, costs as much as any
other and gives no gradient.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Sequence

from trainer_client.results import Verdict
from trainer_client.training.scoring import Episode, ScoredGroup
from trainer_client.training.tasks import Task

_LEAST = 32
"""Responses to judge a set by."""
_WINDOW = 256
"""The newest responses of a set that are judged."""


class Advice:
    """Looks at the newest responses of each task set, and says each thing once until it stops being true."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[Episode]] = defaultdict(lambda: deque(maxlen=_WINDOW))
        self._said: dict[str, str] = {}

    def take(self, groups: Sequence[ScoredGroup], tasks: Sequence[Task]) -> list[str]:
        """Take note of a batch; return what is new to say."""
        for group in groups:
            self._seen[tasks[group.task_index].source].extend(group.episodes)
        said = []
        for source, episodes in self._seen.items():
            kind = _trouble(episodes) if len(episodes) >= _LEAST else ""
            if kind and kind != self._said.get(source):
                said.append(_TEXTS[kind].format(source=source, count=len(episodes), rulings=_rulings(episodes)))
            self._said[source] = kind
        return said


def _trouble(episodes: Sequence[Episode]) -> str:
    rewards = [episode.reward for episode in episodes if episode.reward is not None]
    if not rewards:
        return "masked"
    if all(reward <= 0 for reward in rewards):
        return "cut" if _share_cut(episodes) > 1 / 2 else "hopeless"
    if all(reward >= 1 for reward in rewards):
        return "solved"
    return ""


def _share_cut(episodes: Sequence[Episode]) -> float:
    return sum(episode.completion.finish_reason == "length" for episode in episodes) / len(episodes)


def _rulings(episodes: Sequence[Episode]) -> str:
    """Return why the responses got what they got, the most frequent first."""
    why = Counter(
        episode.result.ruling.value if isinstance(episode.result, Verdict) else episode.masked for episode in episodes
    )
    return ", ".join(f"{name} {count / len(episodes):.0%}" for name, count in why.most_common(3))


_TEXTS = {
    "hopeless": (
        "{source}: not one of the last {count} responses earned anything ({rulings}), so nothing is learned from it. "
        "Warm up with `trainer-client sft`, take easier tasks or a grader with partial credit, and see in "
        "samples.jsonl whether the prompt says in which form the answer is wanted."
    ),
    "cut": (
        "{source}: not one of the last {count} responses earned anything, and most were cut at the length limit. Raise "
        "rollout.sampling.max_tokens, or see in samples.jsonl why responses do not end."
    ),
    "solved": (
        "{source}: all of the last {count} responses earned everything, so nothing is left to learn from it. Take "
        'harder tasks, lower its weight, or set curriculum.mode = "difficulty".'
    ),
    "masked": (
        "{source}: not one of the last {count} responses could be graded ({rulings}). Try a few with "
        "`reward-server grade`: the tasks or the server are at fault, not the model."
    ),
}
