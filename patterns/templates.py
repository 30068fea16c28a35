"""Templates: edits of a line that several steps of the main line made in the same way.

They are mined step by step, and each edit is first compared with what the steps before it would have offered: what is
counted as right was not known then. Names that occur in many files stay in a template, all others are abstracted.
A name may become so common only later; edits that have it are then counted again, as if it had always been.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from core.records.patterns import Template
from patterns.line_edits import Replaced, is_name, tokens
from patterns.offers import Offers, written
from patterns.shapes import Shape, is_determined, is_statement, kept_names, renumbered, shapes
from patterns.steps import Step
from stores.agent.beliefs import lower_bound

MIN_FILES = 12
"""Files in whose added lines a name must have been, to stay in templates."""
MIN_STEPS = 3
MIN_SHARE = 0.7
MIN_KEPT = 2
"""Kept names in the before side; at least one is in fewer than half of the files: `def` and `self` tell nothing."""
EXPIRES_AFTER = timedelta(days=365)
"""Without another step."""
EXPIRED, REVERSED = "expired", "reversed"
MOST_PATHS = 8
Group = tuple[str, Shape]
"""Language and before side."""


@dataclass
class _Edit:
    number: int
    step: int
    path: str
    language: str
    before: Sequence[str]
    after: Sequence[str]
    text: str
    """The line after."""
    chunk_id: str
    was_right: bool | None
    """What was offered for the line before; None where nothing was."""
    group: Group = ("", ())
    answer: Shape = ()


Edits = dict[int, _Edit]
"""By number."""


class MinedTemplates(NamedTuple):
    """The templates of a repository, and which chunks follow them."""

    templates: list[Template]
    """In the order in which they were last seen; what is not offered any longer says why."""
    followed: dict[str, str]
    """By chunk id, the id of the template that one of its edits is a step of: of several the most certain one."""


class Miner:
    """Mines the templates of one repository, a step at a time."""

    def __init__(self, repository: str) -> None:
        self.repository = repository
        self.steps: list[Step] = []
        self.offers = Offers()
        """What is offered after the last step."""
        self._edits: list[_Edit] = []
        self._groups: dict[Group, dict[Shape, Edits]] = {}
        self._last: dict[Group, datetime] = {}
        """When what is offered was last seen."""
        self._kept: dict[str, set[str]] = defaultdict(set)
        """Names that stay, by language."""
        self._files: dict[tuple[str, str], set[str]] = defaultdict(set)
        """Paths by language and name; under "" those of all files."""
        self._having: dict[tuple[str, str], Edits] = defaultdict(dict)
        """Edits by language and name, of names that do not stay."""

    def add(self, step: Step) -> None:
        """Compare a step's edits with what is offered before it, then learn from them."""
        self._give_up(step.at)
        new = [edit for change in step.changes for edit in self._compared(change)]
        self.steps.append(step)
        touched = self._learn_names(step.changes)
        for edit in new:
            edit.number = len(self._edits)
            self._edits.append(edit)
            touched |= self._put(edit)
            for name in self._changeable(edit):
                self._having[name][edit.number] = edit
        for group in touched:
            self._offer(group)

    def mined(self) -> MinedTemplates:
        """What follows the rule so far."""
        best = [(group, *answer) for group in self._groups if (answer := self._best(group))]
        found = [(self._template(*one), one[2].values()) for one in best]
        found.sort(key=lambda one: (one[0].confidence, one[0].template_id))
        followed = {edit.chunk_id: template.template_id for template, edits in found for edit in edits}
        ordered = sorted((one for one, _ in found), key=lambda one: (one.last_seen_at, one.template_id))
        return MinedTemplates(ordered, followed)

    def outcomes(self) -> list[tuple[str, bool]]:
        """(commit, whether it was right) of each time that a template was offered."""
        return [(self.steps[one.step].commit, one.was_right) for one in self._edits if one.was_right is not None]

    @property
    def edits(self) -> int:
        """Edits of a line that were seen."""
        return len(self._edits)

    def _compared(self, change: Replaced) -> Iterator[_Edit]:
        for before, after in change.pairs:
            found = self.offers.find(change.language, change.path, before)
            right = None if found is None else found.line == after
            sides = tokens(before, change.language), tokens(after, change.language)
            yield _Edit(0, len(self.steps), change.path, change.language, *sides, after, change.chunk_id, right)

    def _learn_names(self, changes: Iterable[Replaced]) -> set[Group]:
        """Count names in files, and count again the edits whose names have become common; gives groups that changed."""
        again: Edits = {}
        for change in changes:
            for name in ("", *change.names):
                key = change.language, name
                self._files[key].add(change.path)
                if name and len(self._files[key]) == MIN_FILES and name not in self._kept[change.language]:
                    self._kept[change.language].add(name)
                    again |= self._having.pop(key, {})
        touched: set[Group] = set()
        for edit in again.values():
            touched |= self._take_out(edit)
        for edit in again.values():
            touched |= self._put(edit)
        return touched

    def _changeable(self, edit: _Edit) -> Iterator[tuple[str, str]]:
        for name in {*edit.before, *edit.after} - self._kept[edit.language]:
            if is_name(name):
                yield edit.language, name

    def _put(self, edit: _Edit) -> set[Group]:
        before, edit.answer = shapes((edit.before, edit.after), self._kept[edit.language])
        edit.group = edit.language, before
        self._groups.setdefault(edit.group, {}).setdefault(edit.answer, {})[edit.number] = edit
        return {edit.group, _reverse(edit.group, edit.answer)[0]}

    def _take_out(self, edit: _Edit) -> set[Group]:
        answers = self._groups[edit.group]
        del answers[edit.answer][edit.number]
        if not answers[edit.answer]:
            del answers[edit.answer]
        if not answers:
            del self._groups[edit.group]
        return {edit.group, _reverse(edit.group, edit.answer)[0]}

    def _best(self, group: Group) -> tuple[Shape, Edits] | None:
        """What lines like this mostly became, and the edits that did so; None where that does not follow the rule."""
        answers = self._groups.get(group)
        if not answers or not is_statement(group[1]) or not self._is_telling(group):
            return None
        answer, edits = max(answers.items(), key=lambda one: (len(one[1]), max(one[1])))
        if not (is_determined(group[1], answer) and is_statement(answer)):
            return None
        if len({edit.step for edit in edits.values()}) < MIN_STEPS:
            return None
        return (answer, edits) if len(edits) >= MIN_SHARE * sum(map(len, answers.values())) else None

    def _is_telling(self, group: Group) -> bool:
        language, before = group
        names = kept_names(before)
        files = len(self._files[language, ""])
        return len(names) >= MIN_KEPT and any(2 * len(self._files[language, name]) < files for name in names)

    def _retired(self, group: Group, answer: Shape, edits: Edits) -> str:
        last = _last_step(edits)
        if self.steps[-1].at - self.steps[last].at > EXPIRES_AFTER:
            return EXPIRED
        back, before = _reverse(group, answer)
        return REVERSED if _last_step(self._groups.get(back, {}).get(before, {})) >= last else ""

    def _offer(self, group: Group) -> None:
        """Offer what lines like this became, or nothing any longer."""
        best = self._best(group)
        if best and not self._retired(group, *best):
            edits = best[1]
            self.offers.put(*group, self._written(edits), _paths(edits))
            self._last[group] = self.steps[_last_step(edits)].at
        elif self._last.pop(group, None):
            self.offers.drop(*group)

    def _give_up(self, now: datetime) -> None:
        """Offer no longer what nobody has done for long, or whose names are everywhere by now."""
        for group, last in [*self._last.items()]:
            if now - last > EXPIRES_AFTER or not self._is_telling(group):
                del self._last[group]
                self.offers.drop(*group)

    def _written(self, edits: Edits) -> str:
        """The line after as the latest of some edits wrote it, with placeholders."""
        latest = edits[max(edits)]
        return written(latest.text, latest.language, latest.answer)

    def _template(self, group: Group, answer: Shape, edits: Edits) -> Template:
        language, before = group
        seen = sorted({edit.step for edit in edits.values()})
        every = [edit for one in self._groups[group].values() for edit in one.values()]
        fired = [edit.was_right for edit in every if edit.was_right is not None]
        return Template(
            template_id=template_id(self.repository, language, before, answer),
            repository=self.repository,
            language=language,
            before=" ".join(before),
            after=self._written(edits),
            steps=len(seen),
            authors=len({self.steps[step].author for step in seen}),
            share=round(len(edits) / len(every), 4),
            fired=len(fired),
            right=sum(fired),
            confidence=round(lower_bound(1 + sum(fired), 1 + len(fired) - sum(fired)), 4),
            first_seen=self.steps[seen[0]].commit,
            last_seen=self.steps[seen[-1]].commit,
            last_seen_at=self.steps[seen[-1]].at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            retired=self._retired(group, answer, edits),
            paths=_paths(edits),
        )


def mine(repository: str, steps: Iterable[Step]) -> MinedTemplates:
    """The templates of a repository after the steps of its main line, oldest first."""
    miner = Miner(repository)
    for step in steps:
        miner.add(step)
    return miner.mined()


def template_id(repository: str, language: str, before: Shape, after: Shape) -> str:
    """16 hexadecimal digits that stay the same over runs."""
    text = "\0".join((repository, language, " ".join(before), " ".join(after)))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _reverse(group: Group, answer: Shape) -> tuple[Group, Shape]:
    language, before = group
    new_before, new_after = renumbered((answer, before))
    return (language, new_before), new_after


def _paths(edits: Edits) -> list[str]:
    """Files of the latest edits."""
    return list(dict.fromkeys(edits[number].path for number in sorted(edits, reverse=True)))[:MOST_PATHS]


def _last_step(edits: Edits) -> int:
    return max((edit.step for edit in edits.values()), default=-1)
