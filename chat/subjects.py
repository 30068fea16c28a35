"""What a question is about: the symbols, files and folders that it names, or that its words are found in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chat import order, places
from chat.citations import Citations, lines_of
from chat.history import FOLDER
from chat.questions import Asked, is_about_the_last, read
from core.code.languages import file_kind
from core.code.test_files import is_test_file
from core.git import trees
from core.ranking.terms import words
from index import synonyms
from index.code_index import CodeIndex
from index.hits import FILE, Hit

SEARCHED = 50
MOST_NAMED = 2
"""Symbols of a name in a question that are shown before those that are found by its words."""
OF_PLACES = ("where", "how")
"""Kinds of questions that places answer."""
_TELLS_MORE = {"function", "class", "method", "struct", "trait", "interface", "enum", "impl", "type", "module", "macro"}


@dataclass(frozen=True)
class Subjects:
    """The places of the commit that an index describes. For one thread at a time."""

    git_dir: Path
    index: CodeIndex
    citations: Citations

    def pointed_at(self, said: Sequence[str]) -> Hit | None:
        """The place that the last of some questions points back to, if it does: what one before it was about."""
        *earlier, question = map(read, said)
        if not is_about_the_last(question):
            return None
        before = next((one for one in reversed(earlier) if not is_about_the_last(one)), None)
        hits = self.of(before, self.index.commit or "")[0] if before and before.has_subject else []
        return hits[0] if hits else None

    def place(self, path: str, first: int, symbol: str, kind: str) -> Hit | None:
        """Where a place of an older answer is today: the symbol of that name, or the file; None where it is gone."""
        if symbol:
            there = [hit for hit in self.index.symbols_named(symbol) if hit.path == path]
            return min(there, key=lambda hit: abs(hit.first - first), default=None)
        if kind == FOLDER:
            return Hit(path, 1, 1, "", "", FOLDER)
        lines = self.citations.lines(path, self.index.commit or "")
        return Hit(path, 1, len(lines), "", "", FILE) if lines else None

    def named(self, path: str, name: str) -> Hit | None:
        """The file, folder or symbol that is called exactly so, also as `path:name`; None where nothing is."""
        file, _, symbol = path.partition(":")
        if symbol and (hit := self.place(file, 0, symbol, "")):
            return hit
        files, _ = self._files(Asked("", "who", paths=(path,))) if path else ([], [])
        return next(iter([*files, *self._called(name)]), None)

    def of(self, asked: Asked, commit: str) -> tuple[list[Hit], list[str]]:
        """The places that a question is about, in the order in which they are shown."""
        hits, notes = self._subject(asked)
        if asked.kind in OF_PLACES or not (asked.names or asked.paths or (hits[:1] and hits[0].score == 0)):
            hits = self._in_order(asked, hits, commit)  # those that a name or path gave have an order already
        unnamed = {hit.path for hit in hits if hit.kind != FOLDER and self.citations.is_unnamed(hit.path, commit)}
        first = next((hit.path for hit in hits[: order.MOST] if hit.path in unnamed), "")
        notes += [f"The name of {first} is not UTF-8: it is left out."] if first else []
        return [hit for hit in hits if hit.path not in unnamed], notes

    def is_about(self, asked: Asked, hit: Hit, commit: str) -> bool:
        """Whether a place is what a question names, or holds enough of its words."""
        if hit.kind == FOLDER or hit.path in asked.paths or any(has_name(hit, name) for name in asked.names):
            return True
        if hit.kind == FILE and asked.kind not in OF_PLACES and Path(hit.path).stem in asked.topic.split():
            return True
        return places.is_about(asked, self.citations, commit, hit)

    def _in_order(self, asked: Asked, hits: Sequence[Hit], commit: str) -> list[Hit]:
        held = [places.held(asked, self.citations, commit, hit) for hit in hits]
        named = [hit for hit in hits if hit.path in asked.paths or any(has_name(hit, name) for name in asked.names)]
        return order.in_order(asked.text, hits, held, named)

    def _subject(self, asked: Asked) -> tuple[list[Hit], list[str]]:
        """The places that a question is about, the best first, and what is to be said of the choice."""
        files, notes = self._files(asked)
        if asked.kind in OF_PLACES and asked.words:
            named = [hit for name in asked.names for hit in self._called(name)[:MOST_NAMED]]
            question = f"{asked.text}\n{' '.join(synonyms.added(words(asked.text)))}"  # said below, they count less
            found = [*named, *files, *self.index.search(question, SEARCHED)]
            return list({(hit.path, hit.first, hit.last): hit for hit in found}.values()), notes
        found = list(files)
        if asked.kind in ("who", "since") and not asked.names and not found and (part := self._part(asked)):
            return [part], notes
        for name in asked.names or _single(asked):
            called = self._called(name)
            if not asked.names and called and is_test_file(called[0].path):
                continue  # a plain word, which a test happens to be called by
            if len(called) > 1 and not found and asked.kind in ("introduced", "why"):
                notes.append(_chosen(name, called))
            found += called
        if not found and asked.kind in ("introduced", "why") and _single(asked) and (part := self._part(asked)):
            return [part], notes
        return found or self.index.search(asked.topic or asked.text, SEARCHED), notes

    def _part(self, asked: Asked) -> Hit | None:
        """The folder or file nearest to the root that a question names by its path, or by its own name alone."""
        named = {word.strip("/.") for word in asked.topic.split()}
        parts: dict[str, str] = {}
        for path in trees.files_of(self.git_dir, self.index.commit or ""):
            parts |= {str(folder): FOLDER for folder in Path(path).parents if str(folder) != "."}
            if file_kind(path) == "code" and not is_test_file(path):
                parts[path] = FILE
        found = [part for part in parts if part in named or Path(part).stem in named]
        best = min(
            found, key=lambda part: (part not in named, part.count("/"), parts[part] != FOLDER, part), default=""
        )
        return Hit(best, 1, 1, "", "", parts[best]) if best else None

    def _files(self, asked: Asked) -> tuple[list[Hit], list[str]]:
        """The files that a question names, and sentences about those that are not there."""
        found, notes = [], []
        tree = trees.files_of(self.git_dir, self.index.commit or "") if asked.paths else {}
        for path in asked.paths:
            source = self.citations.source(path, self.index.commit or "")
            if source is not None:
                found.append(Hit(path, 1, max(len(lines_of(source)), 1), "", "", FILE))
            elif any(one.startswith(f"{path.rstrip('/')}/") for one in tree):
                found += [] if asked.kind in OF_PLACES else [Hit(path.rstrip("/"), 1, 1, "", "", FOLDER)]
            elif "/" in path:
                notes.append(f"There is no file {path} at this commit.")
        return found, notes

    def _called(self, name: str) -> list[Hit]:
        return sorted(self.index.symbols_named(name), key=_order)


def has_name(hit: Hit, name: str) -> bool:
    return name in (hit.symbol, *re.split(r"\.|::", hit.symbol)) or hit.symbol.endswith(f".{name}")


def _single(asked: Asked) -> list[str]:
    """The one word of a topic, which may be a symbol's name."""
    return [asked.topic] if re.fullmatch(r"\w+", asked.topic) else []


def _order(hit: Hit) -> tuple[bool, bool, bool, int, int, str]:
    """What is likeliest meant by a name: code before tests and documents, outer before inner, long before short.

    A declaration is shorter than its definition.
    """
    depth, lines = len(re.split(r"\.|::", hit.symbol)), hit.last - hit.first
    is_code = file_kind(hit.path) == "code"
    return is_test_file(hit.path), not is_code, hit.kind not in _TELLS_MORE, depth, -lines, hit.path


def _chosen(name: str, found: Sequence[Hit]) -> str:
    first, *rest = found
    others = ", ".join(f"`{hit.symbol}` in {hit.path}" for hit in rest[:3])
    more = f" and {len(rest) - 3} more" if len(rest) > 3 else ""
    return f"{len(found)} symbols are called `{name}`; this is `{first.symbol}` in {first.path}, beside {others}{more}."
