"""Questions to a repository's code whose answers nobody has to judge: commits and docstrings."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from core.chunking import parsing
from core.code.content import language_in
from core.code.languages import LANGUAGES, file_kind
from core.code.test_files import is_test_file
from core.git import commands, trees
from core.ranking import paths as of_path
from core.ranking.terms import IDENTIFIER, parts, words
from index import texts
from index.corpus import Corpus

_RECORD, _FIELD = "\x1e", "\x1f"
MOST_CHANGED, MOST_FILES, LEAST_CODE, LEAST_WORDS = 10, 30, 15, 4
_ROUTINE = re.compile(
    r"\b(?:merge|revert|bump|release|version|changelog|typo|pre-commit|dependabot|update requirements|lint|format)\b",
    re.IGNORECASE,
)
_TRAILER = re.compile(r"^[A-Z][\w-]+(?:-by|-on)?: .*$", re.MULTILINE)
_NOISE = re.compile(r"https?://\S+|\(?#\d+\)?|\b[A-Z]{2,}-\d+\b|\b[0-9a-f]{7,40}\b")
_CODE_LIKE = re.compile(r"`[^`\n]+`|\S*(?:[a-z][A-Z]|_|::|->|\(\)|\w\.\w|/)\S*")
_HUNK = re.compile(rb"^@@ -(\d+)(?:,(\d+))? ", re.MULTILINE)


@dataclass(frozen=True)
class Task:
    """A commit as a question to its parent: its message, and the code files that it modified."""

    hash: str
    parent: str
    message: str
    files: frozenset[str]

    @property
    def masked(self) -> str:
        """The message without what is spelled as code, and without every word of a right file's name."""
        named = {part for path in self.files for part in of_path.stem_words(path)}
        kept = [
            word
            for word in _CODE_LIKE.sub(" ", self.message).split()
            if not named & {part for name in IDENTIFIER.findall(word) for part in parts(name)}
        ]
        return " ".join(kept)


@dataclass(frozen=True)
class Sentence:
    """The first sentence of a docstring as a question, and the symbol that it was taken from."""

    text: str
    path: str
    symbol: str
    first: int


def is_code(path: str) -> bool:
    """True for a file that may be a right answer: code that is no test, and that an index keeps."""
    return file_kind(path) == "code" and not is_test_file(path) and texts.left_out(path) is None


def tasks(git_dir: Path, tip: str, most: int) -> list[Task]:
    """The newest commits that `tip` knows and that are fit to be asked, the newest first; all by rule.

    No merges and no routine; at least four words that say something; one to ten code files modified, and at most thirty
    files in all; at least fifteen code files at the parent.
    """
    found: list[Task] = []
    line = (
        "log",
        "--topo-order",
        "--no-merges",
        "-M100%",
        "--name-status",
        f"--format={_RECORD}%H{_FIELD}%P{_FIELD}%B{_FIELD}",
    )
    with commands.stream(git_dir, *line, tip, accept=(0, -9, -13)) as listing:
        for record in _records(listing):
            if task := _task(git_dir, *record):
                found.append(task)
            if len(found) == most:
                break
    return found


def _records(listing: IO[bytes]) -> Iterator[tuple[str, str, str, str]]:
    """(hash, parents, message, changes) of each commit, read no further than they are asked for."""
    pending = ""
    for line in listing:
        text = line.decode("utf-8", "replace")
        if text.startswith(_RECORD) and pending:
            yield _fields(pending)
            pending = ""
        pending += text.removeprefix(_RECORD)
    if pending:
        yield _fields(pending)


def _fields(record: str) -> tuple[str, str, str, str]:
    hash_, parents, message, changes = record.split(_FIELD, 3)
    return hash_, parents, message, changes


def _task(git_dir: Path, hash_: str, parents: str, raw: str, listing: str) -> Task | None:
    subject = raw.strip().partition("\n")[0]
    message = _NOISE.sub(" ", _TRAILER.sub("", raw)).strip()
    changes = [line.split("\t") for line in listing.splitlines() if "\t" in line]
    code = frozenset(path for status, path, *_ in changes if status == "M" and is_code(path))
    if not 0 < len(code) <= MOST_CHANGED or len(changes) > MOST_FILES or " " in parents or not parents:
        return None
    if _ROUTINE.search(subject) or len(set(words(message))) < LEAST_WORDS:
        return None
    if sum(map(is_code, trees.files_of(git_dir, parents))) < LEAST_CODE:
        return None
    return Task(hash_, parents, message, code)


def old_rows(git_dir: Path, task: Task, path: str) -> list[tuple[int, int]]:
    """First and last lines, from 1, that a commit replaces in a file; an insertion is at the line before it."""
    patch = commands.run(git_dir, "diff-tree", "-p", "-U0", "--no-renames", task.parent, task.hash, "--", path)
    found = []
    for match in _HUNK.finditer(patch):
        first, count = int(match[1]), int(match[2] or 1)
        found.append((first, first + max(count, 1) - 1))
    return found


def sentences(corpus: Corpus, most: int, seed: int = 20) -> list[Sentence]:
    """First sentences of docstrings of code that is no test, drawn by a seed; each is asked once and stands once."""
    once: dict[str, list[Sentence]] = {}
    for file in corpus.files:
        for symbol in file.text.symbols if is_code(file.path) else ():
            if len(set(words(symbol.doc))) >= LEAST_WORDS and not symbol.is_test:
                once.setdefault(symbol.doc, []).append(Sentence(symbol.doc, file.path, symbol.name, symbol.first))
    alone = [some[0] for some in once.values() if len(some) == 1]
    random.Random(seed).shuffle(alone)  # noqa: S311 - the same draw every time
    return alone[:most]


def without_docs(source: bytes, path: str) -> bytes:
    """A text with blanks in the place of the docstrings and doc comments of its symbols, line by line what it was."""
    language = language_in(path, source)
    outline = parsing.outline(source, language, "") if LANGUAGES[language].has_symbols else None
    if outline is None:
        return source
    blank = bytearray(source)
    for owner in outline.owners():
        first, last = outline.rows(owner)
        start, end = outline.starts[first], outline.starts[last + 1]
        for line in _lines_of(outline.symbol(owner).doc):
            at = source.find(line, start, end)
            while at >= 0:
                blank[at : at + len(line)] = b" " * len(line)
                at = source.find(line, at + len(line), end)
    return bytes(blank)


def _lines_of(doc: str) -> Iterator[bytes]:
    for line in doc.splitlines():
        if len(line.strip()) > 2:
            yield line.strip().encode()


def right_documents(rows: Sequence[tuple[int, int]], symbols: Sequence[texts.Symbol]) -> set[int]:
    """The innermost symbols around some lines, by their places; what is outside of all is left out."""
    found = set()
    for first, last in rows:
        for line in range(first, last + 1):
            inside = [place for place, one in enumerate(symbols) if one.first <= line <= one.last]
            if inside:
                found.add(max(inside, key=lambda place: symbols[place].first))
    return found
