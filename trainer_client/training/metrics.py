"""What a batch was like, as numbers with names. Names that come from a response are cut and cleaned: it is hostile."""

import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

from trainer_client.results import Verdict
from trainer_client.training.scoring import Episode, ScoredGroup
from trainer_client.training.tasks import Task

_NUMBERED = re.compile(r"(?<=[\[/#])\d+")
_LONGEST_NAME = 48
_MOST_NAMES = 20
"""Of checks, for each grader: the most frequent. Extra fields of a record are named by whoever wrote it."""


def batch_metrics(groups: Sequence[ScoredGroup], tasks: Sequence[Task]) -> dict[str, float]:
    """Return the metrics of one batch; ``tasks`` by the groups' `task_index`. What has no sample has no metric."""
    episodes = [episode for group in groups for episode in group.episodes]
    rewards = [episode.reward for episode in episodes if episode.reward is not None]
    values = {
        **_spread("reward", rewards),
        **_reward_by("reward/source", episodes, lambda episode: tasks[episode.task_index].source),
        **_reward_by("reward/grader", episodes, lambda episode: tasks[episode.task_index].grader),
        **_masked(episodes),
        **_lengths(episodes),
        **_verdicts(episodes),
        **check_means((tasks[episode.task_index].grader, episode.result) for episode in episodes),
    }
    values["groups/count"] = len(groups)
    values["groups/without_spread"] = _share([not has_spread(group) for group in groups])
    values["groups/solved"] = _share([_all_are(group, 1.0) for group in groups])
    values["groups/hopeless"] = _share([_all_are(group, 0.0) for group in groups])
    return values


def has_spread(group: ScoredGroup) -> bool:
    """Return whether the group's rewards differ: only then there is something to learn from it."""
    rewards = {episode.reward for episode in group.episodes if episode.reward is not None}
    return len(rewards) > 1


def check_means(results: Iterable[tuple[str, object]]) -> dict[str, float]:
    """Return the mean score of each kind of check, from pairs of a grader's name and a result.

    Numbers in a check's name are one kind: ``call[3]`` and ``call[4]`` are tests like any other.
    """
    scores: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for grader, result in results:
        if isinstance(result, Verdict):
            for check in result.checks:
                scores[grader][_NUMBERED.sub("#", clean(check.name, _LONGEST_NAME))].append(check.score)
    means = {}
    for grader, kinds in scores.items():
        for kind, found in sorted(kinds.items(), key=lambda item: (-len(item[1]), item[0]))[:_MOST_NAMES]:
            means[f"check/{grader}/{kind}"] = statistics.fmean(found)
    return means


def clean(text: str, most: int) -> str:
    """Return untrusted ``text`` on one line, without what moves a cursor, cut to ``most`` characters."""
    words = " ".join("".join(letter if letter.isprintable() else " " for letter in text[: 4 * most]).split())
    return words if len(words) <= most else words[: most - 1] + "…"


def _spread(name: str, values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    return {f"{name}/mean": statistics.fmean(values), f"{name}/deviation": statistics.pstdev(values)}


def _reward_by(name: str, episodes: Iterable[Episode], key: Callable[[Episode], str]) -> dict[str, float]:
    found: dict[str, list[float]] = defaultdict(list)
    for episode in episodes:
        if episode.reward is not None:
            found[key(episode)].append(episode.reward)
    return {f"{name}/{what}": statistics.fmean(rewards) for what, rewards in sorted(found.items())}


def _masked(episodes: Sequence[Episode]) -> dict[str, float]:
    why = Counter(episode.masked or "unknown" for episode in episodes if episode.reward is None)
    total = len(episodes)
    return {
        "masked/share": why.total() / total if total else 0.0,
        **{f"masked/{clean(reason, _LONGEST_NAME)}": count / total for reason, count in sorted(why.items())},
    }


def _lengths(episodes: Sequence[Episode]) -> dict[str, float]:
    lengths = [len(episode.completion.token_ids) for episode in episodes]
    if not lengths:
        return {}
    return {
        "length/mean": statistics.fmean(lengths),
        "length/max": max(lengths),
        "length/truncated": _share([episode.completion.finish_reason == "length" for episode in episodes]),
        "length/prompt": statistics.fmean(len(episode.prompt_token_ids) for episode in episodes),
    }


def _verdicts(episodes: Sequence[Episode]) -> dict[str, float]:
    verdicts = [episode.result for episode in episodes if isinstance(episode.result, Verdict)]
    if not verdicts:
        return {}
    rulings = Counter(verdict.ruling.value for verdict in verdicts)
    flags = Counter(
        clean(name, _LONGEST_NAME) for verdict in verdicts for name in {flag.name for flag in verdict.flags}
    )
    return {
        "score/mean": statistics.fmean(verdict.score for verdict in verdicts),
        **{f"ruling/{name}": count / len(verdicts) for name, count in sorted(rulings.items())},
        "flags/share": _share([bool(verdict.flags) for verdict in verdicts]),
        **{
            f"flags/{clean(name, _LONGEST_NAME)}": count / len(verdicts)
            for name, count in flags.most_common(_MOST_NAMES)
        },
    }


def _all_are(group: ScoredGroup, value: float) -> bool:
    rewards = [episode.reward for episode in group.episodes if episode.reward is not None]
    return bool(rewards) and all(reward == value for reward in rewards)


def _share(facts: Sequence[bool]) -> float:
    return sum(facts) / len(facts) if facts else 0.0
