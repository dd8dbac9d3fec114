"""Which item of one array goes with which of another: in any order, or in their order."""

from collections.abc import Callable, Sequence

_INFINITY = float("inf")


def assignment(gains: Sequence[Sequence[float]]) -> list[int | None]:
    """Return for each row its column such that the total gain is the greatest; as many rows as can be have one.

    The Hungarian method with potentials and shortest augmenting paths, O(n³) for n the larger side: H. W. Kuhn, 1955;
    R. Jonker and A. Volgenant, 1987. Rows or columns that are too many are matched with nothing, at no gain.
    """
    rows, columns = len(gains), len(gains[0]) if gains else 0
    width = max(rows, columns)
    row_potential, column_potential = [0.0] * (rows + 1), [0.0] * (width + 1)
    owner = [0] * (width + 1)
    costs = [[-gain for gain in line] + [0.0] * (width - columns) for line in gains]
    for row in range(1, rows + 1):
        owner[0] = row
        _augment(costs, owner, row_potential, column_potential)
    chosen: list[int | None] = [None] * rows
    for column in range(1, columns + 1):
        if owner[column]:
            chosen[owner[column] - 1] = column - 1
    return chosen


def _augment(costs: list[list[float]], owner: list[int], rows: list[float], columns: list[float]) -> None:
    """Give the row at ``owner[0]`` a column along the cheapest path; 0 stands for no column, and rows count from 1."""
    size = len(owner)
    least, previous, done = [_INFINITY] * size, [0] * size, [False] * size
    column = 0
    while owner[column]:
        done[column] = True
        row, delta, following = owner[column], _INFINITY, 0
        line, potential = costs[row - 1], rows[row]
        for j in range(1, size):
            if done[j]:
                continue
            slack = line[j - 1] - potential - columns[j]
            if slack < least[j]:
                least[j], previous[j] = slack, column
            if least[j] < delta:
                delta, following = least[j], j
        for j in range(size):
            if done[j]:
                rows[owner[j]] += delta
                columns[j] -= delta
            else:
                least[j] -= delta
        column = following
    while column:
        owner[column] = owner[previous[column]]
        column = previous[column]


def alignment(gains: Sequence[Sequence[float]]) -> list[int | None]:
    """Return for each row its column, in increasing order, such that the total gain is the greatest.

    Among alignments of the same gain one with the most pairs is taken. O(rows · columns).
    """
    rows, columns = len(gains), len(gains[0]) if gains else 0
    best = [[(0.0, 0)] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows - 1, -1, -1):
        for j in range(columns - 1, -1, -1):
            gain, pairs = best[i + 1][j + 1]
            best[i][j] = max((gain + gains[i][j], pairs + 1), best[i + 1][j], best[i][j + 1])
    chosen: list[int | None] = [None] * rows
    i = j = 0
    while i < rows and j < columns:
        gain, pairs = best[i + 1][j + 1]
        if best[i][j] == (gain + gains[i][j], pairs + 1):
            chosen[i] = j
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return chosen


def equal_first(keys: Sequence[str], others: Sequence[str]) -> list[int | None]:
    """Match what is equal, then the rest in order. Linear; for arrays too long to compare every pair."""
    places: dict[str, list[int]] = {}
    for j in range(len(others) - 1, -1, -1):
        places.setdefault(others[j], []).append(j)
    chosen = [places[key].pop() if places.get(key) else None for key in keys]
    left = sorted(j for found in places.values() for j in found)
    rest = iter(left)
    return [next(rest, None) if found is None else found for found in chosen]


def equal_ends(keys: Sequence[str], others: Sequence[str]) -> list[int | None]:
    """Match the equal items at both ends, then the rest in order. Linear, and in increasing order."""
    short = min(len(keys), len(others))
    start = _length(lambda i: keys[i] == others[i], short)
    end = _length(lambda i: keys[-1 - i] == others[-1 - i], short - start)
    middle = len(keys) - end
    chosen: list[int | None] = [i if i < len(others) - end else None for i in range(middle)]
    return chosen + [i + len(others) - len(keys) for i in range(middle, len(keys))]


def _length(equal: Callable[[int], bool], most: int) -> int:
    return next((i for i in range(most) if not equal(i)), most)
