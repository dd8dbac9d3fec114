"""Which task is asked next: task sets mixed by weight, shuffled by seed, picked by how hard they were found to be.

Where a run stands is a handful of counters and what was measured of each task, so a resumed run asks the same questions
in the same order. Nothing here is random beyond the seed.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from trainer_client.training.tasks import Task, TaskSet

_MEMORY = 0.5
"""How much of what was measured before weighs against a new group: difficulty changes as the model learns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurriculumConfig:
    """How tasks are picked."""

    mode: Literal["off", "difficulty"] = "off"
    """``off``: every task of a set once an epoch. ``difficulty``: a task is passed over the more often, the nearer its
    measured mean reward is to 0 or 1, where groups have no spread and nothing is learned."""
    floor: float = 0.1
    """The least probability with which a task is taken when its turn comes: what is solved, or hopeless, is looked at
    again now and then."""

    def __post_init__(self) -> None:
        if not 0 < self.floor <= 1:
            raise ValueError(f"floor: {self.floor} is not above 0 and at most 1")


@dataclass(slots=True)
class _Place:
    """Where one task set stands."""

    epoch: int = 0
    position: int = 0
    drawn: int = 0


class Curriculum:
    """Draws tasks, and learns from their rewards how hard they are."""

    def __init__(self, sets: Sequence[TaskSet], config: CurriculumConfig, seed: int) -> None:
        self._sets = tuple(sets)
        self._config = config
        self._seed = seed
        self._places = {task_set.name: _Place() for task_set in self._sets}
        self._measured: dict[str, float] = {}
        self._orders: dict[str, tuple[int, list[int]]] = {}

    def draw(self, count: int) -> list[Task]:
        """Return the next ``count`` tasks; each set has its share of all that were ever drawn, to within one."""
        return [self._next(self._neediest()) for _ in range(count)]

    def measure(self, task: Task, rewards: Sequence[float]) -> None:
        """Take note of the rewards in [0, 1] of one group."""
        if not rewards:
            return
        mean = sum(rewards) / len(rewards)
        self._measured[task.name] = mean + _MEMORY * (self._measured.get(task.name, mean) - mean)

    def preference(self, task: Task) -> float:
        """Return the probability with which ``task`` is taken when its turn comes.

        4 m (1 - m), at least the floor: m (1 - m) is the most that rewards in [0, 1] of mean m can vary. 1 for a task
        that was not tried.
        """
        if self._config.mode == "off" or task.name not in self._measured:
            return 1.0
        mean = min(max(self._measured[task.name], 0.0), 1.0)
        return max(self._config.floor, 4.0 * mean * (1.0 - mean))

    def metrics(self) -> dict[str, float]:
        """Return how far each set has come, and how it stands."""
        values: dict[str, float] = {}
        for task_set in self._sets:
            known = [self._measured[task.name] for task in task_set.tasks if task.name in self._measured]
            place = self._places[task_set.name]
            values[f"curriculum/{task_set.name}/epoch"] = place.epoch + place.position / len(task_set.tasks)
            if known:
                values[f"curriculum/{task_set.name}/solved"] = sum(mean >= 1.0 for mean in known) / len(known)
                values[f"curriculum/{task_set.name}/hopeless"] = sum(mean <= 0.0 for mean in known) / len(known)
        return values

    def state(self) -> dict[str, Any]:
        """Return everything that a resumed run needs, as JSON."""
        places = {name: [place.epoch, place.position, place.drawn] for name, place in self._places.items()}
        return {"places": places, "measured": dict(self._measured)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from where ``state`` was taken. Sets that are new since then begin at their beginning."""
        for name, (epoch, position, drawn) in state["places"].items():
            if name in self._places:
                self._places[name] = _Place(epoch=epoch, position=position, drawn=drawn)
        self._measured = dict(state["measured"])

    def _neediest(self) -> TaskSet:
        """Return the set that is furthest behind its share; the first of equals."""
        return min(self._sets, key=lambda task_set: (self._places[task_set.name].drawn + 1) / task_set.weight)

    def _next(self, task_set: TaskSet) -> Task:
        place = self._places[task_set.name]
        place.drawn += 1
        chance = random.Random(f"{self._seed}/{task_set.name}/{place.drawn}")  # noqa: S311 - a seeded choice, no secret
        for _ in range(len(task_set.tasks)):
            task = self._at(task_set, place)
            if chance.random() < self.preference(task):
                break
        return task

    def _at(self, task_set: TaskSet, place: _Place) -> Task:
        """Return the task whose turn it is, and move on."""
        epoch, order = self._orders.get(task_set.name, (-1, []))
        if epoch != place.epoch:
            order = list(range(len(task_set.tasks)))
            random.Random(f"{self._seed}/{task_set.name}/{place.epoch}").shuffle(order)  # noqa: S311 - as above
            self._orders[task_set.name] = (place.epoch, order)
        task = task_set.tasks[order[place.position % len(order)]]
        place.position += 1
        if place.position >= len(order):
            place.epoch, place.position = place.epoch + 1, 0
        return task
