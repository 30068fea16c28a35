"""How many lines of a commit's files ran, by one or several reports."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from chat.citations import SHORT
from core.errors import UserError
from core.git import trees
from thoughts.risk.coverage import formats
from thoughts.risk.coverage.formats import CAN_RUN, RAN, Report
from thoughts.risk.coverage.places import placed
from thoughts.risk.files import FileFacts

MARK = b'{"kept":"coverage"'
"""What a file begins with that a study kept."""


class Ran(msgspec.Struct, frozen=True):
    """Of a file's lines, those that can run, and those that did."""

    ran: int
    lines: int
    last: int = 0
    """The number of the last one that can run."""

    @property
    def share(self) -> str:
        """In percent, 100 % only where all ran, 0 % only where none did; a dash where no line can run."""
        if not self.lines:
            return "-"
        percent = round(100 * self.ran / self.lines)
        return f"{min(max(percent, int(self.ran > 0)), 100 - (self.ran < self.lines))}%"

    def __str__(self) -> str:
        """As it is said of a file."""
        if not self.lines:
            return "no line of it can run"
        return f"tests ran {self.share} of its {self.lines:,} lines that can run"

    def as_dict(self) -> dict[str, Any]:
        """As it is kept and sent."""
        return {"ran": self.ran, "lines": self.lines}


class Coverage(msgspec.Struct, frozen=True, tag="coverage", tag_field="kept"):
    """What reports say of the files of a commit."""

    commit: str
    files: dict[str, Ran]
    """By their paths, whatever files they are."""
    reports: int = 0
    unknown: int = 0
    """Files of reports that the commit does not have."""
    unclear: int = 0
    """Files of reports that could be several of the commit's."""
    odd: int = 0
    """Lines of reports that say something else than they should."""

    def in_words(self, known: Sequence[Ran], changed: int) -> str:
        """What is known of the source files, and what is not used: above all, of `changed` ones with other contents."""
        of_all = Ran(sum(one.ran for one in known), sum(one.lines for one in known))
        said = [f"coverage is known of {len(known):,} source file{'s' * (len(known) != 1)}"]
        if of_all.lines:
            said[0] += f": tests ran {of_all.share} of {of_all.lines:,} lines that can run"
        counts = {
            "that this commit does not have": self.unknown,
            "that could be several": self.unclear,
            "with more lines than they have here": changed,
        }
        if left_out := ", ".join(f"{count:,} {why}" for why, count in counts.items() if count):
            said.append(f"left out of the reported files: {left_out}")
        if self.odd:
            said.append(f"lines of reports that make no sense: {self.odd:,}")
        return "; ".join(said)

    def as_kept(self) -> bytes:
        """What `--coverage` reads again, without what the reports say of the machine that made them."""
        return msgspec.json.encode(self) + b"\n"


def coverage_of(git_dir: Path, commit: str, paths: Sequence[Path]) -> Coverage | None:
    """What reports at some paths say of a commit; None without any. Raises UserError where one cannot be read."""
    if not paths:
        return None
    if len(paths) == 1 and formats.begins_with(paths[0], MARK):
        return _kept(paths[0], commit)
    return merged(commit, map(formats.read, paths), trees.files_of(git_dir, commit))


def merged(commit: str, reports: Iterable[Report], files: Collection[str]) -> Coverage:
    """What reports say together of the files of a commit: a line ran if one of them says so."""
    lines: dict[str, bytes] = {}
    count = unknown = unclear = odd = 0
    for report in reports:
        count += 1
        chosen, several = placed(report.files, files)
        for names, path in chosen.items():
            lines[path] = _either(lines.get(path, b""), bytes(report.files[names]))
        unknown += len(report.files) - len(chosen) - several
        unclear, odd = unclear + several, odd + report.odd
    found = {path: _ran(each) for path, each in sorted(lines.items())}
    return Coverage(commit, found, count, unknown, unclear, odd)


def current(coverage: Coverage, facts: FileFacts) -> Ran | None:
    """What ran of a file; None where a report knows more lines than it has, and was made of another content."""
    found = coverage.files.get(facts.path)
    return found if found and found.last <= facts.lines else None


def _either(one: bytes, other: bytes) -> bytes:
    """The larger of each line's two values."""
    if not one:
        return other
    size = max(len(one), len(other))
    return bytes(map(max, one.ljust(size, b"\0"), other.ljust(size, b"\0")))


def _ran(lines: bytes) -> Ran:
    ran = lines.count(RAN)
    return Ran(ran, ran + lines.count(CAN_RUN), max(len(lines) - 1, 0))


def _kept(path: Path, commit: str) -> Coverage:
    try:
        found = msgspec.json.decode(formats.content(path), type=Coverage)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UserError(f"{path} is not what a study kept: {error}", "name the reports") from None
    if found.commit != commit:
        raise UserError(f"{path} is of {found.commit[:SHORT]}, not of {commit[:SHORT]}", "name it with --at")
    return found
