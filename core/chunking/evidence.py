"""What a change touches: code, comments or white space only; what its file is for."""

from __future__ import annotations

import bisect
import functools
import itertools
import re
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from core.chunking.code_tokens import TOKEN, without_comments
from core.chunking.edits import runs
from core.chunking.outline import Outline, Symbol
from core.code.change_types import Role
from core.code.languages import LANGUAGES, file_kind, language_of

if TYPE_CHECKING:
    from tree_sitter import Language as TreeLanguage
    from tree_sitter import Query

NEAR = 512
"""Bytes between runs of rows up to which a tree is searched for both at once."""
# Text in quotes is one token, since white space counts there.
_STRICT_TOKEN = re.compile(rb"""\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|\+\+|--|""" + TOKEN.pattern)
_OPENERS, _CLOSERS = frozenset((b"(", b"[", b"{")), frozenset((b")", b"]", b"}"))
# What stands before the bracket of a call: a name that is not a keyword, or a closing bracket.
_CALLED = re.compile(rb"(?!(?:return|yield|in|and|or|not|if|else|for|while|match|let|await|print)$)\w+|[)\]>!?]")
_DOCUMENTS = re.compile(r"(?:^|/)(?:docs?|documentation|man)/|\.[1-8](?:\.in)?$", re.IGNORECASE)
_FIXTURES = re.compile(
    r"(?:^|/)(?:fixtures?|testdata|test[-_]data|tests?|spec|data|samples?|snapshots|golden)/", re.IGNORECASE
)


class Words(NamedTuple):
    """What some rows say."""

    code: list[bytes]
    """Lines without their comments and last blanks; those of nothing else are left out."""
    comments: list[bytes]


def differences(
    old: Outline, old_rows: Sequence[int], new: Outline, new_rows: Sequence[int], frame: tuple[str, str] | None = None
) -> tuple[bool, bool]:
    """(code differs, comments differ) between rows of the old and rows of the new side.

    With `frame`, the names of a namespace before and after, its brackets and its name do not count.
    """
    before, after = words(old, old_rows), words(new, new_rows)
    comments = before.comments != after.comments
    if before.code == after.code:
        return False, comments
    tokens = _tokens(before), _tokens(after)
    if frame is None:
        code = tokens[0] != tokens[1]
    else:
        code = _without_frame(tokens[0], frame[0]) != _without_frame(tokens[1], frame[1])
    if not code and tokens[0] and new.is_indented:
        code = _nesting(old, old_rows) != _nesting(new, new_rows)
    return code, comments


def surely_differ(before: Words, after: Words) -> bool:
    """True where changed rows alone show that code differs: whatever is between them is on both sides."""
    return _counts(_tokens(before)) != _counts(_tokens(after))


def signatures_differ(before: Symbol, after: Symbol) -> bool:
    """True where more than the name and the annotations before it differ."""
    if before.name == after.name and before.signature == after.signature:
        return False
    old, new = (
        _without_last_commas(
            [
                b"_" if token == one.name.encode() else token
                for token in _without_annotations(TOKEN.findall(one.signature.encode()))
            ]
        )
        for one in (before, after)
    )
    return old != new


@functools.lru_cache(maxsize=1 << 16)
def role(path: str, language: str) -> Role:
    """What a file is for, unless it is a manifest."""
    kind = file_kind(path) if language == language_of(path) else LANGUAGES[language].kind
    if kind == "other" and _DOCUMENTS.search(path):
        return "documentation"
    is_data = kind in ("configuration", "other") or language_of(path) == "text"
    return "other" if is_data and _FIXTURES.search(path) else kind


def words(side: Outline, rows: Sequence[int]) -> Words:
    """Code and comments of some rows; white space is neither, nor is a byte order mark."""
    code: list[bytes] = []
    said: list[bytes] = []
    spans = _spans(side, rows)
    if spans and spans[0][0] == 0 and side.source.startswith(BOM_UTF8):
        spans[0] = len(BOM_UTF8), spans[0][1]
    comments = [one for start, end in _joined(spans) for one in side.comments_between(start, end)]
    at = 0
    for start, end in spans:
        while at < len(comments) and comments[at][1] <= start:
            at += 1
        behind = bisect.bisect_left(comments, (end,), at)
        own = [(max(a, start), min(b, end)) for a, b in comments[at:behind] if b > start]
        code += without_comments(side.source, start, end, own).split(b"\n")
        for a, b in own:
            said += side.source[a:b].split()
    return Words([line.rstrip() for line in code if line and not line.isspace()], said)


def _tokens(rows: Words) -> list[bytes]:
    """Tokens of the code, without commas before a closing bracket."""
    return _without_last_commas(_STRICT_TOKEN.findall(b"\n".join(rows.code)))


def _spans(side: Outline, rows: Sequence[int]) -> list[tuple[int, int]]:
    """First byte, and the byte behind the last, of each run of rows."""
    starts = side.starts
    return [(starts[first], starts[last + 1]) for first, last in runs(rows)]


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans with those near each other as one: a search in a tree costs about as much as going through `NEAR` bytes."""
    found: list[tuple[int, int]] = []
    for start, end in spans:
        if found and start - found[-1][1] <= NEAR:
            found[-1] = found[-1][0], end
        else:
            found.append((start, end))
    return found


def _counts(tokens: Iterable[bytes]) -> Counter[bytes]:
    found = Counter(tokens)
    del found[b","]  # one at the end of a list counts only if a bracket follows, maybe in an unchanged row
    return found


def _without_frame(tokens: Sequence[bytes], name: str) -> list[bytes]:
    """Tokens of a namespace without its brackets and its name."""
    parts = TOKEN.findall(name.encode())
    kept = [one for one in tokens if one not in (b"{", b"}", b";")]
    at = next((n for n in range(len(kept)) if kept[n : n + len(parts)] == parts), None)
    return kept if at is None else kept[:at] + kept[at + len(parts) :]


def _without_annotations(tokens: Sequence[bytes]) -> Sequence[bytes]:
    """Tokens of a signature behind `@Name`, `@a.Name(...)`, `[Name]` and `#[Name]`."""
    at = 0
    while at < len(tokens) and tokens[at] in (b"@", b"#", b"["):
        if tokens[at] == b"@":
            at += 2
            while at + 1 < len(tokens) and tokens[at] in (b".", b":"):
                at += 2
            if at < len(tokens) and tokens[at] == b"(":
                at = _behind_bracket(tokens, at)
        else:
            at = _behind_bracket(tokens, at + (tokens[at] == b"#"))
    return tokens[at:]


def _behind_bracket(tokens: Sequence[bytes], at: int) -> int:
    """Number of the token behind the bracket that opens at one; the end where it is never closed."""
    depth, is_quoted = 0, False
    for number in range(at, len(tokens)):
        is_quoted ^= tokens[number] == b'"'
        depth += 0 if is_quoted else (tokens[number] in _OPENERS) - (tokens[number] in _CLOSERS)
        if depth <= 0:
            return number + 1
    return len(tokens)


def _without_last_commas(tokens: Sequence[bytes]) -> list[bytes]:
    """Tokens without commas before a closing bracket, which formatters add; but not that of a tuple of one."""
    if not any(one == b"," and after in _CLOSERS for one, after in itertools.pairwise(tokens)):
        return list(tokens)
    kept: list[bytes] = []
    open_brackets: list[tuple[bool, int]] = []  # is a call's or has a comma, index in `kept`
    following = itertools.chain(tokens[1:], (b"",))
    for token, after in zip(tokens, following, strict=False):
        if token in _OPENERS:
            is_call = token != b"(" or (bool(kept) and _CALLED.fullmatch(kept[-1]) is not None)
            open_brackets.append((is_call, len(kept)))
        elif token in _CLOSERS and open_brackets:
            open_brackets.pop()
        elif token == b"," and open_brackets:
            may_drop = open_brackets[-1][0]
            open_brackets[-1] = True, open_brackets[-1][1]
            if after in _CLOSERS and may_drop:
                continue
        elif token == b"," and after in _CLOSERS:
            continue
        kept.append(token)
    return kept


def _nesting(side: Outline, rows: Sequence[int]) -> list[int]:
    """How deep each statement that begins in some rows is in blocks, from the first one's depth on."""
    from tree_sitter import QueryCursor

    if side.tree is None:
        return []
    spans = _spans(side, rows)
    firsts = [start for start, _ in spans]
    found: dict[int, int] = {}
    cursor = QueryCursor(_statements(side.tree.language))
    for start, end in _joined(spans):
        cursor.set_byte_range(start, end)
        captures = cursor.captures(side.tree.root_node)
        blocks = captures.get("block", ())
        opened, closed = sorted(one.start_byte for one in blocks), sorted(one.end_byte for one in blocks)
        comments = {first for first, _ in side.comments_between(start, end)}
        for node in captures.get("statement", ()):
            byte = node.start_byte
            number = bisect.bisect_right(firsts, byte) - 1
            if number >= 0 and byte < spans[number][1] and byte not in comments:
                found[byte] = bisect.bisect_right(opened, byte) - bisect.bisect_right(closed, byte)
    depths = [found[start] for start in sorted(found)]
    return [depth - depths[0] for depth in depths]


@functools.cache
def _statements(language: TreeLanguage) -> Query:
    from tree_sitter import Query

    return Query(language, "(block (_) @statement) (module (_) @statement) (block) @block")
