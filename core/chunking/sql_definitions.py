"""What the statements of SQL define, in any dialect: tables, views, routines with those inside them, indexes, types.

No grammar knows all dialects, so none is used: a statement says in its first words what it defines, and it ends with a
semicolon outside of `BEGIN … END`, with `GO`, `/` or MySQL's delimiter, or where another definition is at the margin.
So whatever else is in it, unknown or broken, costs its neighbours nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from core.chunking.sql_tokens import Token, ends_batches, tokens_of

State = Literal["plain", "batch", "head", "declarations", "members", "body"]
"""Where in a definition a reader is. A plain one has no blocks; of a batch, as in T-SQL, only `GO` is the end; routines
elsewhere have a head, maybe declarations, and a body in blocks; packages have members."""

_GAP = rb"(?:\s|--[^\n]*|/\*(?!!).*?\*/|/\*!\d*|\*/)++"
_PART = rb"(?:\"[^\"\n]+\"|`[^`\n]+`|\[[^\]\n]+\]|(?:\$?\{+[^{}\n]*\}+|[\w$#@&%\x80-\xff])++)"
_NAME = rb"(?P<name>(?!ON\b|TO\b)" + _PART + rb"(?:\s*\.\s*(?:" + _PART + rb")?)*+)"
_OPTIONS = (
    rb"(?:(?:OR~(?:REPLACE|ALTER)|DEFINER\s*=\s*(?:`[^`\n]*`|'[^'\n]*'|[^\s@])+(?:\s*@\s*\S+)?|ALGORITHM\s*=\s*\w+"
    rb"|SQL~SECURITY~\w+|UNIQUE|CLUSTERED|NONCLUSTERED|COLUMNSTORE|FULLTEXT|SPATIAL|BITMAP|XML|PRIMARY|GLOBAL|LOCAL"
    rb"|PRIVATE|TEMPORARY|TEMP|UNLOGGED|MATERIALIZED|RECURSIVE|FOREIGN|EXTERNAL|VIRTUAL|TRANSIENT|SECURE|CONSTRAINT"
    rb"|NO~FORCE|NOFORCE|FORCE|EDITIONING|EDITIONABLE|NONEDITIONABLE|IMMUTABLE|BLOCKCHAIN|SHARDED|DUPLICATED)~)*+"
)
_DEFINES = re.compile(
    (
        rb"(?P<verb>CREATE|ALTER)~(?P<options>"
        + _OPTIONS
        + rb")(?P<kind>TABLE|VIEW|INDEX|FUNCTION|PROC(?:EDURE)?|TRIGGER|EVENT~TRIGGER|EVENT"
        rb"|AGGREGATE(?:~FUNCTION)?|MACRO|DOMAIN|TYPE~BODY|TYPE|PACKAGE~BODY|PACKAGE)(?:~(?:CONCURRENTLY|IF~NOT~EXISTS))*+~"
    ).replace(b"~", _GAP)
    + _NAME,
    re.DOTALL | re.IGNORECASE,
)
_MEMBER = re.compile(
    rb"(?:(?:NOT|FINAL|INSTANTIABLE|OVERRIDING|MEMBER|STATIC|CONSTRUCTOR|MAP|ORDER)\s+)*+(?:FUNCTION|PROCEDURE)\s+"
    + _NAME,
    re.IGNORECASE,
)
_ANY_GAP = re.compile(_GAP.replace(b"++", b"*+"), re.DOTALL)
_PARAMETER = re.compile(_ANY_GAP.pattern + rb"\(?" + _ANY_GAP.pattern + rb"@\w", re.DOTALL)
_BEHIND_AS = re.compile(
    _ANY_GAP.pattern + rb"(?:(?P<text>['$(]|RETURN\b|SELECT\b|WITH\b)|(?P<other>LANGUAGE\b|EXTERNAL\b|RESULT\b))",
    re.DOTALL | re.IGNORECASE,
)
_PERMISSION = re.compile(rb"\s*(?:GRANT|REVOKE|DENY|AUDIT|COMMENT)\b", re.IGNORECASE)
_EXECUTE = re.compile(rb"EXEC(?:UTE)?\s+\Z", re.IGNORECASE)
_PARTS = re.compile(_PART)
_QUOTES = b'"`[]'
_KINDS = {
    **dict.fromkeys((b"TABLE", b"VIEW"), "table"),
    **dict.fromkeys((b"TYPE", b"DOMAIN"), "type"),
    **dict.fromkeys((b"PACKAGE", b"PACKAGE BODY"), "module"),
    b"TYPE BODY": "impl",
    b"INDEX": "key",
}
"""Of what is not a function."""
_PLAIN = (b"TABLE", b"VIEW", b"INDEX", b"TYPE", b"DOMAIN", b"MACRO", b"AGGREGATE")
_INSIDE: dict[State, tuple[bytes, ...]] = {"batch": (b"TABLE", b"INDEX", b"TYPE"), "members": _PLAIN}
"""What is never a neighbour: T-SQL may create it in a routine, and packages end with `/`."""
_ALTERED = (b"VIEW", b"FUNCTION", b"PROC", b"PROCEDURE", b"TRIGGER")
"""What `ALTER … AS` gives a new body."""
_BEGINS = frozenset((b"CREATE", b"ALTER", b"DROP", b"GRANT", b"EXEC", b"PRINT", b"INSERT", b"DECLARE"))
"""What begins a statement wherever a line begins with it."""
_BEGINS_ELSEWHERE = _BEGINS | frozenset(
    (b"UPDATE", b"DELETE", b"TRUNCATE", b"SELECT", b"IF", b"SET", b"USE", b"COMMIT", b"BEGIN")
)
"""The same behind what is no query."""


@dataclass(eq=False)
class Definition:
    """What a statement defines; places are bytes of the file."""

    kind: str
    name: str
    """The last part of the qualified name."""
    qualified_name: str
    parent: int
    """Index of the definition around this one, -1 for none."""
    start: int
    name_at: int
    state: State
    body: int = -1
    """Where its signature ends; -1 where it has no body."""
    end: int = -1
    close: int = -1
    """Behind what ends it: a semicolon, a line with `GO`."""
    depth: int = 0
    """Of blocks that are open."""
    is_query: bool = False
    """A view, or a table from a query, in which a line may begin with `SELECT`."""
    is_tentative: bool = False
    """`ALTER` of something: a definition only with a body."""


@dataclass
class Definitions:
    """What a file defines."""

    found: list[Definition] = field(default_factory=list)
    """Outer before inner, in the order of the file."""
    comments: list[tuple[int, int]] = field(default_factory=list)
    statements: list[int] = field(default_factory=list)
    """Where statements outside of definitions begin, roughly: behind what ends the one before."""
    is_torn: bool = False
    """A definition had no end of its own."""


def definitions_of(source: bytes) -> Definitions:
    """All that the statements of a file define."""
    reader = _Reader(source)
    for token in tokens_of(source):
        reader.take(token)
    reader.finish()
    return reader.result


class _Reader:
    def __init__(self, source: bytes) -> None:
        self.result = Definitions()
        self._source = source
        self._has_batches = ends_batches(source)
        self._open: list[Definition] = []
        """Definitions that have not ended, outer before inner."""
        self._closed: Definition | None = None
        """The last one outside of all others that has ended."""
        self._brackets = 0
        self._boundary = 0
        """Behind what ended the last statement or opened a block."""

    def take(self, token: Token) -> None:
        """Read on."""
        match token.kind:
            case "comment":
                self.result.comments.append((token.start, token.end))
            case "open":
                self._brackets += 1
                top = self._top
                if top and top.state == "plain" and top.kind in ("table", "type") and top.body < 0:
                    top.body = token.start
            case "close":
                self._brackets = max(self._brackets - 1, 0)
            case ";":
                self._semicolon(token)
            case "condition":
                self._boundary = token.end
            case "end" | "apart":
                self._separator(token)
            case "word":
                self._word(token)

    def finish(self) -> None:
        """The file ends."""
        self._close_all(len(self._source))

    @property
    def _top(self) -> Definition | None:
        return self._open[-1] if self._open else None

    def _semicolon(self, token: Token) -> None:
        top = self._top
        self._brackets, self._boundary = 0, token.end
        if top is None:
            self.result.statements.append(token.end)
        elif top.state in ("plain", "head") or (top.state in ("body", "members") and top.depth <= 0):
            self._close(top, token.start, token.end)

    def _separator(self, token: Token) -> None:
        """Nothing goes on behind `GO` and the like; it belongs to the definition that it ends."""
        is_behind = self._closed and not self._open and not self._source[self._closed.close : token.start].strip()
        outer = self._open[0] if self._open else self._closed if is_behind else None
        self._close_all(token.start)
        if outer and token.kind == "end":
            outer.close = token.end
        self._brackets, self._boundary = 0, token.end
        self.result.statements.append(token.end)

    def _word(self, token: Token) -> None:
        top, word = self._top, token.text
        if word in (b"CREATE", b"ALTER") and self._starts(token):
            return
        if top is None:
            return
        if top.state == "plain":
            self._word_of_plain(top, token)
        elif top.state == "batch":
            if (
                word == b"AS"
                and top.body < 0
                and not self._brackets
                and not _EXECUTE.search(self._source, top.start, token.start)
            ):
                top.body = token.start
        else:
            self._word_of_routine(top, token)

    def _word_of_plain(self, top: Definition, token: Token) -> None:
        word = token.text
        if word == b"CASE":
            top.depth += 1
        elif word == b"END":
            top.depth -= 1
            if top.depth < 0:
                self._close_all(token.start)
        elif word == b"AS" and not self._brackets:
            top.body, top.is_query = (top.body if top.body >= 0 else token.start), True
        elif (
            word in (_BEGINS if top.is_query else _BEGINS_ELSEWHERE)
            and not self._brackets
            and self._begins_line(token.start)
        ):
            self._close_all(token.start)

    def _word_of_routine(self, top: Definition, token: Token) -> None:
        word = token.text
        if word in (b"FUNCTION", b"PROCEDURE"):
            self._member(top, token)
        elif word in (b"AS", b"IS"):
            if top.state == "head" and not self._brackets:
                self._as(top, token)
        elif word == b"DECLARE":
            if top.state == "head":
                self._enter(top, "declarations", token)
        elif word in (b"BEGIN", b"COMPOUND TRIGGER"):
            if top.state in ("head", "declarations"):
                self._enter(top, "body", token)
            top.depth += top.state == "body"
            self._boundary = token.end
        elif word == b"CASE":
            top.depth += 1
        elif word in (b"END", b"END CASE"):
            top.depth -= 1

    def _as(self, top: Definition, token: Token) -> None:
        """`AS` or `IS` of a head: a text or an expression is the body, otherwise declarations follow."""
        behind = _BEHIND_AS.match(self._source, token.end)
        if behind and behind["other"]:
            return
        if top.kind in ("module", "impl"):
            self._enter(top, "members", token)
            top.depth = 1
        elif behind:
            top.body = token.start if top.body < 0 else top.body
        elif b"TRIGGER" not in self._source[top.start : top.name_at].upper():  # it may name its old and new rows
            self._enter(top, "declarations", token)

    def _enter(self, one: Definition, state: State, token: Token) -> None:
        one.state, one.body, one.depth = state, token.start if one.body < 0 else one.body, 0
        self._boundary = token.end

    def _member(self, top: Definition, token: Token) -> None:
        """A function or procedure among the members of a package or the declarations of another."""
        if top.depth != (top.state == "members") or top.state not in ("members", "declarations"):
            return
        gap = _ANY_GAP.match(self._source, self._boundary, token.start)
        found = _MEMBER.match(self._source, gap.end()) if gap else None
        if found and token.start < found.start("name"):
            self._open.append(self._definition(found, "function", found.start(), "head"))

    def _starts(self, token: Token) -> bool:
        """Whether a definition begins here; then it is open."""
        found = _DEFINES.match(self._source, token.start)
        if found is None:
            return False
        kind, verb = b" ".join(found["kind"].upper().split()), found["verb"].upper()
        line = self._source.rfind(b"\n", 0, token.start) + 1
        if (verb == b"ALTER" and kind not in _ALTERED) or _PERMISSION.match(self._source, line, token.start):
            return False
        if self._open and self._is_inside(self._open[0], found, kind, is_at_margin=line == token.start):
            return False
        if (self._brackets and line < token.start) or (kind == b"TABLE" and found["name"].startswith(b"#")):
            return False
        self._close_all(token.start)
        self._open.append(self._definition(found, _KINDS.get(kind, "function"), token.start, self._state(found, kind)))
        self._open[0].is_tentative = verb == b"ALTER"
        self._brackets = 0
        return True

    def _is_inside(self, outer: Definition, found: re.Match[bytes], kind: bytes, *, is_at_margin: bool) -> bool:
        """True for what one that is open defines for itself; what is at the margin is a neighbour of one torn."""
        if outer.state == "plain" and not self._brackets:
            return False
        is_own = (
            found["name"].startswith(b"#")
            or b"TEMP" in found["options"].upper()
            or kind in _INSIDE.get(outer.state, ())
        )
        if is_at_margin and not is_own:
            self.result.is_torn |= outer.state != "batch"
            return False
        return True

    def _state(self, found: re.Match[bytes], kind: bytes) -> State:
        if kind in _PLAIN:
            return "plain"
        options = b" ".join(found["options"].upper().split())
        is_tsql = b"OR ALTER" in options or b"[" in found["name"] or _PARAMETER.match(self._source, found.end())
        return "batch" if self._has_batches or is_tsql else "head"

    def _definition(self, found: re.Match[bytes], kind: str, start: int, state: State) -> Definition:
        parts = [part.strip().strip(_QUOTES).decode(errors="replace") for part in _PARTS.findall(found["name"])]
        parent = self._open[-1] if self._open else None
        own = ".".join(parts)
        one = Definition(
            kind=kind,
            name=parts[-1],
            qualified_name=f"{parent.qualified_name}.{own}" if parent else own,
            parent=self.result.found.index(parent) if parent else -1,
            start=start,
            name_at=found.start("name"),
            state=state,
            is_query=b"VIEW" in self._source[start : found.start("name")].upper(),
        )
        self.result.found.append(one)
        return one

    def _begins_line(self, start: int) -> bool:
        return not self._source[self._source.rfind(b"\n", 0, start) + 1 : start].strip()

    def _close_all(self, before: int) -> None:
        """End all definitions with the last code before a place."""
        if self._open:
            end = self._end_of_code(before)
            self.result.is_torn |= any(one.depth > 0 and one.state != "batch" for one in self._open)
            while self._open:
                self._close(self._open[-1], end, end)

    def _close(self, one: Definition, end: int, close: int) -> None:
        one.end, one.close = max(end, one.name_at), max(close, one.name_at)
        self._open.pop()
        if one.is_tentative and one.body < 0:
            self.result.found.pop()
        elif not self._open:
            self._closed = one
            self.result.statements.append(close)

    def _end_of_code(self, before: int) -> int:
        """Behind the last code of what is open before a place: neither white space nor comments."""
        first = self._open[0].start
        for start, end in reversed(self.result.comments):
            if end < first:
                break
            if code := len(self._source[end:before].rstrip()):
                return end + code
            before = start
        return first + len(self._source[first:before].rstrip())
