"""An edit of the symbol that most likely changes, as a model writes it: a diff that applies."""

from __future__ import annotations

import difflib
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from core.chunking import parsing
from core.code.content import language_in
from core.code.languages import LANGUAGES
from core.prediction.edit_writing import EditWriter, Replacement, replaced
from core.prediction.prediction import WrittenEdit
from core.prediction.reading import Reading
from core.prediction.writing import Sampling
from core.ranking import symbols
from core.ranking.symbols import Symbol
from core.text.edits import CODE_SHARE, EDIT_SHARE, NO_PAST, Edit, shown
from core.text.grammar import BEFORE, ChangeText, change_head
from core.text.redaction import Redactor

if TYPE_CHECKING:
    from core.prediction.answer import Answer
    from core.prediction.asking import Asker
    from core.prediction.question import Question

MOST_LINES = 400
"""Lines of code that may be changed, the last ones: each can be where a hunk begins."""
MARKER_TOKENS = 16
"""Tokens of an edit that are no text, with a few to spare."""
MOST_CUTS = 32
"""Shorter forms of an edit that are tried where the whole does not parse."""
_MODIFIED = ("bug_fix", "optimization", "refactor", "signature_change")
"""Types of a change, beside modified_<kind>, that leave a symbol where it is."""
_QUOTED = frozenset('"\\\n\t\r')
"""Characters of paths that a diff would have to quote."""


@dataclass(frozen=True)
class Target:
    """A symbol that is to change, and the rows of its file."""

    symbol: Symbol
    change_type: str
    source: bytes

    @cached_property
    def rows(self) -> list[str]:
        """The lines of the file with their ends, as git has them: only a line feed ends one."""
        *whole, rest = self.source.decode().split("\n")
        return [*(f"{line}\n" for line in whole), *([rest] if rest else [])]

    @property
    def own(self) -> list[str]:
        """Those of the symbol."""
        first, last = self.symbol.lines
        return self.rows[first - 1 : last]


def write_edit(asker: Asker, question: Question, answer: Answer) -> WrittenEdit:
    """Let a model that was trained on edits change the first symbol of an answer."""
    target = target_of(asker, answer)
    if isinstance(target, str):
        return WrittenEdit(problem=target)
    known, visible, commit = prompt(asker, question, target)
    sampling = Sampling(question.temperature, question.top_p, question.seed)
    copying = asker.look().copying if question.copying else None
    mix = copying.mix(commit) if copying else None
    writer = EditWriter(Reading.of(asker.loaded.model, known), asker.loaded.vocabulary, visible, sampling, mix)
    written = list(writer.write(question.sketch_tokens))
    last, path = target.symbol.lines[1], target.symbol.path

    def after(replacements: Sequence[Replacement]) -> Target:
        rows = [*target.rows[: last - len(visible)], *replaced(visible, replacements), *target.rows[last:]]
        return replace(target, source="".join(rows).encode())

    edit = WrittenEdit(path, target.symbol.name, target.change_type)
    if (whole := after(writer.replacements)).source == target.source:
        return replace(edit, problem="the model changes nothing")
    must_parse = parses(path, target.source)
    found = (
        one for one in map(after, [writer.replacements, *shorter(writer.replacements)]) if one.source != target.source
    )
    made = next((one for one in found if not must_parse or parses(path, one.source)), None)
    if made is None:
        return replace(edit, problem="what the model wrote does not parse")
    mean, text = math.exp(writer.log_probability / len(written)), diff(path, target.rows, made.rows)
    return replace(edit, diff=text, probability=mean, tokens=len(written), cut=made.source != whole.source)


def shorter(replacements: Sequence[Replacement]) -> Iterator[list[Replacement]]:
    """The same edit with ever fewer of its last lines, at most `MOST_CUTS` times; hunks that add none go as a whole."""
    kept, cuts = list(replacements), 0
    while kept and cuts < MOST_CUTS:
        last = kept.pop()
        lines = last.added.split("\n")[:-1]
        for count in range(max(len(lines) - 1, 0), -1, -1):
            if (count or kept) and (cuts := cuts + 1) <= MOST_CUTS:
                added = "".join(f"{line}\n" for line in lines[:count])
                yield [*kept, replace(last, added=added)] if count else list(kept)


def target_of(asker: Asker, answer: Answer) -> Target | str:
    """What is to change, or why nothing can: the first of the symbols, and the likeliest type that leaves it there."""
    if not answer.facts.symbols:
        return "no symbol stands out"
    first = answer.facts.symbols[0]
    source = asker.source(first.path) or b""
    symbol = next((one for one in symbols.read(first.path, source) if one.name == first.name), None)
    if symbol is None or not _is_text(source) or set(first.path) & _QUOTED:
        return f"{first.name} in {first.path} cannot be read"
    types = [one.name for one in answer.facts.change_types if one.name in _MODIFIED]
    target = Target(symbol, next(iter(types), f"modified_{first.kind}"), source)
    if Redactor().has_secret("".join(target.own)):
        return f"{first.name} in {first.path} holds a credential"
    return target


def prompt(asker: Asker, question: Question, target: Target) -> tuple[list[int], list[str], list[int]]:
    """(what the model is shown, as in its training; the lines of the code that are in it; the commit so far)."""
    vocabulary, width = asker.loaded.vocabulary, asker.loaded.width
    most = min(question.sketch_tokens + MARKER_TOKENS, int(width * EDIT_SHARE))
    room = int((width - most) * CODE_SHARE)
    visible, symbol = target.own[-MOST_LINES:], target.symbol
    while len(code := vocabulary.encode([[BEFORE, "".join(visible)]])[0]) > room and len(visible) > 1:
        visible = visible[max((len(code) - room) * len(visible) // (2 * len(code)), 1) :]
    head, file = asker.heads(question, symbol.path)
    change = ChangeText(change_type=target.change_type, symbol_kind=symbol.kind, symbol=(symbol.name,))
    about = vocabulary.encode([change_head(change)])[0]
    recent = asker.look()
    parts = [recent.ids, head, file, about, code, [0] * most]
    ids = np.array([id_ for part in parts for id_ in part])
    edit = Edit(*itertools.pairwise(np.cumsum([len(part) for part in parts]).tolist()))
    known, _ = shown(ids, edit, width, recent.past.like(ids, edit) if recent.past else NO_PAST)
    return known.tolist(), visible, [*head, *file, *about, *code]


def diff(path: str, before: Sequence[str], after: Sequence[str]) -> str:
    """A unified diff of a file's lines, as `git apply` takes it."""
    end = "\t" if " " in path else ""  # else a name would end at its first space
    rows = difflib.unified_diff(before, after, f"a/{path}{end}", f"b/{path}{end}")
    return "".join(row if row.endswith("\n") else f"{row}\n\\ No newline at end of file\n" for row in rows)


def parses(path: str, source: bytes) -> bool:
    """Whether a file is free of errors, as far as there is a grammar for it."""
    language = language_in(path, source)
    if not LANGUAGES[language].has_symbols:
        return True
    found = parsing.outline(source, language, path)
    return found is not None and not found.has_error


def _is_text(source: bytes) -> bool:
    try:
        return "\0" not in source.decode()
    except UnicodeDecodeError:
        return False
