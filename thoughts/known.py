"""What a study keeps of a repository, for answers: only what is still true of the contents that are asked about.

Cards whose file has changed since are made again; risks, which compare all files, are left out where theirs has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from chat.citations import SHORT, Citation, Citations
from chat.statements import Found, Statement
from core.errors import GitloreError
from core.git import touched, trees
from core.logs import log
from thoughts.kind import Fact
from thoughts.risk.known import ran_in

if TYPE_CHECKING:
    from thoughts.cards.card import Card
    from thoughts.mapping.graph import CodeMap

MOST_RISKY = 5
RISKS = "risk"
"""What the facts of the kind `risk` are called."""


@dataclass(frozen=True)
class Known:
    """The study of a repository. It is opened when it is asked, and not kept open."""

    git_dir: Path
    cache_dir: Path
    database: str = ""
    """PostgreSQL database of studies; else it is in the cache folder."""

    def is_there(self) -> bool:
        """Whether anything was kept for answers."""
        return bool(self.facts(RISKS) or self.facts("card"))

    def facts(self, name: str) -> Sequence[Fact]:
        """The facts of a name; none where the repository was not studied. What cannot be read is logged, and none."""
        folder = self.cache_dir.resolve() / "study"
        if not (self.database or (folder / "study.db").is_file()):
            return []
        from thoughts.running import facts_named
        from thoughts.studying import key_of

        try:
            return facts_named(self.database or str(folder), key_of(self.git_dir), name)
        except GitloreError as error:
            log.warning("the study cannot be read: %s", error.message)
            return []

    def risky(self, commit: str, path: str) -> Found | None:
        """The files that are likeliest to be repaired next, or those of a folder, or one."""
        files = trees.files_of(self.git_dir, commit)
        facts = [one for one in self.facts(RISKS) if not path or one.scope == path or one.scope.startswith(f"{path}/")]
        holding = [one for one in facts if files.get(one.scope) == one.blob]
        with Citations(self.git_dir) as citations:
            order = sorted(holding, key=lambda one: -one.value["score"])
            said = [found for one in order[: 2 * MOST_RISKY] if (found := _risk(one, commit, citations))]
        if not said:
            return None
        changed = sum(one.scope in files for one in facts) - len(holding)
        one, many = "file has changed since it was studied and is", "files have changed since they were studied and are"
        notes = [f"{changed:,} {one if changed == 1 else many} left out."] if changed else []
        lead = f"Likeliest to be repaired next, of what was studied at {order[0].commit[:SHORT]}:"
        return Found(said[:MOST_RISKY], notes, lead)

    def about(self, commit: str, path: str, symbol: str) -> Found | None:
        """The first statements of each group of its card."""
        return self._of_card(commit, path, symbol, ())

    def tests(self, commit: str, path: str, symbol: str) -> Found | None:
        """The tests of its card."""
        from thoughts.cards.card import TESTS

        return self._of_card(commit, path, symbol, (TESTS,))

    def card(self, commit: str, path: str, symbol: str = "") -> Card | None:
        """A card: the one that is kept where its file is still the same, otherwise one that is made now.

        None where the commit has no such file. Raises UserError where the file has no such symbol.
        """
        from thoughts.cards.card import FACT, card_from
        from thoughts.cards.making import Cards

        blob = trees.files_of(self.git_dir, commit).get(path)
        if blob is None:
            return None
        scope = f"{path}:{symbol}" if symbol else path
        with Citations(self.git_dir) as citations:
            kept = next((one for one in self.facts(FACT) if one.scope == scope and one.blob == blob), None)
            if kept:
                return card_from(kept.value).moved(citations, commit)
            cards = Cards(self.git_dir, self.cache_dir, commit, citations)
            cards.risks = {}  # comparing all files takes long; what the study found is said beside it
            cards.map = self._map(commit)
            return cards.of(path, symbol)

    def _map(self, commit: str) -> CodeMap | None:
        """The map of a commit where the study made it: making one takes long. What cannot be read is logged."""
        from thoughts.mapping.graph import CodeMap

        try:
            return CodeMap.kept(self.git_dir, self.cache_dir, commit)
        except GitloreError as error:
            log.warning("the map cannot be read: %s", error.message)
            return None

    def _of_card(self, commit: str, path: str, symbol: str, groups: Sequence[str]) -> Found | None:
        from thoughts.cards.card import RISK

        if (card := self.card(commit, path, symbol)) is None:
            return None
        said = [one for group in card.groups for one in group.statements if not groups or group.name in groups]
        if not card.of(RISK) and not groups:
            risks = (one for one in self.facts(RISKS) if one.scope == path and one.blob == card.blob)
            with Citations(self.git_dir) as citations:
                said += [found for one in risks if (found := _risk(one, commit, citations))]
        return Found(said, [one for one in card.notes if not groups or "test" in one])


def _risk(fact: Fact, commit: str, citations: Citations) -> Statement | None:
    """A file's risk with the repairs that it has; without any, with its last line."""
    value = fact.value
    cited: list[Citation] = []
    for hash_ in reversed(value["repairs"]):
        try:
            found = citations.cite_commit(hash_, touched.named(citations.git_dir, hash_).title)
        except GitloreError:  # a force push took it away
            continue
        cited += [found] if found else []
    repaired = "; ".join(f"“{one.quote}” ({one.commit[:SHORT]})" for one in cited)
    if not cited and (last := citations.cite(fact.scope, value["lines"], value["lines"], commit)):
        cited.append(last)
    said = f"repaired by {repaired}" if repaired else "no repair of it is known"
    said = f"{ran}; {said}" if (ran := ran_in(value)) else said
    text = f"{fact.scope}: riskier than {value['above']:.0%} of the source files ({value['lines']:,} lines); {said}."
    return Statement(text, tuple(cited)) if cited else None
