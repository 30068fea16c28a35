"""Change types: a closed list, and the table that decides between them from evidence.

The first row that fits decides; `decide` is this table in code, in the same order.

| evidence                                                        | change type              |
|-----------------------------------------------------------------|--------------------------|
| the part of a manifest that names dependencies                  | dependency               |
| a file of documentation                                         | documentation            |
| a file of settings                                              | configuration            |
| data, and code whose language has no symbols                    | other                    |
| a symbol that is a test, only after / only before               | new_test, deleted_test   |
| any other symbol, only after / only before                      | new_<kind>, deleted_<kind> |
| code outside symbols of a file that is new / gone               | new_module, deleted_module |
| nothing but white space differs, and it did not move            | formatting               |
| the symbol has another name                                     | rename                   |
| nothing but comments and white space differs, and it did not move | documentation          |
| the symbol is elsewhere, its code is the same                   | move                     |
| the symbol is a test                                            | modified_test            |
| a function's signature differs                                  | signature_change         |
| the message speaks of a fix / of speed / of restructuring       | bug_fix, optimization, refactor |
| none of these                                                   | modified_<kind>          |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.code.languages import SYMBOL_KINDS

Step = Literal["new", "modified", "deleted"]
Role = Literal["code", "dependency", "documentation", "configuration", "other"]
Intent = Literal["", "fix", "performance", "restructuring"]
STEPS: tuple[Step, ...] = ("new", "modified", "deleted")
CHANGE_TYPES = (
    *(f"{step}_{kind}" for kind in (*SYMBOL_KINDS, "test") for step in STEPS),
    *("bug_fix", "optimization", "refactor", "rename", "move", "signature_change", "formatting"),
    *("dependency", "configuration", "documentation", "other"),
)
_INTENTS = {"fix": "bug_fix", "performance": "optimization", "restructuring": "refactor"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeEvidence:
    """What is known of a change."""

    role: Role
    """What the changed part of the file is for."""
    kind: str
    """A `SYMBOL_KINDS` entry, "module" for code outside symbols, "file" where none are known."""
    step: Step
    is_test: bool = False
    renamed: bool = False
    moved: bool = False
    code: bool = True
    """Something else than comments and white space differs."""
    comments: bool = False
    """Comments or docstrings differ."""
    signature: bool = False
    intent: Intent = ""
    """What the commit's message speaks of: the weakest evidence."""
    how: str = ""
    """How the two sides were matched: "key", "body" or "similarity"."""

    def names(self) -> list[str]:
        """For the record, in the order of the table."""
        flags = {
            "test": self.is_test,
            "renamed": self.renamed,
            "moved": self.moved,
            "code": self.code,
            "comments": self.comments,
            "whitespace": not self.code and not self.comments,
            "signature": self.signature,
        }
        words = [f"file:{self.role}", f"{self.step}:{self.kind}", *(f"match:{self.how}" for _ in self.how[:1])]
        words += [name for name, holds in flags.items() if holds]
        return [*words, *(f"message:{self.intent}" for _ in self.intent[:1])]


def decide(evidence: ChangeEvidence) -> str:
    """The change type that the table gives."""
    if evidence.role != "code":
        return evidence.role
    if evidence.kind == "file":
        return "other"
    kind = "test" if evidence.is_test else evidence.kind
    if evidence.step != "modified":
        return f"{evidence.step}_{kind}"
    if not (evidence.code or evidence.comments or evidence.moved or evidence.renamed):
        return "formatting"
    if evidence.renamed:
        return "rename"
    if not evidence.code:
        return "move" if evidence.moved else "documentation"
    if evidence.is_test:
        return "modified_test"
    if evidence.signature and evidence.kind == "function":
        return "signature_change"
    return _INTENTS.get(evidence.intent, f"modified_{kind}")
