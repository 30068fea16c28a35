"""C, C++ and C# as a parser can read them: without the macros and directives that no grammar understands.

A grammar sees source before the preprocessor has run. What only makes sense afterwards is overwritten here
with something of the same length, so that every byte and row stays where it is:

- branches of `#if` that open a brace or end within a statement: the first stays, its directives and the others go;
- macros beside a type or name (`class API Widget {`, `EXPORT int f()`), on a line of their own (`Q_OBJECT`),
  and attributes go;
- comments inside a directive go, and directives inside a list, as in `enum { #include "colors.def" }`;
- a macro that defines something (`TEST_CASE("adds") {`) becomes a function with the name it is given.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from core.chunking.c_tokens import CLOSE, MACRO, OPEN, Token, blank, comments_behind, tokens_of
from core.chunking.macros import Macros

_CONDITION = re.compile(rb"\s*#\s*(if|ifdef|ifndef|elif|elifdef|elifndef|else|endif)\b\s*(0\b)?")
_LINE_END = re.compile(rb" (\r?\n)")
_OPERATORS = frozenset(b". , : :: ? = + - * / % & | ^ < > ) ]".split())
_LONG_STRING = re.compile(rb'R"|"""|@\$?"|\$@"')
_MISREAD = re.compile(
    # What C++ reads as a function of the type API: `class API Widget {`
    rb"\b(?:class|struct|union|enum)\s+(?!final\b|class\b|struct\b)\w+(?:\s*\([^()]*\))?\s+(?!final\b)[A-Za-z_]\w*\s*"
    rb"(?:final\s*)?(?:\{|:[^:;{}()][^;{}()]*\{)"
    # As a member named "public": `Q_OBJECT public: …`
    rb"|^[ \t{]*[A-Z_][A-Z0-9_]+[ \t]*(?:\([^()\n]*\))?[ \t]*(?://[^\n]*)?\s*\n\s*"
    rb"(?:public|private|protected|signals|slots)\b[^;{}()\n]*:",
    re.MULTILINE,
)


def is_misread(source: bytes) -> bool:
    """True for C or C++ in which a macro makes a grammar see something else, without an error."""
    return _MISREAD.search(source) is not None


class Around(NamedTuple):
    """What is open between two statements."""

    brackets: int = 0
    lists: tuple[bool, ...] = ()
    """Of each brace, whether it is of an enum or of an initializer."""
    braces: tuple[str, ...] = ()
    """Of each brace, what it is of, as `Macros` tells them."""


NOTHING_AROUND = Around()


def preprocessed(source: bytes, around: Around = NOTHING_AROUND, *, macros: bool) -> tuple[bytes, Around | None]:
    """Source of the same length and rows, without what a grammar cannot take; and what is open behind it.

    That is None where what follows hangs on more, since a statement or a condition goes on. `around` is what is open
    before. `macros` is False for C#, which has conditions but no macros.
    """
    out = bytearray(source)
    tokens = tokens_of(source, is_csharp=not macros)
    for token in tokens:
        if token.kind == "directive" and b"/*" in token.text:
            _blank_comments(source, token, out)
    kept, brackets = _without_conditions(tokens, out, around.brackets)
    lists, braces = around.lists, around.braces
    if macros:
        lists = _blank_directives_in_lists(tokens, out, lists)
        found = Macros(kept, out).rewrite(braces)
        if found is None:
            return bytes(out), None
        braces = found
    if brackets is None or not _is_whole(source, tokens):
        return bytes(out), None
    return bytes(out), Around(brackets, lists, braces)


def _is_whole(source: bytes, tokens: Sequence[Token]) -> bool:
    """True where the last row ends a statement, and is surely in no comment or string that goes on."""
    if not tokens or tokens[-1].end <= source.rfind(b"\n", 0, -1) or tokens[-1].text not in (b"}", b";"):
        return False
    if any(one.kind == "directive" and one.text.rfind(b"/*") > one.text.rfind(b"*/") for one in tokens):
        return False
    # A string of several rows that is not closed looks like this: R"(…
    return _LONG_STRING.search(source) is None or not any(
        after.kind == "string" and token.end == after.start and (token.kind != "other" or token.text in b"@$")
        for token, after in itertools.pairwise(tokens)
    )


def _blank_comments(source: bytes, directive: Token, out: bytearray) -> None:
    """To a grammar a comment of `#define` ends it, even where the line goes on."""
    for start, end in comments_behind(source, source.index(b"#", directive.start) + 1, directive.end):
        if source.startswith(b"/*", start):
            blank(out, start, end)
            out[start:end] = _LINE_END.sub(rb"\\\1", bytes(out[start:end]))


def _blank_directives_in_lists(tokens: Sequence[Token], out: bytearray, around: tuple[bool, ...]) -> tuple[bool, ...]:
    """Overwrite `#define`, `#include` and the like between the values of an enum or of an initializer.

    Of each brace that is open, before and behind, this tells whether it is of one.
    """
    lists = list(around)
    is_enum = False
    before = b""
    for token in tokens:
        if token.kind == "directive":
            if lists and lists[-1] and not _CONDITION.match(token.text):
                blank(out, token.start, token.end)
            continue
        if token.text == b"{":
            lists.append(is_enum or before == b"=" or (bool(lists) and lists[-1]))
        elif token.text == b"}" and lists:
            lists.pop()
        is_enum = token.text == b"enum" or (is_enum and token.text not in (b"{", b"}", b";", b"("))
        before = token.text
    return tuple(lists)


@dataclass
class _Branch:
    """What stands behind one directive of a condition, up to the next."""

    directive: Token
    tokens: list[Token] = field(default_factory=list)
    """Those that a parser would see, without those of inner conditions that are gone."""
    end: int = 0


def _without_conditions(tokens: Sequence[Token], out: bytearray, depth: int) -> tuple[list[Token], int | None]:
    """The tokens that stay, with the whole conditions that cut through a statement overwritten with one branch.

    `depth` is the number of brackets that are open before; it is returned for behind, or None within a condition.
    """
    groups: list[list[_Branch]] = []
    bottom: list[Token] = []
    current = bottom
    depths: list[int] = []
    """At the beginning of each open condition."""
    for token in tokens:
        if token.kind != "directive":
            current.append(token)
            depth += (token.text in OPEN) - (token.text in CLOSE)
            continue
        condition = _CONDITION.match(token.text)
        word = condition[1] if condition else b""
        if word.startswith(b"if"):
            groups.append([_Branch(token)])
            depths.append(depth)
        elif groups and word.startswith(b"el"):
            groups[-1][-1].end = token.start
            groups[-1].append(_Branch(token))
            depth = depths[-1]
        elif groups and word == b"endif":
            group = groups.pop()
            group[-1].end = token.start
            outer = groups[-1][-1].tokens if groups else bottom
            depth = depths.pop()
            kept = _all_of(group, token) if depth == 0 and _is_torn(group) else _resolved(group, token, out)
            outer.extend(kept)
            depth += _depth(group[0].tokens)
        else:
            current.append(token)
        current = groups[-1][-1].tokens if groups else bottom
    for group in groups:  # never closed
        bottom.extend(token for branch in group for token in branch.tokens)
    return bottom, None if groups else depth


def _resolved(group: list[_Branch], last: Token, out: bytearray) -> list[Token]:
    """The tokens of a condition: all of them, or those of the branch that stays."""
    if not any(_cuts(branch.tokens) for branch in group):
        return _all_of(group, last)
    first = group[0]
    is_off = (condition := _CONDITION.match(first.directive.text)) is not None and condition[2] is not None
    chosen = first if not is_off else group[1] if len(group) > 1 else None
    for branch in group:
        blank(out, branch.directive.start, branch.directive.end)
        if branch is not chosen:
            blank(out, branch.directive.end, branch.end)
    blank(out, last.start, last.end)
    return chosen.tokens if chosen else []


def _all_of(group: list[_Branch], last: Token) -> list[Token]:
    return [token for branch in group for token in (branch.directive, *branch.tokens)] + [last]


def _is_torn(group: list[_Branch]) -> bool:
    """True where a brace is missing or too many in one branch: another leaves another number of them open."""
    condition = _CONDITION.match(group[-1].directive.text)
    has_else = condition is not None and condition[1] == b"else"
    opens_c = any(token.text == b"extern" for branch in group for token in branch.tokens)
    return has_else and not opens_c and len({_depth(branch.tokens) for branch in group}) > 1


def _depth(tokens: Sequence[Token]) -> int:
    """Brackets that are opened and not closed."""
    return sum((token.text in OPEN) - (token.text in CLOSE) for token in tokens if token.kind != "directive")


def _cuts(tokens: Sequence[Token]) -> bool:
    """True where a branch is no sequence of whole statements."""
    code = [token for token in tokens if token.kind != "directive"]
    if not code:
        return False
    depth = 0
    for token in code:
        depth += (token.text in OPEN) - (token.text in CLOSE)
        if depth < 0:
            return True
    first, last = code[0], code[-1]
    return (
        depth != 0
        or first.text == b"else"
        or first.text in _OPERATORS
        or not (last.text in (b";", b"}", b":") or MACRO.match(last.text) or (last.text == b")" and _is_call(code)))
    )


def _is_call(code: Sequence[Token]) -> bool:
    """True for `MACRO(…)` alone."""
    return MACRO.match(code[0].text) is not None and len(code) > 1 and code[1].text == b"("
