"""Cycles of imports: files of which each needs another before it can be used."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping

Cycle = tuple[str, ...]
"""Files, each of which imports the next, and the last the first."""
Pairs = Iterable[tuple[str, str]]
"""(file, file that it imports)"""


def groups_of(imports: Pairs) -> Mapping[str, int]:
    """Files that reach each other along imports, by a number that they share; files by themselves are left out."""
    import numpy as np
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    pairs = set(imports)
    names = sorted({name for pair in pairs for name in pair})
    if not names:
        return {}
    numbers = {name: number for number, name in enumerate(names)}
    rows, columns = np.array([(numbers[one], numbers[there]) for one, there in pairs]).T
    matrix = csr_array((np.ones(len(pairs)), (rows, columns)), shape=(len(names), len(names)))
    _, labels = connected_components(matrix, directed=True, connection="strong")
    sizes = Counter(labels.tolist())
    return {name: int(label) for name, label in zip(names, labels, strict=True) if sizes[int(label)] > 1}


def new_cycles(now: Pairs, then: Pairs) -> list[Cycle]:
    """Cycles that an import closed which was not there before: that comes first, then the shortest way back."""
    now, then = set(now), set(then)
    groups, before = groups_of(now), groups_of(then)
    edges: defaultdict[str, list[str]] = defaultdict(list)
    for one, there in sorted(now):
        edges[one].append(there)
    found: dict[frozenset[str], Cycle] = {}
    for one, there in sorted(now - then):
        is_cycle = one in groups and groups[one] == groups.get(there)
        was_cycle = one in before and before[one] == before.get(there)
        if is_cycle and not was_cycle:
            cycle = (one, *_way(there, one, edges))
            found.setdefault(frozenset(cycle), cycle)
    return sorted(found.values(), key=lambda cycle: (len(cycle), cycle))


def _way(start: str, end: str, edges: Mapping[str, list[str]]) -> list[str]:
    """The shortest way from a file to another that it reaches, without the last."""
    before: dict[str, str] = {}
    waiting = deque([start])
    while waiting:
        one = waiting.popleft()
        if one == end:
            break
        for there in edges.get(one, ()):
            if there not in before and there != start:
                before[there] = one
                waiting.append(there)
    found, one = [], end
    while one != start:
        one = before[one]
        found.append(one)
    return found[::-1]
