"""Pages: templates, what they are filled with, and the headers under which they load nothing but our own files."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.types import Scope

from chat.questions import MOST_TEXT
from core.visible import visible
from services.survival import in_words
from services.web.navigation import navigation
from services.web.viewer import code_style
from thoughts.rendering import input_words

HERE = Path(__file__).parent
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",  # without a referrer, browsers do not name a form's origin
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_HTMX = {
    "allowEval": False,
    "allowScriptTags": False,
    "includeIndicatorStyles": False,  # an inline style
    "selfRequestsOnly": True,
    "historyCacheSize": 0,
    "responseHandling": [{"code": "204", "swap": False}, {"code": "...", "swap": True}],  # a refusal is a page, too
}
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".txt": "text/plain"}
MOST_FEATURES = 5
"""Of a place, that a page shows."""
ROOT = "root:"
"""How the names of repositories begin that are their first commits."""
SHORT = 9
"""Digits of a hash that people read."""
MOST_TITLE = 120
"""Characters of a title."""
_CODE = re.compile(r"`([^`\n]+)`")


def page(name: str, scope: Scope, status: int = 200, **filled: Any) -> HTMLResponse:
    """A page in answer to a request, or a part of one that is put into a page."""
    made = _environment().get_template(name).render(filled, navigation=navigation(scope))
    return HTMLResponse(made, status, HEADERS)


def fragment(made: str, status: int = 200) -> HTMLResponse:
    """A part of a page that `part` has made."""
    return HTMLResponse(made, status, HEADERS)


def part(name: str, *filled: Any) -> str:
    """What a macro of parts.html.j2 makes."""
    return str(getattr(_environment().get_template("parts.html.j2").module, name)(*filled))


def html_event(name: str, html: str) -> str:
    """A server-sent event of HTML. A carriage return would end a line of it, too."""
    lines = html.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return f"event: {name}\n" + "".join(f"data: {line}\n" for line in lines) + "\n"


@functools.cache
def static_files() -> Mapping[str, tuple[bytes, str]]:
    """The content and type of what pages load, by name; nothing else is ever opened."""
    found = {path.name: (path.read_bytes(), _TYPES[path.suffix]) for path in sorted((HERE / "static").iterdir())}
    return {**found, "code.css": (code_style().encode(), _TYPES[".css"])}


@functools.cache
def _environment() -> Environment:
    found = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
    found.filters |= {"spelled": spelled, "sentence": sentence, "strongest": strongest}
    found.filters |= {"title_of": title_of, "votes_of": votes_of, "fate": fate, "short": short}
    found.filters["minute"] = lambda at: at[:16].replace("T", " ")
    found.filters["moment"] = moment
    found.filters["plain"] = lambda text: text.replace("_", " ")
    found.filters["given"] = input_words
    found.filters["part"] = lambda text: quote(text, safe="/")
    found.globals |= {"htmx_config": json.dumps(_HTMX), "most_question": MOST_TEXT}
    return found


def moment(at: str) -> str:
    """A time in the zone that it is in, for people."""
    return f"{datetime.fromisoformat(at):%Y-%m-%d %H:%M %Z}"


def spelled(text: str) -> Markup:
    """A text with what stands in backticks as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(visible(text)))))  # noqa: S704 - escaped before


def strongest(features: Mapping[str, float]) -> list[tuple[str, float]]:
    """The features that speak loudest for a place, or against it."""
    return sorted(features.items(), key=lambda one: -abs(one[1]))[:MOST_FEATURES]


def sentence(text: str) -> str:
    """A text as a sentence of its own."""
    return text[:1].upper() + text[1:].rstrip(".") + "."


def title_of(pattern: Mapping[str, Any]) -> str:
    """What a pattern is called: the first line of its message, otherwise where it was."""
    lines = [line for line in pattern["commit_msg"].splitlines() if line.strip()]
    found = lines[0].strip() if lines else pattern["symbol"] or pattern["file_path"] or pattern["id"]
    return found if len(found) <= MOST_TITLE else f"{found[: MOST_TITLE - 1]}…"


def fate(survival: Mapping[str, Any] | None) -> str:
    """What became of a pattern's lines, with short hashes."""
    return in_words(survival, SHORT)


def short(repository: str) -> str:
    """The first commit of a repository, as patterns name it, for people."""
    return repository.removeprefix(ROOT)[:SHORT]


def votes_of(pattern: Mapping[str, Any]) -> str:
    """Whom it helped, in a few words."""
    said = pattern["up"] + pattern["down"]
    return f"helped {pattern['up']} of {said}" if said else "no votes"
