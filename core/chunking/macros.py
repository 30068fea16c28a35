"""Macros of C and C++ that no grammar takes, overwritten with something of the same length."""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.chunking.c_tokens import CLOSE, MACRO, OPEN, Token, blank

_ACCESS = frozenset(b"public private protected".split())
_KEYWORDS = frozenset(
    b"if else for while do switch case default return goto break continue sizeof catch try throw new delete".split()
)
_QUALIFIERS = frozenset(b"const volatile restrict static inline extern constexpr register mutable".split())
_TYPES = frozenset(b"class struct union enum".split())
_BEFORE_MACROS = _TYPES | _ACCESS
_ATTRIBUTES = frozenset(b"__attribute__ __declspec __attribute __asm__ __extension__ __cdecl __stdcall WINAPI".split())
_CONTINUE = frozenset(b"{ ; = ( :: , : * & [ < . -".split())
"""What continues a statement on the next line."""


class Macros:
    """Takes macros out of C and C++."""

    def __init__(self, tokens: list[Token], out: bytearray) -> None:
        self._out = out
        self._tokens = [token for token in tokens if token.kind != "directive"]
        self._texts = [token.text for token in self._tokens]
        self._macros = {text for text in set(self._texts) if MACRO.match(text)}
        self._after_directive = _starts_after_directives(tokens)

    def rewrite(self, around: Sequence[str] = ()) -> tuple[str, ...] | None:
        """Overwrite what no grammar takes, from first to last.

        `around` says what each brace is of that is open before: "scope", "type" or "body". Returned is the same for
        behind, or None where a statement goes on.
        """
        braces = list(around)
        inside = sum(one != "scope" for one in braces)
        begins = True
        start = number = 0
        before = b""
        while number < len(self._tokens):
            token, text = self._tokens[number], self._texts[number]
            begins = begins or token.start in self._after_directive
            if begins:
                start = number
            after: int | None = None
            if text in _ATTRIBUTES:
                after = self._drop(number)
            elif token.kind == "word" and (begins or before in _BEFORE_MACROS or text in self._macros):
                after = self._macro(number, begins=begins, outside=not inside)
            if after:
                number = after
                before = self._text(after - 1)
                continue
            closed = ""
            if text == b"{":
                braces.append(self._brace(start, number))
                inside += braces[-1] != "scope"
            elif text == b"}" and braces:
                closed = braces.pop()
                inside -= closed != "scope"
            begins = text in (b"{", b";") or (text == b"}" and closed != "type")
            begins |= text == b":" and self._is_label(start, number)
            number += 1
            before = text
        return tuple(braces) if begins else None

    def _macro(self, number: int, *, begins: bool, outside: bool) -> int | None:
        """The token behind a macro, if one stands here and is dealt with."""
        token, before = self._tokens[number], self._text(number - 1)
        if before in _TYPES:
            return None if token.text in _TYPES else self._before_type_name(number)
        if begins and outside and token.text[:1].isupper() and (after := self._definition(number)):
            return after
        if before in _ACCESS and self._text(number + 1) == b":":
            return self._drop(number)  # public slots:
        if begins and outside and self._is_lone_call(number):
            return self._drop(number)
        if token.text not in self._macros:
            return None
        end = self._end(number)
        goes = self._is_lone(end) if begins else self._is_behind(number, end)
        goes |= begins and self._is_constructor(end)
        return self._drop(number) if goes or self._words_follow(end) else None

    def _is_constructor(self, number: int) -> bool:
        """True for `Widget::Widget(` and `Widget::~Widget(`."""
        while self._text(number + 1) == b"::" and self._text(number + 3) == b"::":
            number += 2
        return self._text(number + 1) == b"::" and self._text(number + 2) in (self._text(number), b"~")

    def _is_lone(self, end: int) -> bool:
        """True for a macro that is a statement without a semicolon."""
        following = self._text(end)
        if end == len(self._tokens) or following == b"}":
            return True
        is_line = b"\n" in self._out[self._tokens[end - 1].end : self._tokens[end].start]
        return is_line and following not in _CONTINUE

    def _is_behind(self, number: int, end: int) -> bool:
        """True for a macro behind what it says something of: a name, a type, arguments."""
        before, following = self._text(number - 1), self._text(end)
        if before == b")":
            return following in (b"{", b";", b",", b")", b":", b"=", b"const") or following in self._macros
        if before == b"}":  # of a type
            return end < len(self._tokens) and self._tokens[end].kind == "word"
        if before in (b"*", b"&", b">"):
            return end == number + 1 and self._text(end + 1) == b"(" and self._tokens[end].kind == "word"
        is_name = number >= 2 and self._tokens[number - 1].kind == "word" and self._tokens[number - 2].kind == "word"
        return is_name and before not in _KEYWORDS and following in (b",", b")")

    def _is_lone_call(self, number: int) -> bool:
        """`module_init(start)` on a line of its own, before a definition with brackets or the end."""
        end = self._end(number)
        if end == number + 1 or self._tokens[number].text in _KEYWORDS:
            return False
        if end == len(self._tokens):
            return True
        if (
            b"\n" not in self._out[self._tokens[end - 1].end : self._tokens[end].start]
            or self._tokens[end].kind != "word"
        ):
            return False
        for token in self._tokens[end : end + 20]:
            if token.text in (b";", b"{", b"}", b"("):
                return token.text == b"("
        return False

    def _before_type_name(self, number: int) -> int | None:
        """`class A_API B_API Widget final : Base {`: the macros go. None where there are none."""
        last = number
        while self._is_name(self._end(last)):
            last = self._end(last)
        after = last + 1
        if last > number and self._text(last) in self._macros and self._text(number) not in self._macros:
            is_defined = self._text(after) in (b"{", b":")
            return self._drop(last) if is_defined else None  # class Widget FINAL {, not typedef struct widget WIDGET;
        while self._text(after) == b"::":
            after += 2
        if self._text(after) == b"final":
            after += 1
        if last == number or self._text(after) not in (b"{", b":", b"<"):
            return None
        while self._text(after) not in (b"{", b"}", b";", b"=", b""):
            after += 1
        if self._text(after) != b"{":
            return None
        blank(self._out, self._tokens[number].start, self._tokens[last].start)
        return last + 1

    def _is_name(self, number: int) -> bool:
        return number < len(self._tokens) and (
            self._tokens[number].kind == "word" and self._tokens[number].text not in (b"final", *_TYPES)
        )

    def _definition(self, number: int) -> int | None:
        """`TEST_CASE("adds", "[math]") {`: a function named `adds`; the number of the brace."""
        if self._text(number + 1) != b"(":
            return None
        end = self._end(number)
        if self._text(end) != b"{":
            return None
        inside = self._tokens[number + 2 : end - 1]
        macro, last = self._tokens[number], self._tokens[end - 1]
        commas = [token for token in inside if token.text == b","]
        name = next((token for token in inside[:3] if token.kind == "string" and len(token.text) > 2), None)
        if name:
            first = name.start + name.text.index(b'"') + 1
            self._name(macro, first, name.end - 1, last)
        elif inside and inside[0].kind == "word" and commas and inside[1].text == b",":
            if len(inside) == 3 and inside[2].kind == "word":
                return self._pair(macro, inside, end)
            self._name(macro, inside[0].start, inside[0].end, last)
        else:
            return None
        return end

    def _name(self, macro: Token, first: int, end: int, last: Token) -> None:
        """Leave of `MACRO(…name…)` a type, the name and brackets."""
        name = re.sub(rb"[^A-Za-z0-9_]", b"_", bytes(self._out[first:end]))
        name = b"_" + name[1:] if name[:1].isdigit() else name
        blank(self._out, macro.end, first)
        self._out[first:end] = name
        blank(self._out, end, last.end)
        self._out[end] = ord("(")
        self._out[last.start] = ord(")")

    def _pair(self, macro: Token, inside: Sequence[Token], end: int) -> int:
        """`TEST(Suite, Name) {` as `TEST Suite(Name) {`."""
        self._out[macro.end] = ord(" ")
        blank(self._out, macro.end, inside[0].start)
        self._out[inside[1].start] = ord("(")
        return end

    def _text(self, number: int) -> bytes:
        return self._texts[number] if 0 <= number < len(self._texts) else b""

    def _end(self, number: int) -> int:
        """Number of the token behind a word and its arguments."""
        at = number + 1
        if self._text(at) != b"(":
            return at
        depth = 0
        for last in range(at, len(self._texts)):
            text = self._texts[last]
            if text in (b";", b"}"):
                break
            depth += (text in OPEN) - (text in CLOSE)
            if depth == 0:
                return last + 1
        return number + 1

    def _drop(self, number: int) -> int:
        """Overwrite a word with its arguments; the number of the token behind."""
        end = self._end(number)
        blank(self._out, self._tokens[number].start, self._tokens[end - 1].end)
        return end

    def _words_follow(self, end: int) -> bool:
        """True where a type and a name stand behind."""
        words = 0
        for number in range(end, min(end + 12, len(self._tokens))):
            token = self._tokens[number]
            if token.kind == "word":
                if token.text in _KEYWORDS:
                    return False
                if token.text in (*_TYPES, b"typedef", b"template", b"namespace", b"using", b"extern"):
                    return True
                words += token.text not in _QUALIFIERS or token.text in (b"static", b"inline", b"extern", b"constexpr")
            elif token.text not in (b"*", b"&", b"::", b"~"):
                # The arguments of a template are part of a type.
                return words >= 2 or (words == 1 and token.text == b"<")
            elif token.text == b"::":
                words -= 1
            if words >= 2 and self._text(number + 1) != b"::":
                return True
        return False

    def _brace(self, start: int, number: int) -> str:
        """What a brace is of: "scope" of a namespace, of `extern "C"` or a suite of tests; "type"; "body"."""
        head = self._tokens[start:number]
        words = {token.text for token in head[:3]}
        if b"namespace" in words or b"TEST_SUITE" in words or (b"extern" in words and head[-1].kind == "string"):
            return "scope"
        is_type = not _TYPES.isdisjoint(words) and not any(token.text in (b"(", b"=") for token in head)
        return "type" if is_type else "body"

    def _is_label(self, start: int, number: int) -> bool:
        """True for the colon of `public:`."""
        return number - start <= 2 and self._text(start) in (*_ACCESS, b"signals", b"Q_SIGNALS")


def _starts_after_directives(tokens: Sequence[Token]) -> set[int]:
    """First bytes of the tokens that follow a directive."""
    found = set()
    is_after = False
    for token in tokens:
        if token.kind == "directive":
            is_after = True
        elif is_after:
            found.add(token.start)
            is_after = False
    return found
