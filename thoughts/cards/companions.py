"""What changes with a symbol or a file: files that most of its commits changed as well."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from chat.citations import SHORT, Citation, Citations
from chat.statements import Statement
from core.git.touched import Touch
from core.ranking.history import WIDE_COMMIT, Past
from core.ranking.paths import is_derived

MOST_SHOWN = 3
FEWEST = 2
"""Commits that two files have in common: one alone is chance."""
LEAST_SHARE = 0.1
"""Of the commits of what a card is about."""
MOST_CITED = 2


def companions(
    touches: Sequence[Touch], past: Past, path: str, files: Collection[str], citations: Citations
) -> list[Statement]:
    """Files of the tree that some commits changed as well, with the narrowest of these.

    A commit counts the less, the more files it changed; one of many says nothing of what belongs together.
    """
    commits = past.commits
    wanted = [one for one in files if one in commits.path_numbers and not is_derived(one)]
    now: dict[int, str] = {int(past.same[commits.path_numbers[one]]): one for one in wanted}
    beside: defaultdict[str, list[tuple[int, Touch]]] = defaultdict(list)
    narrow = 0
    for touch in touches:
        number = commits.numbers.get(touch.hash)
        if number is None:
            continue
        first, end = commits.change_offsets[number : number + 2].tolist()
        if not 0 < end - first <= WIDE_COMMIT:
            continue
        narrow += 1
        for name in {now.get(int(past.same[one]), "") for one in commits.change_paths[first:end].tolist()}:
            if name not in ("", path):
                beside[name].append((end - first, touch))
    found = []
    order = sorted(beside, key=lambda name: (-sum(1 / size for size, _ in beside[name]), name))
    for name in order[:MOST_SHOWN]:
        both = sorted(beside[name], key=lambda pair: pair[0])
        cited = _cited([touch for _, touch in both], citations)
        if len(both) >= FEWEST and len(both) >= LEAST_SHARE * narrow and cited:
            shown = "; ".join(f"“{one.quote}” ({one.commit[:SHORT]})" for one in cited)
            found.append(Statement(f"{name} changed in {len(both):,} of {narrow:,} commits: {shown}.", cited))
    return found


def _cited(touches: Sequence[Touch], citations: Citations) -> tuple[Citation, ...]:
    found = (citations.cite_commit(one.hash, one.title) for one in touches[:MOST_CITED])
    return tuple(one for one in found if one)
