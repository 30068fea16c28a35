"""Reports as tools write them: Cobertura's XML, lcov's tracefiles, and Go's profiles."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from core.errors import UserError
from core.git.commands import decode

MOST_BYTES = 100_000_000
"""Of a report."""
MOST_ROOM = 50_000_000
"""Bytes that a report may take: one for each line up to the last of each file, `ROOM` for a file, and one for each line
of a block, since blocks may be read again and again."""
ROOM = 500
MOST_SOURCES = 20
"""Folders that a report's names may be relative to; further ones are not tried."""
CAN_RUN, RAN = 1, 2
WRITTEN = "Cobertura's XML, lcov and Go's coverprofile are read"
_BLOCK = re.compile(rb"(.+):(\d{1,9})\.\d+,(\d{1,9})\.\d+ \d+ (\d+)")
_RUNNABLE = bytes([CAN_RUN, *range(1, 256)])
_LINE = re.compile(rb"DA:(\d{1,9}),([^,]*)")
_NUMBER = re.compile(r"\s*\d{1,9}\s*", re.ASCII)

Names = tuple[str, ...]
"""What a file may be called: its name in the report, behind each folder that it may be relative to."""


@dataclass
class Report:
    """What a report says."""

    files: dict[Names, bytearray] = field(default_factory=dict)
    """Of each file, a byte a line from line 0 on: 0 where it cannot run, else CAN_RUN or RAN."""
    odd: int = 0
    """Lines of the report that say something else than they should."""
    _room: int = 0

    def file(self, names: Names) -> bytearray:
        """The lines of a file."""
        found = self.files.get(names)
        if found is None:
            self._take(ROOM + sum(map(len, names)))
            found = self.files[names] = bytearray()
        return found

    def add(self, lines: bytearray, first: int, last: int, *, ran: bool) -> None:
        """Lines of a file that can run. They ran if it is ever said that they did."""
        if not 0 < first <= last:
            self.odd += 1
            return
        if last >= len(lines) or last > first:
            more = max(last + 1 - len(lines), 0)
            self._take(more + last - first)
            lines.extend(bytes(more))
        if last > first:
            block = slice(first, last + 1)
            lines[block] = bytes([RAN]) * (last + 1 - first) if ran else lines[block].translate(_RUNNABLE)
        else:  # most reports have nothing else
            lines[first] = RAN if ran else lines[first] or CAN_RUN

    def _take(self, room: int) -> None:
        self._room += room
        if self._room > MOST_ROOM:
            raise UserError("it names more lines than can be read", "name a report of fewer files")


def read(path: Path) -> Report:
    """What the report at a path says. Raises UserError, with the path, where it is none or too large."""
    try:
        return report_of(content(path))
    except UserError as error:
        raise UserError(f"{path} cannot be read as a coverage report: {error.message}", error.hint) from None


def content(path: Path) -> bytes:
    """The bytes at a path. Raises UserError where there is no file, or a larger one than is read."""
    try:
        if not path.is_file():
            raise UserError("it is not there, or no file", "write the report first")
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise UserError(getattr(error, "strerror", None) or str(error)) from None
    if len(data) > MOST_BYTES:
        raise UserError(f"it has more than {MOST_BYTES // 1_000_000} MB", "name a report of fewer files")
    return data


def begins_with(path: Path, start: bytes) -> bool:
    """Whether there is a file at a path that begins so."""
    try:
        if not path.is_file():  # a pipe would be waited for
            return False
        with path.open("rb") as file:
            return file.read(len(start)) == start
    except (OSError, ValueError):
        return False


def report_of(data: bytes) -> Report:
    """What a report says, whichever format it has. Raises UserError where it has none of them, or names no file."""
    start = data[:100].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith((b"<", b"\xff\xfe", b"\xfe\xff")):
        report = _cobertura(data)
    elif start.startswith(b"mode:"):
        report = _go(data)
    elif re.search(rb"^[ \t]*SF:", data, re.MULTILINE):
        report = _lcov(data)
    else:
        raise UserError("its format is not known", WRITTEN)
    if not report.files:
        raise UserError("it names no file", WRITTEN)
    return report


def _cobertura(data: bytes) -> Report:
    reader = _Cobertura()
    try:
        reader.parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError) as error:  # the last two of encodings that nobody knows
        raise UserError(f"it is no XML: {error}", "write it again") from None
    return reader.report


class _Cobertura:
    """Reads XML piece by piece. Entities are refused and external files not read, so that it cannot grow."""

    def __init__(self) -> None:
        self.report, self.parser = Report(), expat.ParserCreate()
        self._depth, self._sources = 0, list[str]()
        self._lines: bytearray | None = None
        self._text: list[str] | None = None
        self.parser.buffer_text = True
        self.parser.EntityDeclHandler = _refuse_entities
        self.parser.StartElementHandler, self.parser.EndElementHandler = self._begin, self._end
        self.parser.CharacterDataHandler = self._say

    def _begin(self, tag: str, values: dict[str, str]) -> None:
        self._depth += 1
        if self._depth == 1 and tag != "coverage":
            raise UserError(f"it is XML of another kind, <{tag[:40]}>", WRITTEN)
        if tag == "source":
            self._text = []
        elif tag == "class":
            name = values.get("filename", "")
            self._lines = self.report.file(self._names(name)) if name else None
        elif tag == "line" and self._lines is not None:
            number, hits = values.get("number", ""), values.get("hits", "")
            if _NUMBER.fullmatch(number) and (ran := _has_run(hits)) is not None:
                self.report.add(self._lines, int(number), int(number), ran=ran)
            else:
                self.report.odd += 1

    def _end(self, tag: str) -> None:
        self._depth -= 1
        if tag == "class":
            self._lines = None
        elif tag == "source" and self._text is not None:
            source = "".join(self._text).strip()
            if source and len(self._sources) < MOST_SOURCES:
                self._sources.append(source)
            self._text = None

    def _say(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def _names(self, name: str) -> Names:
        if not self._sources or name.startswith(("/", "\\")) or name[1:2] == ":":
            return (name,)
        return tuple(f"{source}/{name}" for source in self._sources)


def _refuse_entities(*_: object) -> NoReturn:
    raise UserError("its XML declares entities, which no report needs", "write it again")


def _lcov(data: bytes) -> Report:
    report = Report()
    lines: bytearray | None = None
    for line in io.BytesIO(data):
        text = line.strip()
        if text.startswith(b"SF:"):
            lines = report.file((decode(text[3:])[0],))
        elif text == b"end_of_record":
            lines = None
        elif text.startswith(b"DA:"):
            found = _LINE.match(text)
            ran = _has_run(found[2]) if found else None
            if found and lines is not None and ran is not None:
                number = int(found[1])
                report.add(lines, number, number, ran=ran)
            else:
                report.odd += 1
    return report


def _go(data: bytes) -> Report:
    report = Report()
    for line in io.BytesIO(data):
        if found := _BLOCK.fullmatch(line.strip()):
            name, first, last, count = found.groups()
            report.add(report.file((decode(name)[0],)), int(first), int(last), ran=count.strip(b"0") != b"")
        elif line.strip() and not line.startswith(b"mode:"):
            report.odd += 1
    return report


def _has_run(hits: str | bytes) -> bool | None:
    """Whether a count is above zero; None where it is no count. Some tools write fractions, or signs."""
    try:
        return float(hits[:40]) > 0
    except ValueError:
        return None
