"""What a repository's history says of some lines: since when they are there, why they changed, who knows them.

git follows the lines through edits and renames of their file; a symbol that came from another file is followed there by
its name. Each question to git is bounded in time, and what git did not finish is said.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from chat import messages, times
from chat.citations import SHORT, Citation, Citations
from chat.messages import Spoken
from chat.questions import Asked
from chat.statements import Found, Statement
from core.chunking import parsing
from core.code.content import language_in
from core.code.languages import LANGUAGES
from core.errors import GitloreError
from core.git import refs, touched, trees
from core.git.commands import SlowGitError
from core.git.touched import Touch
from core.history.messages import is_bot
from core.ranking.facts import decayed_shares
from core.ranking.history import Commits
from core.ranking.terms import parts
from index.hits import FILE, Hit

Result = TypeVar("Result")
FOLDER = "folder"
"""The kind of a place that is a whole folder."""
MOST_SHOWN = 6
"""Commits of an answer."""
MOST_PEOPLE = 3
MOST_BODY = 300
"""Characters of a message behind its title."""
MOST_WORDS = 8
"""Of a topic, that are looked for in messages."""
SURE = 0.7
"""Of what a topic's words weigh, that a message holds which is an answer."""
MOST_MOVES = 4
"""Other files that a symbol is followed to."""
MOST_SAMPLES = 12
"""Commits that are asked whether a name was there before it came the last time."""
MOST_SPOTS = 4
"""Places whose history makes one answer."""
HALF_LIFE = timedelta(days=365)
"""After it, a change says half as much of what somebody knows."""
WIDE = 20
"""Files of a commit; one of more counts so much less."""
_REVERT = re.compile(r"^revert\b", re.IGNORECASE)
_TRAILER = re.compile(r"^[A-Z][\w-]+: \S.*$")


@dataclass
class History:
    """The history that one commit knows."""

    git_dir: Path
    commit: str
    citations: Citations
    timeout_s: float = touched.SECONDS
    commits: Commits | None = None
    """All that the index knows, for what is common and which are wide."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _slow: list[str] = field(default_factory=list)
    _known: dict[tuple[str, str, int, int], list[Touch]] = field(default_factory=dict)

    def introduced(self, hit: Hit) -> Found:
        """The commit that some lines, or the symbol that they define, came in with."""
        touches = self._touches(hit)
        if not touches:
            return self._found([])
        oldest, path = touches[-1], hit.path
        for _ in range(MOST_MOVES):
            earlier = self._before(oldest, hit.symbol)
            if not earlier:
                break
            path, touches = earlier[0], [*touches, *earlier[1]]
            oldest = touches[-1]
        first = self._first_of_name(touches, hit)
        tag = self._asked(lambda: touched.first_tag(self.git_dir, first.hash, timeout_s=self.timeout_s)) or ""
        release = f"; the first tag with it is {tag}" if tag else ""
        where = f", in {path}" if path != hit.path else ""
        text = f"{name_of(hit)} came in on {first.day} with {_who(first)}'s commit {_title(first)}{where}{release}."
        if first.hash in self._boundary:
            text = f"{name_of(hit)} is older than the first commit of this shallow clone, of {first.day}{release}."
        found = self._statement(text, first, self.citations.cite(hit.path, hit.first, hit.first, self.commit))
        if oldest.hash != first.hash:
            found += self._statement(f"Some of its lines are older, from {oldest.day}: {_title(oldest)}.", oldest)
        since = touches[: next(place for place, one in enumerate(touches) if one.hash == first.hash)]
        if since:
            count = f"{len(since)} commits have changed it since, the last" if len(since) > 1 else "It was changed"
            found += self._statement(f"{count} on {since[0].day}: {_title(since[0])}.", since[0])
        return self._found(found)

    def first_with(self, text: str) -> Found:
        """The first commit after which a text stands in the tree."""
        touches = self._asked(lambda: touched.mentioning(self.git_dir, self.commit, text, timeout_s=self.timeout_s))
        if not touches:
            return self._found([])
        first = touches[-1]
        tag = self._asked(lambda: touched.first_tag(self.git_dir, first.hash, timeout_s=self.timeout_s)) or ""
        release = f"; the first tag with it is {tag}" if tag else ""
        said = f"`{text}` came in on {first.day} with {_who(first)}'s commit {_title(first)}{release}."
        return self._found(self._statement(said, first))

    def why(self, asked: Asked, hit: Hit | None) -> Found:
        """Commits that changed some lines, or speak of the topic, with what they give as reasons."""
        is_named = hit and (hit.path in asked.paths or own_name(hit.symbol) in map(own_name, asked.names))
        if spoken := [] if is_named else self._saying(asked):
            return self._speaking(spoken)
        touches = self.changes(hit) if hit else []
        own = parts(hit.symbol.rpartition(".")[2]) if hit else ()
        near = messages.nearest(touches, [word for word in asked.words if word not in own], asked.stems)
        first = [one.touch for one in near]
        order = "; the nearest first" if near else "; the newest" if len(touches) > MOST_SHOWN else ""
        lead = f"{_commits(len(touches))} changed {name_of(hit)}{order}:" if hit else ""
        return self._with_reasons([*first, *(one for one in touches if one not in first)], lead)

    def _speaking(self, spoken: Sequence[Spoken]) -> Found:
        is_known = spoken[0].held >= SURE
        what = f"{_commits(len(spoken))} speak{'s' * (len(spoken) == 1)} of it"
        what = what if is_known else "I don't know; no commit speaks of all of it, these of some"
        lead = f"{what}{'; the nearest' if len(spoken) > MOST_SHOWN else ''}:"
        return replace(self._with_reasons([one.touch for one in spoken], lead), known=is_known)

    def _with_reasons(self, touches: Sequence[Touch], lead: str) -> Found:
        """The first commits with what their messages say beside their titles."""
        found = []
        for touch in touches[:MOST_SHOWN]:
            body = reason_of(touch.body)
            text = f"{touch.day}, {_who(touch)}: {_title(touch)}." + (f" {body}" if body else "")
            found += self._statement(text, touch)
        return self._found(found, lead if found else "")

    def who(self, hits: Sequence[Hit]) -> Found:
        """The people whose changes of some places are most of them, newer ones counting more; programs left out."""
        touches: dict[str, tuple[Touch, float]] = {}
        for place, hit in enumerate(hits[:MOST_SPOTS]):
            for touch in self.changes(hit):
                if not is_bot(touch.author, touch.email) and not _REVERT.match(touch.title):
                    touches.setdefault(touch.hash, (touch, 1 / (1 + place)))
        if not touches:
            return self._found([])
        newest = max(touch.time for touch, _ in touches.values())
        people = sorted({touch.author for touch, _ in touches.values()})
        rows = [people.index(touch.author) for touch, _ in touches.values()]
        weights = [
            weight * self._tells(touch) * 0.5 ** ((newest - touch.time) / HALF_LIFE.total_seconds())
            for touch, weight in touches.values()
        ]
        shares = decayed_shares(rows, weights, len(people))
        found = []
        for person in sorted(range(len(people)), key=lambda person: -shares[person])[:MOST_PEOPLE]:
            theirs = sorted(
                (one for one, _ in touches.values() if one.author == people[person]), key=lambda one: -one.time
            )
            count = f"{len(theirs)} change{'s' * (len(theirs) > 1)}"
            text = (
                f"{people[person]}: {count}, {shares[person]:.0%} of all by weight, the last on "
                f"{theirs[0].day}: {_title(theirs[0])}."
            )
            found += self._statement(text, theirs[0])
        lead = f"Who changed {_places(hits)}, newer and narrower changes counting more:"
        return self._found(found, lead if found else "")

    def since(self, asked: Asked, hits: Sequence[Hit]) -> Found:
        """Commits since the time, version or commit of a question, of all files or of some."""
        start = self._start(asked.when)
        if start is None:
            return Found.nothing(f"No time, version or commit is known by the name {asked.when!r}.")
        commit = self.commit
        if asked.until and not (commit := self._revision(asked.until)):
            return Found.nothing(f"No version or commit is known by the name {asked.until!r}.")
        paths = list(dict.fromkeys(hit.path for hit in hits))
        limits = {"timeout_s": self.timeout_s}
        if isinstance(start, str):
            touches = self._asked(lambda: touched.since(self.git_dir, start, commit, paths, **limits))
        else:
            seconds = int(start.timestamp())
            touches = self._asked(lambda: touched.since_time(self.git_dir, seconds, commit, paths, **limits))
        if touches is None:
            return self._found([])
        return self._found(*self._listed(touches, paths, self._since(start, asked)))

    def _since(self, start: str | datetime, asked: Asked) -> str:
        if isinstance(start, datetime):
            return f"since {start:%Y-%m-%d}"
        until = f" until {asked.until}" if asked.until else ""
        return f"since {asked.when}{until} ({start[:SHORT]})"

    def _listed(self, touches: list[Touch], paths: Sequence[str], since: str) -> tuple[list[Statement], str]:
        """The newest commits, and a sentence about all; those of programs are counted only."""
        of = f" of {', '.join(paths[:3])}" if paths else ""
        people = [one for one in touches if not is_bot(one.author, one.email)]
        many = "more than " if len(touches) == touched.MOST_COMMITS else ""
        programs = f", {len(touches) - len(people)} of them by programs" if len(people) < len(touches) else ""
        authors = len({one.author for one in people})
        by = f", by {authors} {'people' if authors > 1 else 'person'}" if authors else ""
        newest = "; the newest" if len(people) > MOST_SHOWN else ""
        found = []
        for touch in people[:MOST_SHOWN]:
            found += self._statement(f"{touch.day}, {_who(touch)}: {_title(touch)}.", touch)
        if not touches:
            return [], f"No commit{of} {since}."
        return found, f"{many}{_commits(len(touches))}{of} {since}{by}{programs}{newest}:"

    def _tells(self, touch: Touch) -> float:
        """How much a commit says of what its author knows: one that formats all files says little of each."""
        number = self.commits.numbers.get(touch.hash) if self.commits else None
        if self.commits is None or number is None:
            return 1.0
        first, end = self.commits.change_offsets[number : number + 2].tolist()
        return min(1.0, WIDE / max(int(end - first), 1))

    @functools.cached_property
    def _boundary(self) -> frozenset[str]:
        """The oldest commits of a shallow clone: git takes all that they hold for their change."""
        return frozenset(line.decode() for line in refs.boundary(self.git_dir, "shallow"))

    @property
    def is_shallow(self) -> bool:
        """Whether there may have been commits before the oldest ones."""
        return bool(self._boundary)

    def changes(self, hit: Hit) -> list[Touch]:
        """The commits that changed a place, without those of which that is not known."""
        return [touch for touch in self._touches(hit) if touch.hash not in self._boundary]

    def _touches(self, hit: Hit) -> list[Touch]:
        def ask() -> list[Touch]:
            if hit.kind == FOLDER:
                return touched.of_folder(self.git_dir, self.commit, hit.path, timeout_s=self.timeout_s)
            if hit.kind == FILE:
                return touched.of_path(self.git_dir, self.commit, hit.path, timeout_s=self.timeout_s)
            return touched.of_lines(self.git_dir, self.commit, hit.path, hit.first, hit.last, timeout_s=self.timeout_s)

        place = hit.kind, hit.path, hit.first, hit.last
        if place not in self._known:
            found = self._asked(ask)
            if found is None:  # git may have more time for it when it is asked again
                return []
            self._known[place] = found
        return self._known[place]

    def _saying(self, asked: Asked) -> list[Spoken]:
        stems = list(dict.fromkeys(asked.words))[:MOST_WORDS]
        texts = [word.removesuffix("i") for word in stems]  # "librari" stands for both forms
        ask = functools.partial(touched.saying, self.git_dir, self.commit, texts, timeout_s=self.timeout_s)
        found = (self._asked(ask) if texts else None) or []
        return messages.nearest(found, stems, asked.stems, max(len(self.commits or ()) - len(found), 0))

    def _before(self, first: Touch, symbol: str) -> tuple[str, list[Touch]] | None:
        """(path, commits) of a symbol before a commit that moved it out of a file, or wrote it again.

        A file with fewer definitions of the name than before has lost it; where none has more, it was there before.
        """
        name = own_name(symbol)
        parent = self._revision(f"{first.hash}^1") if name else ""
        if not parent:
            return None

        def ask() -> tuple[str, list[Touch]] | None:
            there = touched.definitions(self.git_dir, parent, name, timeout_s=self.timeout_s)
            before = Counter(path for path, _ in there)
            after = Counter(
                path for path, _ in touched.definitions(self.git_dir, first.hash, name, timeout_s=self.timeout_s)
            )
            lost = list(before - after) or (list(before) if not after - before and len(before) == 1 else [])
            if not lost:
                return None
            line = next(line for path, line in there if path == lost[0])
            lines = self._around(lost[0], parent, line)
            return lost[0], touched.of_lines(self.git_dir, parent, lost[0], *lines, timeout_s=self.timeout_s)

        found = self._asked(ask)
        return found if found and found[1] else None

    def _around(self, path: str, commit: str, line: int) -> tuple[int, int]:
        """First and last line of the symbol that a line defines; the line alone where there is no grammar."""
        source = self.citations.source(path, commit) or b""
        language = language_in(path, source)
        outline = parsing.outline(source, language, path) if LANGUAGES[language].has_symbols else None
        owner = outline.owner(line - 1) if outline else None
        if outline is None or owner is None:
            return line, line
        first, last = outline.rows(owner)
        return first + 1, last + 1

    def _first_of_name(self, touches: Sequence[Touch], hit: Hit) -> Touch:
        """The first of some commits, newest first, after which the tree defines a symbol by its name.

        Lines may be older than the name: a function may have been called otherwise.
        """
        name = own_name(hit.symbol)
        if not name:
            return touches[-1]

        def defines(place: int) -> bool:
            return bool(touched.definitions(self.git_dir, touches[place].hash, name, timeout_s=self.timeout_s))

        def has(place: int) -> bool:  # in languages that define without a word for it, such as C
            return touched.has_word(self.git_dir, touches[place].hash, name, timeout_s=self.timeout_s)

        stands = defines if self._asked(lambda: defines(0)) else has

        def known(place: int) -> bool | None:
            return self._asked(lambda: stands(place))

        last = len(touches) - 1
        if known(last) is not False or known(0) is not True:
            return touches[-1]
        first = _first_of(known, 0, last)
        # A name may have gone and come back: some older commits are asked, the oldest first.
        steps = range(1, MOST_SAMPLES + 1)
        older = dict.fromkeys(last - (last - first) * step // (MOST_SAMPLES + 1) for step in steps)
        before = last
        for place in older:
            if first + 1 < place < last and known(place):
                return touches[_first_of(known, place, before)]
            before = place
        return touches[first]

    def _start(self, when: str) -> str | datetime | None:
        """The commit or the time that a word of a question means."""
        if re.fullmatch(r"(?:last|past|previous) (?:release|version|tag)", when.lower()):
            return self._asked(lambda: trees.last_tag(self.git_dir, self.commit)) or None
        if times.is_time(when):
            return times.time_of(when, self.now())
        return self._revision(when) or self._revision(f"v{when}") or None

    def _revision(self, name: str) -> str:
        if name.startswith("-") or ":/" in name or "{/" in name:
            return ""
        try:
            return trees.commit_named(self.git_dir, name)
        except GitloreError:
            return ""

    def _asked(self, ask: Callable[[], Result]) -> Result | None:
        """What git says; None, and a sentence, where it takes too long or cannot tell."""
        try:
            return ask()
        except SlowGitError as error:
            self._slow.append(f"{error.message}, so this part of the history was not looked at.")
        except GitloreError as error:
            self._slow.append(f"A part of the history cannot be read: {error.message}.")
        return None

    def _statement(self, text: str, touch: Touch, *more: Citation | None) -> list[Statement]:
        quoted = self.citations.cite_commit(touch.hash, touch.title)
        sources = tuple(one for one in (quoted, *more) if one)
        return [Statement(text, sources)] if quoted else []

    def _found(self, statements: list[Statement], lead: str = "") -> Found:
        notes, self._slow = list(dict.fromkeys(self._slow)), []
        return Found(statements, notes, lead)


def _first_of(known: Callable[[int], bool | None], low: int, high: int) -> int:
    """The last place from `low` on, where something holds, before it no longer does, which it does not at `high`."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if known(middle) else (low, middle)
    return low


def name_of(hit: Hit) -> str:
    """What a hit is called in a sentence."""
    return f"`{hit.symbol}`" if hit.symbol else hit.path


def own_name(symbol: str) -> str:
    """The last part of a qualified name, "" where it is no word that git can look for."""
    name = re.split(r"\.|::", symbol)[-1]
    return name if re.fullmatch(r"\w+", name, re.ASCII) else ""


def reason_of(body: str) -> str:
    """The first paragraph of a message's body that is no list of trailers, cut to a few sentences."""
    for paragraph in re.split(r"\n\s*\n", body):
        lines = [line.strip() for line in paragraph.splitlines() if not _TRAILER.match(line.strip())]
        if text := " ".join(line for line in lines if line):
            return text if len(text) <= MOST_BODY else f"{text[:MOST_BODY].rsplit(' ', 1)[0]} …"
    return ""


def _places(hits: Sequence[Hit]) -> str:
    names = [name_of(hit) for hit in hits[:MOST_SPOTS]]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _commits(count: int) -> str:
    return f"{count:,} commit{'s' * (count != 1)}"


def _who(touch: Touch) -> str:
    return touch.author or "somebody"


def _title(touch: Touch) -> str:
    return f'"{touch.title.rstrip(".")}"'
