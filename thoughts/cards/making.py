"""Making cards of one commit; what they share, such as the history and the risk of all files, is read once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from chat.citations import SHORT, Citation, Citations
from chat.history import History, reason_of
from chat.providers import Provider
from chat.statements import Statement
from core.errors import UserError, did_you_mean
from core.git import raw_log, trees
from core.ranking.history import Past
from core.text.redaction import Redactor
from index.hits import FILE, Hit
from index.repository import RepositoryIndex
from index.texts import Symbol
from thoughts.cards import purpose
from thoughts.cards.by_name import ByName
from thoughts.cards.card import COMPANIONS, HISTORY, OWNERS, RISK, TESTS, USES, WHAT, Card, Group
from thoughts.cards.companions import Beside, companions
from thoughts.cards.mapped import Mapped
from thoughts.cards.source import Source
from thoughts.cards.uses import Found, Tree
from thoughts.cards.writing import written
from thoughts.mapping.graph import CodeMap
from thoughts.risk.statements import in_words, repaired
from thoughts.risk.table import RiskyFile, ranked

SECONDS = 5.0
"""For each question to git; about ten make a card."""
FEWEST_WORDS = 5
"""Of a reason."""
_REDACTOR = Redactor()


@dataclass
class Cards:
    """Makes cards of one commit. For one thread at a time."""

    git_dir: Path
    cache_dir: Path
    commit: str
    citations: Citations
    provider: Provider | None = None
    """The language model that may write what something does."""
    timeout_s: float = SECONDS
    model_s: float = field(default=0.0, init=False)
    """How long that model worked."""

    @cached_property
    def files(self) -> dict[str, str]:
        """The blob of each file."""
        return trees.files_of(self.git_dir, self.commit)

    @cached_property
    def risks(self) -> dict[str, RiskyFile]:
        """The source files, the riskiest first."""
        found = ranked(self.git_dir, self.commit, raw_log.logged(self.git_dir, self.commit))
        return {one.facts.path: one for one in found}

    @cached_property
    def map(self) -> CodeMap | None:
        """The map of the commit, which takes seconds to make where it is not kept; None for doing without."""
        return CodeMap.at(self.git_dir, self.cache_dir, self.commit)

    @cached_property
    def _past(self) -> Past:
        with RepositoryIndex(self.git_dir, self.cache_dir) as index:
            return Past.of(index.commits(self.commit), self.commit)

    @cached_property
    def _history(self) -> History:
        return History(self.git_dir, self.commit, self.citations, self.timeout_s, self._past.commits)

    @cached_property
    def _tree(self) -> Tree:
        by_name = ByName(self.git_dir, self.commit, self.citations, self.timeout_s)
        return Tree(by_name, Mapped(self.map) if self.map else None, list(self.files))

    def source(self, path: str) -> Source:
        """A file. Raises UserError where there is none that can be cited."""
        if path not in self.files:
            raise UserError(f"there is no file {path!r} at {self.commit[:SHORT]}", did_you_mean(path, self.files))
        data = self.citations.source(path, self.commit)
        if data is None:
            why = "it is too large or missing, or its name is not UTF-8 or has a line feed"
            raise UserError(f"{path!r} cannot be cited: {why}", "name another file")
        return Source(path, data)

    def named(self, text: str) -> Card:
        """The card of `path` or `path:name`. Raises UserError where there is no such file or symbol."""
        path, name = self.place(text)
        return self.of(path, name)

    def place(self, text: str) -> tuple[str, str]:
        """(path, name) of `path` or `path:name`, whatever colons either has."""
        if text not in self.files:
            for at, letter in enumerate(text):
                if letter == ":" and text[:at] in self.files and text[at + 1 :]:
                    return text[:at], text[at + 1 :]
        return text, ""

    def of(self, path: str, name: str = "") -> Card:
        """The card of a symbol or, without a name, of a file. Raises UserError where there is none."""
        source = self.source(path)
        symbol, *others = source.named(name) if name else [None]
        notes = [f"{len(others) + 1} symbols are called {name!r} there; this is the longest."] if others else []
        if source.reason:
            notes.append(f"Its content is not looked at: it is among the {source.reason}.")
        first, last = (symbol.first, symbol.last) if symbol else (1, max(len(source.lines), 1))
        kind, own = (symbol.kind, symbol.name) if symbol else (FILE, "")
        hit = Hit(path, first, last, self.files[path], own, kind, symbol.doc if symbol else "")
        what = self._what(source, symbol)
        history, owners = self._since(hit), self._history.who([hit])
        beside = Beside.of(self._history.changes(hit), self._past, path, self.files)
        uses = self._tree.of_symbol(source, symbol) if symbol else self._tree.of_file(source, beside)
        notes += [*uses.notes, *history.notes, *owners.notes, *self._shallow]
        groups = (
            Group(WHAT, tuple(what)),
            Group(HISTORY, tuple(history.code)),
            Group(OWNERS, tuple(owners.statements)),
            Group(USES, tuple(uses.code), uses.of_code),
            Group(TESTS, tuple(uses.tests), uses.of_tests),
            Group(COMPANIONS, tuple(companions(beside, self.citations))),
            Group(RISK, tuple(self._risk(source))),
        )
        sound = (replace(one, statements=self._sound(one.statements)) for one in groups)
        card = Card(
            path, own, kind, first, last, self.commit, self.files[path],
            tuple(one for one in sound if one.statements), tuple(dict.fromkeys(map(_REDACTOR.masked, notes))),
        )  # fmt: skip
        return self._written(card, source, symbol) if self.provider and what else card

    @cached_property
    def _shallow(self) -> list[str]:
        is_shallow = bool(self._history.is_shallow)
        return ["This is a shallow clone: what came before its oldest commits is not known."] if is_shallow else []

    def _what(self, source: Source, symbol: Symbol | None) -> list[Statement]:
        if symbol:
            found = purpose.of_symbol(source, symbol, self.citations, self.commit)
            is_said = bool(symbol.doc)
        else:
            found = purpose.of_file(source, self.citations, self.commit)
            is_said = source.opening is not None
        if is_said:
            return found
        name = symbol.name if symbol else ""
        return found + purpose.in_documents(
            self.git_dir, self.commit, self.citations, source.path, name, self.timeout_s
        )

    def _since(self, hit: Hit) -> Found:
        """The commit that it came in with, and the newest that changed it with what that gives as a reason."""
        introduced, changes = self._history.introduced(hit), self._history.changes(hit)
        statements = list(introduced.statements)
        if len(statements) > 1 and changes and statements[-1].citations[0].commit == changes[0].hash:
            text, reason = statements[-1].text, reason_of(changes[0].body)
            if reason.startswith(("*", "-")) or len(reason.split()) < FEWEST_WORDS:
                reason = ""  # a list of what was done, or the number of an issue
            statements[-1] = replace(statements[-1], text=f"{text} {reason}".strip())
        return Found(statements, notes=introduced.notes)

    def _risk(self, source: Source) -> list[Statement]:
        risky = self.risks.get(source.path)
        if risky is None:
            return []
        if found := repaired(risky, len(self.risks), self.citations):
            return [found]
        last = next((number for number in range(len(source.lines), 0, -1) if source.lines[number - 1].strip()), 0)
        cited = self.citations.cite(source.path, last, last, self.commit) if last else None
        text = f"{source.path}: {in_words(risky, len(self.risks))}; no repair of it is known."
        return [Statement(text, (cited,))] if cited else []

    def _sound(self, statements: tuple[Statement, ...]) -> tuple[Statement, ...]:
        """Those whose citations git confirms, without those that quote a credential."""
        found = []
        for one in statements:
            kept = tuple(citation for citation in one.citations if self._holds(citation))
            if kept:
                found.append(replace(one, text=_REDACTOR.masked(one.text), citations=kept))
        return tuple(found)

    def _holds(self, citation: Citation) -> bool:
        return not self.citations.problem(citation) and not _REDACTOR.has_secret(citation.quote)

    def _written(self, card: Card, source: Source, symbol: Symbol | None) -> Card:
        """The card with what the language model says of its subject first, if all of that holds."""
        assert self.provider
        found = written(self.provider, self.citations, card, source, symbol)
        self.model_s += found.seconds
        if not found.statement:
            return replace(card, notes=(*card.notes, found.note)) if found.note else card
        groups = tuple(
            replace(one, statements=(found.statement, *one.statements)) if one.name == WHAT else one
            for one in card.groups
        )
        return replace(card, groups=groups, written_by=self.provider.config.model)


@contextlib.contextmanager
def opened(git_dir: Path, cache_dir: Path, commit: str, provider: Provider | None = None) -> Iterator[Cards]:
    """What makes cards of a commit."""
    with Citations(git_dir) as citations:
        yield Cards(git_dir, cache_dir, commit, citations, provider)


def card_of(git_dir: Path, cache_dir: Path, commit: str, path: str, name: str = "") -> Card:
    """One card. Raises UserError where the commit has no such file or symbol."""
    with opened(git_dir, cache_dir, commit) as cards:
        return cards.of(path, name)
