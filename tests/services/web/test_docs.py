"""The page about the routes."""

from __future__ import annotations

import base64
import hashlib
from html.parser import HTMLParser
from typing import Any

import pytest

from services.web.docs import FieldRow, fields_of, page, policy, routes_of, type_of

DOCUMENT: dict[str, Any] = {
    "info": {"title": "Gitlore", "version": "1", "description": "What <is> it?"},
    "paths": {
        "/health": {"get": {"summary": "Health"}},
        "/ask": {
            "post": {
                "description": "Ask.",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Ask"}}}},
            }
        },
    },
    "components": {
        "schemas": {
            "Ask": {
                "description": "A question.",
                "required": ["task"],
                "properties": {
                    "task": {"type": "string"},
                    "top": {"type": "integer", "default": 5, "description": "N"},
                },
                "examples": [{"task": "it's"}],
            }
        }
    },
}


class Reader(HTMLParser):
    """The text of a page, and what a browser would load or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text, self.loaded, self.styled = "", list[str](), list[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loaded += [tag] * (tag in ("script", "link", "img", "iframe"))
        self.loaded += [name for name, _ in attrs if name in ("src", "style") or name.startswith("on")]
        self.loaded += [value or "" for name, value in attrs if name == "href" and "//" in (value or "")]

    def handle_data(self, data: str) -> None:
        self.text += data
        self.styled += [data] * (self.get_starttag_text() == "<style>" and "{" in data)


def test_a_page_shows_routes_fields_and_examples() -> None:
    text = Reader(page(DOCUMENT)).text
    for shown in ("What <is> it?", "GET /health", "POST /ask", "task", "(required)", "A question.", "integer", "5"):
        assert shown in text
    assert """-d '{"task": "it'\\''s"}'""" in text


def test_a_page_loads_nothing_and_its_policy_allows_its_own_style_alone() -> None:
    made = page(DOCUMENT)
    found = Reader(made)
    assert found.loaded == []
    allowed = policy(made)
    assert len(found.styled) == 2
    for style in found.styled:
        assert f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'" in allowed
    assert allowed.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in allowed


def test_routes_name_what_they_take() -> None:
    health, ask = routes_of(DOCUMENT)
    assert (health.method, health.path, health.takes, health.example, health.text) == (
        "GET",
        "/health",
        "",
        "",
        "Health",
    )
    assert (ask.method, ask.takes) == ("POST", "Ask")


def test_fields_have_defaults() -> None:
    assert list(fields_of(DOCUMENT["components"]["schemas"]["Ask"])) == [
        FieldRow("task", "text", "", required=True, text=""),
        FieldRow("top", "integer", "5", required=False, text="N"),
    ]


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 1024.0}, "integer (≥ 1, ≤ 1,024)"),
        ({"type": "integer", "exclusiveMaximum": 1.8446744073709552e19}, "integer (< 1.84467e+19)"),
        ({"type": "number", "exclusiveMinimum": 0.5}, "number (> 0.5)"),
        (
            {"anyOf": [{"type": "array", "maxItems": 4, "items": {"type": "string"}}, {"type": "null"}]},
            "list of text (≤ 4 items) or null",
        ),
        ({"$ref": "#/components/schemas/Ask"}, "Ask"),
        ({"enum": ["a", "b"]}, '"a" or "b"'),
        ({"const": "a"}, '"a"'),
        ({"type": "array"}, "list"),
        ({}, "anything"),
    ],
)
def test_types_are_words(schema: dict[str, Any], words: str) -> None:
    assert type_of(schema) == words
