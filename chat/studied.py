"""Questions that a study of the repository answers: what is risky, what is to be known of code, which tests reach it.

Where nothing was studied, or a question is about nothing that can be named, they are answered as any other question.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, Protocol

from chat.questions import Asked
from chat.statements import Found

Topic = Literal["risk", "about", "tests"]
_SIGNS: tuple[tuple[Topic, str], ...] = (
    ("tests", r"(?:which|what) tests? (?:cover|test|reach|exercise|call|use|check)s? (.+?)"),
    ("tests", r"(?:which|what) (?:are )?(?:the )?tests (?:of|for) (.+?)"),
    ("tests", r"(?:where|how) is (.+?) tested"),
    ("about", r"what (?:should|must|do) (?:i|we) (?:need to )?know (?:about|of|before (?:i |we )?\w+) (.+?)"),
    ("about", r"(?:tell me|what is known) (?:more )?(?:about|of) (.+?)"),
    ("about", r"(?:summari[sz]e|describe) (.+?)"),
    ("risk", r"what is (?:most )?risky(?: (?:here|in (?:this|the) (?:repository|repo|project|code)))?"),
    ("risk", r"which (?:files|code|places|parts?) (?:is|are) (?:the )?(?:most )?(?:risky|riskiest)(?: here)?"),
    ("risk", r"(?:what|which (?:files|code|places|parts?)) (?:is|are) (?:the )?(?:most )?(?:risky|riskiest) in (.+?)"),
    ("risk", r"how risky (?:is|are) (.+?)"),
)
_PATTERNS = tuple((topic, re.compile(rf"{sign}[\s?.!]*", re.IGNORECASE)) for topic, sign in _SIGNS)
_BEFORE = re.compile(
    r"^(?:(?:the|a|an|this|file|function|class|method|module|changing|touching|editing)\s+)+", re.IGNORECASE
)


class Study(Protocol):
    """What a study keeps of the repository; each method says None where nothing that holds is known."""

    def is_there(self) -> bool:
        """Whether there is one."""
        ...

    def risky(self, commit: str, path: str) -> Found | None:
        """The files that are likeliest to be repaired next; only those of a folder, or one file, if it is named."""
        ...

    def about(self, commit: str, path: str, symbol: str) -> Found | None:
        """What is to be known of a symbol or, without one, of a file."""
        ...

    def tests(self, commit: str, path: str, symbol: str) -> Found | None:
        """The tests that reach it."""
        ...


@dataclass(frozen=True)
class Wanted:
    """A question for the study; `subject` is what it is about as it is written, "" for the whole repository."""

    topic: Topic
    subject: str

    @property
    def path(self) -> str:
        """The subject as a path."""
        return self.subject.strip("`'\"").rstrip("/")

    @property
    def name(self) -> str:
        """The subject as a symbol's name."""
        return re.sub(r"::|->|#", ".", self.path.removesuffix("()"))


def wanted(asked: Asked) -> Wanted | None:
    """What a question wants of a study; None where it is for others."""
    for topic, pattern in _PATTERNS:
        if found := pattern.fullmatch(asked.text):
            return Wanted(topic, _BEFORE.sub("", next(iter(found.groups()), "")))
    return None


def answered(study: Study, wants: Wanted, commit: str, path: str, symbol: str) -> Found | None:
    """What the study says of a subject."""
    if wants.topic == "risk":
        return study.risky(commit, path)
    return study.tests(commit, path, symbol) if wants.topic == "tests" else study.about(commit, path, symbol)
