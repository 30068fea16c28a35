"""patterns.jsonl, templates.jsonl, survival.json: what a repository's past changes teach, with the evidence for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec

from core.records import SCHEMA_VERSION
from core.records.lines import check_version, decode

PROBLEM_TYPES = ("bug_fix", "feature_addition")
"""What `problem_type` may be."""


class Evidence(msgspec.Struct, kw_only=True, frozen=True):
    """Where both sides of a change stand: they are found in these blobs, before anything was masked."""

    commit: str
    path: str
    old_path: str
    """Path of the old side; the same where the file was not renamed."""
    old_lines: tuple[int, int] | None = None
    """First and last line of the before side, from 1, both included; None where there is none."""
    new_lines: tuple[int, int] | None = None
    old_blob: str = ""
    """Object id; empty where the file was new."""
    new_blob: str = ""


class Survival(msgspec.Struct, kw_only=True, frozen=True):
    """What became of the added lines on the main line, as of `until`."""

    born: str
    """The commit of the main line that brought them in (the merge, for those of a merged branch)."""
    until: str
    """The newest commit that was looked at."""
    days: float
    """From `born` to `until`, or to `ended_by`, by commit dates."""
    lines: int
    """Lines that were added, without those that have no letter and no digit."""
    alive: int
    """Of these, those that stand there still, moved or formatted differently included."""
    ended_by: str = ""
    """The commit after which less than half of them were left; empty while they stand."""
    taken_back: bool = False
    """`ended_by` reverts the change, or restores its before side."""


class Pattern(msgspec.Struct, kw_only=True):
    """One line of patterns.jsonl: what a commit did to one symbol to repair something or to add it."""

    pattern_id: str
    """16 hexadecimal digits of sha256 over repository key, commit, path, qualified name and part: stable over runs."""
    problem_type: str
    """One of `PROBLEM_TYPES`."""
    before_code: str
    """Empty where the symbol is new. Credentials are masked, as in all text here."""
    after_code: str
    commit_msg: str
    """The whole message."""
    author: str
    date: str
    """When it was written, ISO 8601 in UTC."""
    confidence: float
    """Calibrated probability, 0 to 1, that most of the added lines stand there a year after `survival.until`; 0 where
    they are gone, or never reached the main line. It says nothing about how good the change is."""
    schema_version: str = SCHEMA_VERSION
    repository: str
    """The first root commit's id, as the stores name repositories."""
    commit: str
    chunk_id: str
    file_path: str
    language: str
    symbol: str
    """Qualified name; empty outside symbols."""
    signature: str
    change_kind: str
    """What the changed lines do (`miners/signals/diff_tags.kind_of`)."""
    solution_hash: str
    """sha256 over language and tokens of both sides, after masking: the same change elsewhere has the same."""
    shape_hash: str
    """The same with names and literals abstracted. Groups only: a change and its reverse may share it."""
    template_id: str = ""
    """The template (`Template.template_id`) that one of its lines is a step of: of several the most certain one;
    empty where it follows none."""
    with_test: bool
    """The commit changes tests, too."""
    test_files: list[str] = []
    closes: list[str] = []
    """Issues that the message says it closes, as written there."""
    survival: Survival | None = None
    """None where the commit is not on the main line yet, or a file is missing that it depends on."""
    masked: dict[str, int] = {}
    """How many credentials of which kind were masked."""
    evidence: list[Evidence]
    """The change itself first, then each other commit that made the same one."""


class Template(msgspec.Struct, kw_only=True):
    """One line of templates.jsonl: an edit that several steps of the main line made in the same way."""

    template_id: str
    schema_version: str = SCHEMA_VERSION
    repository: str
    language: str
    before: str
    """A line's tokens, separated by blanks; `v0`, `v1`, … stand for any name, `s0`, … for any literal."""
    after: str
    """The same, but with blanks where its latest step has them; has no placeholder that `before` has not."""
    steps: int
    """Steps of the main line that made this edit."""
    authors: int
    share: float
    """Of the edits of lines like `before`, how many ended like `after`."""
    fired: int
    """How often it would have been offered so far, each time from what came earlier alone."""
    right: int
    """How often the line then became exactly what was offered."""
    confidence: float
    """Lower bound of the share of right ones."""
    first_seen: str
    last_seen: str
    """Commits of its first and its latest step."""
    last_seen_at: str
    """ISO 8601 in UTC."""
    retired: str = ""
    """Why it is not offered any longer: "expired" or "reversed"."""
    paths: list[str] = []
    """Files of its latest steps, at most eight."""


class SurvivalByAge(msgspec.Struct, kw_only=True, frozen=True):
    """How many of the lines that have lived so long live another year."""

    from_days: float
    lines: int
    alive: int


class SurvivalSummary(msgspec.Struct, kw_only=True):
    """survival.json: the walk over the main line, in figures."""

    schema_version: str = SCHEMA_VERSION
    repository: str
    until: str
    steps: int
    """Commits of the main line that were walked."""
    files: int
    """Files of `until` whose lines are followed."""
    left_out: dict[str, int] = {}
    """Files that are not followed, by reason."""
    by_age: list[SurvivalByAge] = []
    with_test: list[SurvivalByAge] = []
    """Of changes that came with a test; the others are `without_test`."""
    without_test: list[SurvivalByAge] = []


RecordT = TypeVar("RecordT")


def read_patterns(path: Path) -> Iterator[Pattern]:
    """The patterns of a file, one at a time. Raises UserError on a broken line or another version."""
    yield from _records(path, _PATTERN)


def read_templates(path: Path) -> Iterator[Template]:
    """The templates of a file, one at a time. Raises UserError on a broken line or another version."""
    yield from _records(path, _TEMPLATE)


def _records(path: Path, decoder: msgspec.json.Decoder[RecordT]) -> Iterator[RecordT]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if number == 1:
                check_version(path, line, "pattern_miner")
            yield decode(decoder, line, path, number)


_PATTERN = msgspec.json.Decoder(Pattern)
_TEMPLATE = msgspec.json.Decoder(Template)
