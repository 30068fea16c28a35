"""Tools for coding agents on what a study of the repository has found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from chat.statements import Statement
from services.mcp_turns import in_turn
from services.queue import Queues, RequestQueue
from services.studies import ServedStudy, Studies
from services.study_records import moment
from thoughts.cards.card import TITLES
from thoughts.insights import Shown, Wanted
from thoughts.risk.known import KnownRisk, known_risks

MOST_FOUND = 20
MOST_OTHERS = 5
"""Places of the same name that a card names."""
Text = Annotated[str, Field(max_length=300)]


@dataclass(frozen=True)
class FoundInsight:
    """Something that a study found. Each statement ends with its citations, such as `src/a.py:3-9@abc123456`."""

    id: int
    kind: str
    at: str
    title: str
    statements: list[str]
    command: str
    """What makes its evidence again."""


@dataclass(frozen=True)
class InsightsFound:
    """The newest insights that git still confirms."""

    insights: list[FoundInsight]
    reason: str
    """Why there are none."""


@dataclass(frozen=True)
class FileRisk:
    """A file. `above` is the share of files that are less likely to be repaired next."""

    path: str
    above: float
    lines: int
    repairs: list[str]
    """The newest commits that repaired it."""
    coverage: str = ""
    """How much of it ran in tests, where a report is known that has it."""


@dataclass(frozen=True)
class RiskFound:
    """The riskiest files first, as of the commit `at`, out of `total`."""

    at: str
    total: int
    files: list[FileRisk]
    reason: str
    """Why there are none."""


@dataclass(frozen=True)
class CardGroup:
    """Statements with their citations."""

    title: str
    statements: list[str]


@dataclass(frozen=True)
class FunctionCard:
    """What is to be known of a function, type or file before it is changed, at the commit `at`."""

    path: str
    name: str
    kind: str
    first: int
    last: int
    at: str
    groups: list[CardGroup]
    notes: list[str]


@dataclass(frozen=True)
class StudyTools:
    """The tools, about one repository."""

    served: ServedStudy
    studies: RequestQueue
    questions: RequestQueue
    """A card takes as long as an answer."""

    async def insights(
        self, about: Text = "", kind: Text = "", top: Annotated[int, Field(ge=1, le=MOST_FOUND)] = 5
    ) -> InsightsFound:
        """What a study of this repository found, the newest first, each with citations that git confirms.

        `about` is a text that the insight has, such as a path; `kind` is digest, risk, scan_diff, smell_hunt, ….
        """

        def read() -> InsightsFound:
            study = self.served.study
            wanted = Wanted(kind=kind, text=about)
            found, _ = study.insights.page(study.key, study.state.git_dir, wanted, top)
            reason = "" if found else f"nothing of this kind was found; {self._standing()}"
            return InsightsFound([_insight(one) for one in found], reason)

        return await in_turn(self.studies, read)

    async def risk(self, path: Text = "", top: Annotated[int, Field(ge=1, le=50)] = 5) -> RiskFound:
        """Which source files are likeliest to be repaired next; with `path`, that file or those below that folder."""

        def read() -> RiskFound:
            study = self.served.study
            known = known_risks(study.database, study.key)
            folder = f"{path.rstrip('/')}/"
            files = [one for one in known.files if not path or one.path == path or one.path.startswith(folder)]
            shown = [_file_risk(one) for one in files[:top]]
            about = f"the study knows no source file {path}" if known.files else "no study has ranked the files"
            return RiskFound(known.commit, len(known.files), shown, "" if files else f"{about}; {self._standing()}")

        return await in_turn(self.studies, read)

    async def function_card(self, of: Annotated[str, Field(min_length=1, max_length=1000)]) -> FunctionCard:
        """What to know before changing a symbol (`Client.send`, `src/a.py:send`) or a file: what it does, since when,
        why it changed, who knows it, what uses and tests it, and what changes with it. Git confirms each line.
        """
        return await in_turn(self.questions, lambda: self._card(of.strip()), self.served.chat.ready)

    def _card(self, of: str) -> FunctionCard:
        hits = self.served.chat.asking.chat.index.symbols_named(of)
        path, _, name = of.partition(":") if ":" in of else (of, "", "")
        card = self.served.card(*((hits[0].path, hits[0].symbol) if hits else (path, name)))
        groups = [
            CardGroup(f"{TITLES[one.name]} ({one.lead})" if one.lead else TITLES[one.name], _said(one.statements))
            for one in card.groups
        ]
        others = [f"{hit.path}:{hit.symbol} has this name, too" for hit in hits[1 : 1 + MOST_OTHERS]]
        return FunctionCard(
            card.path, card.name, card.kind, card.first, card.last, card.at, groups, [*card.notes, *others]
        )

    def _standing(self) -> str:
        return "the study is on" if self.served.preferences.is_followed else "its study is not switched on here"


def tools_of(studies: Studies, queues: Queues) -> StudyTools:
    """The tools about the first repository."""
    return StudyTools(studies.named(""), queues.studies, queues.questions)


def _insight(one: Shown) -> FoundInsight:
    return FoundInsight(one.id, one.kind, moment(one.at) or "", one.title, _said(one.statements), one.command)


def _file_risk(one: KnownRisk) -> FileRisk:
    return FileRisk(one.path, one.above, one.lines, list(one.repairs), f"{one.ran}" if one.ran else "")


def _said(statements: Sequence[Statement]) -> list[str]:
    return [f"{one.text} ({', '.join(map(str, one.citations))})" for one in statements]
