"""Texts that would do harm where a page took them for HTML, all that its own HTML consists of, and whether it does."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import httpx2 as httpx

INJECTIONS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    '" autofocus onfocus="alert(1)',
    "</pre><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "<a href=javascript:alert(1)>x</a>",
    "`</code><script>alert(1)</script>`",
    "[x](javascript:alert(1))",
    "<iframe src=//evil.example></iframe>",
    "<style>*{display:none}</style>",
    '<div hx-get="/evil" hx-trigger="load">x</div>',
    "<div sse-connect=/evil sse-swap=x>x</div>",
    "{{ 7 * 7 }}{% raw %}",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<base href=//evil.example>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<!--<script>alert(1)//-->",
    "\u202e<script>\u2066alert(1)",
)

OURS = frozenset({
    "html", "head", "meta", "title", "link", "script", "body", "header", "main", "section", "h1", "h2", "p", "a",
    "ul", "ol", "li", "div", "form", "input", "button", "kbd", "code", "pre", "span", "details", "summary", "table",
    "thead", "tbody", "tr", "th", "td", "strong", "nav",
    "select", "option", "label", "h3", "dl", "dt", "dd", "figure", "figcaption", "svg", "rect", "line", "circle",
    "text", "fieldset", "legend",
})  # fmt: skip
"""Elements."""
ATTRIBUTES = frozenset({
    "lang", "charset", "name", "content", "rel", "href", "src", "defer", "class", "id", "role", "method", "action",
    "type", "value", "maxlength", "required", "autocomplete", "aria-label", "aria-live", "placeholder", "autofocus",
    "tabindex", "title", "scope", "aria-current", "aria-pressed", "data-back", "data-own", "hx-post", "hx-get",
    "hx-target", "hx-swap", "hx-ext", "hx-trigger", "hx-disabled-elt", "hx-swap-oob", "sse-connect", "sse-swap",
    "sse-close", "selected", "checked", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "rx", "width", "height",
    "stroke-width", "text-anchor", "min", "max",
})  # fmt: skip


class Tags(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


def assert_inert(text: str) -> Tags:
    """All elements and attributes are those of our templates, and every address is our own."""
    made = Tags(text)
    for tag, attributes in made.tags:
        assert tag in OURS, tag
        assert set(attributes) <= ATTRIBUTES, (tag, attributes)
        assert tag != "script" or (attributes.get("src") or "").startswith("/static/")
        for name in ("href", "src", "action", "hx-post", "hx-get", "sse-connect"):
            assert re.match(r"/(?!/)|#|$", attributes.get(name) or ""), (tag, attributes)
        assert attributes.get("http-equiv") is None
    return made


def assert_guarded(answer: httpx.Response) -> None:
    """Nothing but our own files is loaded, and nothing inline runs."""
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
