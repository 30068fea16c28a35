"""What people said of shown findings: it counts for and against their rules, and what was dismissed stays away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from chat.citations import Citation
from thoughts.marks import Marked
from thoughts.smells.uptake import Uptake

FOR = {"kept": 1.0, "read": 0.25, "dismissed": 0.0}
"""How far a mark speaks for a rule; it was only looked at where it was read."""
AGAINST = {"kept": 0.0, "read": 0.0, "dismissed": 1.0}
HISTORY = 5.0
"""Findings with a mark that weigh as much as a rule's whole past."""
Seen = tuple[str, str, str]
"""A rule, a path, and the lines; or a rule and the commit that is cited."""


@dataclass(frozen=True)
class Verdicts:
    """What is known of people's opinion."""

    rules: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """(for, against) each rule, in findings."""
    dismissed: frozenset[Seen] = frozenset()

    def weighed(self, uptake: Uptake) -> Uptake:
        """What rules are worth by their past and by these: the mean of a Beta distribution."""
        rules = dict(uptake.rules)
        for name in rules.keys() & self.rules.keys():
            pro, contra = self.rules[name]
            share = (HISTORY * rules[name].share + pro) / (HISTORY + pro + contra)
            rules[name] = replace(rules[name], share=share)
        return Uptake(rules, uptake.bases)


def title_of(rule: str, count: int, past: str) -> str:
    """The title of an insight, which is of one rule."""
    return f"{rule}: {count} {'findings' if count > 1 else 'finding'}; {past}"


def seen(rule: str, citation: Citation) -> Seen:
    """What makes two findings the same, wherever their lines have moved to in the file."""
    return rule, citation.path, citation.quote if citation.path else citation.commit


def verdicts_of(marked: Iterable[Marked]) -> Verdicts:
    """What people said, by the insights that they marked."""
    rules: defaultdict[str, tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
    dismissed = set()
    for one in marked:
        rule, count = one.title.rpartition(": ")[0], len(one.statements)
        pro, contra = rules[rule]
        rules[rule] = pro + count * FOR[one.state], contra + count * AGAINST[one.state]
        if one.state == "dismissed":
            dismissed |= {seen(rule, cited) for said in one.statements for cited in said.citations}
    return Verdicts(dict(rules), frozenset(dismissed))
