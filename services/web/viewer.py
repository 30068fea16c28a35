"""A file as a commit has it, with its syntax in colour and some lines marked. Everything is escaped here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_for_filename
from pygments.util import ClassNotFound

from chat.citations import lines_of
from core.git.encodings import is_binary
from core.visible import visible
from index.texts import masked

MOST_LINES = 2000
"""Of a page: those around the cited ones."""
MOST_CHARACTERS = 200_000
"""Of a page that is coloured; a longer one is plain."""
MOST_WIDTH = 2000
"""Characters of a line."""
STYLES = {"light": "default", "dark": "github-dark"}


@dataclass(frozen=True)
class ShownLine:
    """A line of a page."""

    number: int
    html: Markup
    cited: bool


@dataclass(frozen=True)
class ShownFile:
    """A file, or the part of it that a page shows."""

    path: str
    lines: list[ShownLine]
    total: int
    """Lines of the whole file."""
    first_cited: int
    """0 where none are."""
    last_cited: int

    @property
    def is_whole(self) -> bool:
        """Whether all lines are shown."""
        return len(self.lines) == self.total


def shown(data: bytes, path: str, first: int, last: int) -> ShownFile:
    """A file with the lines from `first` to `last` marked; with `first` 0, none are."""
    if is_binary(data):
        return ShownFile(path, [], 0, 0, 0)
    lines = [visible(line.removesuffix("\r")[:MOST_WIDTH]) for line in lines_of(masked(data))]
    start = min(max(0, first - 1 - MOST_LINES // 2), max(0, len(lines) - MOST_LINES))
    rows = coloured(lines[start : start + MOST_LINES], path)
    last = min(last, len(lines)) if first else 0
    marked = [ShownLine(number, html, first <= number <= last) for number, html in enumerate(rows, start + 1)]
    return ShownFile(path, marked, len(lines), first if first <= last else 0, last)


def coloured(lines: Sequence[str], path: str) -> list[Markup]:
    """Lines as HTML; plain where the language is not known, or colours would take too long."""
    plain = [escape(line) for line in lines]
    if sum(map(len, lines)) > MOST_CHARACTERS:
        return plain
    try:
        lexer = get_lexer_for_filename(path, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return plain
    made = highlight("\n".join(lines), lexer, HtmlFormatter(nowrap=True))
    found = [Markup(line) for line in made.removesuffix("\n").split("\n")]  # noqa: S704 - Pygments escapes
    return found if len(found) == len(plain) else plain


def code_style() -> str:
    """The colours as a style sheet, for light and for dark pages."""
    light, dark = (HtmlFormatter(style=style).get_style_defs(".code") for style in STYLES.values())
    plain = ".code { background: var(--card); color: var(--ink); }"
    return f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n{plain}\n"
