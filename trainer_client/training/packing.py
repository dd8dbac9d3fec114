"""Samples laid end to end in one row without padding, and which of them go together. Numbers only: no model here."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import torch
from torch import Tensor

TokenIds: TypeAlias = Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """S samples (prompt and completion) in one row of L tokens, T of them written by the model."""

    input_ids: Tensor
    """(1, L)."""
    position_ids: Tensor
    """(1, L): from 0 up in each sample; where it falls back, attention stops."""
    boundaries: Tensor
    """(S + 1,) int32: where each sample starts, and the end."""
    longest: int
    """Tokens of the longest sample."""
    predictors: Tensor
    """(T,): the place in the row whose hidden state predicts each completion token: the one before it."""
    targets: Tensor
    """(T,): the completion tokens."""
    segments: Tensor
    """(T,): the sample of each completion token, from 0 to S - 1."""

    @property
    def samples(self) -> int:
        """S."""
        return len(self.boundaries) - 1

    def to(self, device: torch.device) -> "Packed":
        """Return the same on ``device``."""
        return Packed(
            input_ids=self.input_ids.to(device),
            position_ids=self.position_ids.to(device),
            boundaries=self.boundaries.to(device),
            longest=self.longest,
            predictors=self.predictors.to(device),
            targets=self.targets.to(device),
            segments=self.segments.to(device),
        )


def pack(samples: Sequence[tuple[TokenIds, TokenIds]]) -> Packed:
    """Lay (prompt, completion) pairs end to end. Every prompt has a token at least, or the first completion token
    would be predicted by nothing.
    """  # noqa: D205 - one sentence on two lines
    if not samples:
        raise ValueError("nothing to pack")
    rows: list[int] = []
    positions: list[int] = []
    boundaries = [0]
    predictors: list[int] = []
    segments: list[int] = []
    for number, (prompt, completion) in enumerate(samples):
        if not prompt:
            raise ValueError(f"sample {number} has an empty prompt")
        start, length = boundaries[-1], len(prompt) + len(completion)
        rows += [*prompt, *completion]
        positions += range(length)
        predictors += range(start + len(prompt) - 1, start + length - 1)
        segments += [number] * len(completion)
        boundaries.append(start + length)
    row = torch.tensor(rows)
    places = torch.tensor(predictors, dtype=torch.long)
    return Packed(
        input_ids=row[None],
        position_ids=torch.tensor(positions)[None],
        boundaries=torch.tensor(boundaries, dtype=torch.int32),
        longest=max(end - start for start, end in pairwise(boundaries)),
        predictors=places,
        targets=row[places + 1],
        segments=torch.tensor(segments, dtype=torch.long),
    )


def bins(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """Return positions in ``lengths``, put together so that each list's sum is within ``capacity``.

    First fit in decreasing order, so at most 11/9 of the fewest possible. A length above ``capacity`` stands alone.
    The same lengths give the same lists.
    """
    filled: list[list[int]] = []
    room: list[int] = []
    for position in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        place = next((place for place, left in enumerate(room) if left >= lengths[position]), None)
        if place is None:
            place = len(filled)
            filled.append([])
            room.append(capacity)
        filled[place].append(position)
        room[place] -= lengths[position]
    return [sorted(members) for members in filled]


def shares(lengths: Sequence[int], capacity: int, ranks: int) -> list[list[list[int]]]:
    """Return, for each of ``ranks`` devices, its micro-batches; all devices have equally many, some may be empty.

    Every device has to take part in every collective, hence equally many. Micro-batches go to the devices by falling
    size, so that at each turn they are of about the same size.
    """
    batches = sorted(bins(lengths, capacity), key=lambda members: -sum(lengths[member] for member in members))
    turns = -(-len(batches) // ranks)
    batches += [[]] * (turns * ranks - len(batches))
    return [batches[rank::ranks] for rank in range(ranks)]
