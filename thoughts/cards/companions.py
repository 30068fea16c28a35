"""What changes with a symbol or a file: files that most of its commits changed as well."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Beside:
    """Of each file of the tree, the commits of some that changed it as well, the narrowest first."""

    commits: dict[str, list[Touch]]
    weights: dict[str, float]
    """How much these say: a commit counts the less, the more files it changed."""
    count: int
    """Commits that were counted: those that changed few files."""

    @classmethod
    def of(cls, touches: Sequence[Touch], past: Past, path: str, files: Collection[str]) -> Beside:
        """From the commits that changed a symbol or a file at a path. Lock files and the like are left out."""
        commits = past.commits
        wanted = [one for one in files if one in commits.path_numbers and not is_derived(one)]
        now: dict[int, str] = {int(past.same[commits.path_numbers[one]]): one for one in wanted}
        found: defaultdict[str, list[tuple[int, Touch]]] = defaultdict(list)
        count = 0
        for touch in touches:
            number = commits.numbers.get(touch.hash)
            if number is None:
                continue
            first, end = commits.change_offsets[number : number + 2].tolist()
            if not 0 < end - first <= WIDE_COMMIT:
                continue
            count += 1
            for name in {now.get(int(past.same[one]), "") for one in commits.change_paths[first:end].tolist()}:
                if name not in ("", path):
                    found[name].append((end - first, touch))
        ordered = {name: sorted(some, key=lambda pair: pair[0]) for name, some in found.items()}
        weights = {name: sum(1 / size for size, _ in some) for name, some in ordered.items()}
        return cls({name: [touch for _, touch in some] for name, some in ordered.items()}, weights, count)

    def in_words(self, name: str) -> str:
        """How often a file changed, too; "" where that is no more than chance."""
        both = len(self.commits.get(name, ()))
        is_chance = both < FEWEST or both < LEAST_SHARE * self.count
        return "" if is_chance else f"changed in {both:,} of {self.count:,} commits"

    def cited(self, name: str, citations: Citations) -> tuple[Citation, ...]:
        """The narrowest commits."""
        found = (citations.cite_commit(one.hash, one.title) for one in self.commits.get(name, [])[:MOST_CITED])
        return tuple(one for one in found if one)


def companions(beside: Beside, citations: Citations) -> list[Statement]:
    """The files that say most of what belongs together."""
    found = []
    for name in sorted(beside.commits, key=lambda name: (-beside.weights[name], name))[:MOST_SHOWN]:
        said, cited = beside.in_words(name), beside.cited(name, citations)
        if said and cited:
            shown = "; ".join(f"“{one.quote}” ({one.commit[:SHORT]})" for one in cited)
            found.append(Statement(f"{name} {said}: {shown}.", cited))
    return found
