"""Asking a repository: a question is read, places or commits are found, and what is said about them is checked."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from chat import claims, order, places
from chat.answer import Answer, State
from chat.calls import MOST_SHOWN, Place, callers
from chat.citations import Citation, Citations, address
from chat.history import FOLDER, History, name_of
from chat.learning.policies import DEFAULT, Policy
from chat.providers import MOST_EXCERPTS, MOST_LINES, Provider
from chat.questions import Asked, is_about_the_last, is_pronoun, read
from chat.statements import Found, Statement
from chat.studied import Study, Wanted, answered, wanted
from chat.subjects import OF_PLACES, Subjects, has_name
from core.config import ChatConfig
from core.errors import GitloreError, StageError, UserError
from core.git import refs, touched, trees
from core.git.blobs import missing
from core.git.repositories import open_repository
from core.logs import log
from index.code_index import CodeIndex
from index.hits import Hit

MOST_HITS = 20
MOST_NEAREST = 2
"""Places that are shown where none is an answer."""


@contextlib.contextmanager
def opened(repo: str, cache_dir: Path, settings: ChatConfig) -> Iterator[Chat]:
    """A repository at a path or URL to ask, with its index, whatever that holds.

    Raises UserError where there is none, or where the model of `settings` may not be asked about it.
    """
    provider = Provider.of(settings, repo, cache_dir)
    git_dir = open_repository(repo, cache_dir).git_dir
    with CodeIndex(git_dir, cache_dir, settings.index) as index, Citations(git_dir) as citations:
        index.follows_use = "order" in settings.adapt
        yield Chat(git_dir, index, citations, provider)


@dataclass
class Chat:
    """A repository to ask. For one thread at a time."""

    git_dir: Path
    index: CodeIndex
    citations: Citations
    provider: Provider | None = None
    """The language model that writes, if any."""
    study: Study | None = None
    """What a study keeps of the repository, if there may be one."""
    timeout_s: float = touched.SECONDS
    """For each question to git."""

    @functools.cached_property
    def subjects(self) -> Subjects:
        """What its questions are about."""
        return Subjects(self.git_dir, self.index, self.citations)

    def state(self, commit: str) -> State:
        """How far a commit is from the branch that is checked out."""
        head = refs.head(self.git_dir)
        if not head or head == commit:
            return State(commit, refs.branch(self.git_dir))
        if missing(self.git_dir, [commit]):  # of a history that was rewritten
            return State(commit, refs.branch(self.git_dir), is_gone=True)
        behind, beside = (trees.count_between(self.git_dir, *pair) for pair in ((commit, head), (head, commit)))
        return State(commit, refs.branch(self.git_dir), behind, beside)

    def update(self, revision: str = "", progress: Callable[[int, int], None] | None = None) -> str:
        """Bring the index to a commit, by default the one that is checked out; its hash.

        Raises UserError where there is none.
        """
        commit = trees.commit_named(self.git_dir, revision) if revision else refs.head(self.git_dir)
        if not commit:
            raise UserError("the repository has no commits to answer from", "commit something first")
        if self.index.commit != commit:
            update = self.index.update(commit, progress)
            log.debug("%s texts added to the index, %s removed", f"{update.added:,}", f"{update.removed:,}")
        return commit

    def ask(self, text: str, last: Hit | None = None, policy: Policy = DEFAULT) -> Answer:
        """The answer at the commit that the index describes; `last` is the place that "it" may point back to, `policy`
        says how much of places is shown.
        """
        commit = self.index.commit
        if not commit:
            raise UserError("the repository has no index yet", "update it first")
        if where := address(text):
            return self._moved(text, where, commit)
        asked = read(text)
        if answer := self._studied(asked, last, commit):
            return answer
        is_about_it = last is not None and is_about_the_last(asked)
        if not (asked.has_subject or asked.kind == "since" or is_about_it):
            found = Found.nothing("I don't know what this is about: name a symbol, a file or a topic.")
            return self._delivered(asked, found, [], commit, known=False)
        hits, notes = ([last], list[str]()) if last is not None and is_about_it else self.subjects.of(asked, commit)
        if is_about_it:
            it = hits[0]
            asked = replace(asked, names=(it.symbol,)) if it.symbol else replace(asked, paths=(it.path,))
        found, known = self._found(asked, hits, commit, policy)
        found = replace(found, notes=list(dict.fromkeys([*notes, *found.notes])))
        answer = replace(self._delivered(asked, found, hits, commit, known=known), policy=policy)
        return self._written(answer) if self.provider and known and answer.statements else answer

    def _studied(self, asked: Asked, last: Hit | None, commit: str) -> Answer | None:
        """What the study says; None where there is none, or where it knows nothing that holds of the subject."""
        wants = wanted(asked)
        if not (wants and self.study and self.study.is_there()):
            return None
        hit = self._meant(wants, last)
        if wants.subject and not hit:
            return None
        path, symbol = (hit.path, hit.symbol) if hit else ("", "")
        found = answered(self.study, wants, commit, path, symbol)
        if not found or not found.statements:
            return None
        return self._delivered(replace(asked, kind=wants.topic), found, [hit] if hit else [], commit, known=True)

    def _meant(self, wants: Wanted, last: Hit | None) -> Hit | None:
        return last if is_pronoun(wants.subject) else self.subjects.named(wants.path, wants.name)

    def _written(self, answer: Answer) -> Answer:
        """The answer as the language model writes it; as it is, and why, where that does not hold."""
        assert self.provider
        name = self.provider.config.model
        sources = self._excerpts(answer)
        try:
            text = self.provider.write(answer.question, sources)
        except StageError as error:
            return replace(answer, notes=[*answer.notes, f"{name} was not heard: {error.message}."])
        written = claims.statements(text, sources, answer.question, self.index.is_common)
        if claims.are_mostly_unsupported(written):
            wrong = (
                f"{sum(not one.supported for one in written)} of {len(written)} sentences" if written else "anything"
            )
            note = f"{name} answered, but its sources do not support {wrong}: this is what they say."
            return replace(answer, notes=[*answer.notes, note])
        return replace(answer, statements=written, lead="", written_by=name)

    def _excerpts(self, answer: Answer) -> list[Citation]:
        """What the model may read and cite: the best places as a whole, then what the answer cites."""
        commit, found = answer.state.commit, []
        if answer.kind in OF_PLACES:
            for hit in order.shown(answer.hits, answer.policy.places):
                last = min(hit.last, hit.first + MOST_LINES - 1)
                if one := self.citations.cite(hit.path, hit.first, last, commit):
                    found.append(one)
        inside = [one for one in answer.citations if not any(_is_within(one, whole) for whole in found)]
        return [*found, *inside][:MOST_EXCERPTS]

    def _found(self, asked: Asked, hits: list[Hit], commit: str, policy: Policy) -> tuple[Found, bool]:
        """What there is to say, and whether it is an answer rather than only the nearest."""
        if asked.kind == "calls" and (name := next(iter(asked.names), "")):
            defined = [Place(hit.path, hit.first, hit.last, hit.symbol) for hit in hits if has_name(hit, name)]
            found = callers(self.git_dir, self.citations, commit, name, defined, timeout_s=self.timeout_s)
            if not (found.statements or defined) and hits:
                return replace(found, notes=[*found.notes, f"The nearest symbol is {name_of(hits[0])}."]), False
            return found, True
        history = History(self.git_dir, commit, self.citations, self.timeout_s, self.index.searcher().past.commits)
        if asked.kind == "since":
            about = self._of_topic(asked, hits)
            found = history.since(asked, about)
            more = [] if about or not asked.has_subject else ["No file is about that: these are the commits of all."]
            return replace(found, notes=[*more, *found.notes]), True
        if asked.kind == "introduced" and asked.texts and not asked.names:
            found = history.first_with(asked.texts[0])
            if found.statements:
                return found, True
        if not hits and asked.kind != "why":
            return Found.nothing("I don't know: nothing that can be read speaks of this."), False
        if asked.kind in ("where", "how", "calls"):
            return self._of_places(asked, hits, commit, policy)
        return self._of_history(asked, hits, history)

    def _of_history(self, asked: Asked, hits: list[Hit], history: History) -> tuple[Found, bool]:
        sure = bool(hits) and self.subjects.is_about(asked, hits[0], history.commit)
        if asked.kind == "why":
            found = history.why(asked, hits[0] if sure else None)
        elif asked.kind == "introduced":
            found = history.introduced(hits[0])
        else:
            found = history.who(hits if not asked.names else hits[:1])
        if not found.statements and not found.notes:
            return Found.nothing("I don't know: no commit says so."), False
        if not sure and asked.kind != "why":
            return replace(found, lead=f"I don't know; the nearest is {name_of(hits[0])}. {found.lead}".strip()), False
        return found, found.known

    def _of_places(self, asked: Asked, hits: list[Hit], commit: str, policy: Policy) -> tuple[Found, bool]:
        shown = order.shown(hits, policy.places)
        sure = any(self.subjects.is_about(asked, hit, commit) for hit in shown)
        found = [
            places.described(self.citations, commit, asked, hit, terse=policy.terse)
            for hit in (shown if sure else shown[:MOST_NEAREST])
        ]
        statements = [one for one in found if one]
        if not statements:
            return Found.nothing("I don't know: what was found cannot be quoted."), False
        if not sure:
            return Found(statements, lead=f"I don't know; the nearest is {name_of(shown[0])}:"), False
        if policy.hops and asked.kind == "how" and shown[0].kind in ("function", "macro"):
            statements += self._callers_of(shown[0], commit)
        return Found(statements), True

    def _callers_of(self, hit: Hit, commit: str) -> list[Statement]:
        """One hop: a sentence about what calls a function."""
        name, where = hit.symbol, Place(hit.path, hit.first, hit.last, hit.symbol)
        found = callers(self.git_dir, self.citations, commit, name, [where], timeout_s=min(self.timeout_s, 2.0))
        if not 0 < len(found.statements) < MOST_SHOWN:  # a name that stands everywhere tells nothing
            return []
        return found.statements[:1]

    def _of_topic(self, asked: Asked, hits: Sequence[Hit]) -> list[Hit]:
        """The files that recent changes are asked about: named ones, folders, or those that the topic is about."""
        if not asked.has_subject:
            return []
        return [
            hit for hit in hits[:3] if hit.kind == FOLDER or self.subjects.is_about(asked, hit, self.index.commit or "")
        ]

    def _moved(self, text: str, where: tuple[str, int, int, str], commit: str) -> Answer:
        """Where the lines of a citation stand now."""
        path, first, last, at = where
        try:
            old = self.citations.cite(path, first, last, trees.commit_named(self.git_dir, at))
        except GitloreError:
            old = None
        asked = Asked(text, "where")
        if not old:
            found = Found.nothing(f"There are no such lines: {text.strip()}.")
            return self._delivered(asked, found, [], commit, known=False)
        moved = self.citations.moved(old, commit)
        if not moved.citation:
            found = Found([Statement(f"They are gone since: {moved.problem}.", (old,))])
        else:
            found = Found([Statement(f"{old} is now {moved.citation}.", (old, moved.citation))])
        return self._delivered(asked, found, [], commit, known=True)

    def _delivered(self, asked: Asked, found: Found, hits: list[Hit], commit: str, *, known: bool) -> Answer:
        """The answer with those citations that hold, and those statements that still have one."""
        checked: dict[Citation, str] = {}
        statements = []
        for statement in found.statements:
            for one in statement.citations:
                if one not in checked and (problem := self.citations.problem(one)):
                    log.debug("a citation is refused: %s: %s", one, problem)
                checked.setdefault(one, self.citations.problem(one))
            good = tuple(one for one in statement.citations if not checked[one])
            if good or not statement.supported:
                statements.append(replace(statement, citations=good))
        notes = [*found.notes, *self._shallow(asked)]
        return Answer(
            asked.text,
            asked.kind,
            self.state(commit),
            statements,
            found.lead,
            notes,
            hits[:MOST_HITS],
            known,
            weights=self.index.weights.version,
        )

    def _shallow(self, asked: Asked) -> list[str]:
        if asked.kind in ("why", "introduced", "who", "since") and refs.boundary(self.git_dir, "shallow"):
            return ["This is a shallow clone: what came before its oldest commits is not known."]
        return []


def _is_within(citation: Citation, whole: Citation) -> bool:
    same = citation.path and (citation.path, citation.commit) == (whole.path, whole.commit)
    return bool(same and whole.first <= citation.first and citation.last <= whole.last)
