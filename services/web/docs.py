"""The routes as a page, made of their OpenAPI document. It loads nothing and runs no script."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

import core.reports

TEMPLATES = (Path(__file__).parent / "templates", Path(core.reports.__file__).parent / "templates")
"""Of this page, and of the reports, whose style it has."""
Schema = Mapping[str, Any]
_WORDS = {"string": "text", "boolean": "true or false", "array": "list", "null": "null"}
_BOUNDS = {
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "exclusiveMaximum": "< {}",
    "minLength": "≥ {} characters",
    "maxLength": "≤ {} characters",
    "minItems": "≥ {} items",
    "maxItems": "≤ {} items",
}
EXACT = 2**53
"""Below, numbers of JSON are exact."""
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


@dataclass(frozen=True)
class FieldRow:
    """A field of a request or answer."""

    name: str
    type: str
    default: str
    required: bool
    text: str


@dataclass(frozen=True)
class RouteEntry:
    """A route; `takes` names the schema of its body, and `example` is one, in a shell's quotes."""

    method: str
    path: str
    text: str
    takes: str
    example: str


def page(document: Schema) -> str:
    """The page of an OpenAPI document, as HTML."""
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    schemas = document.get("components", {}).get("schemas", {})
    return environment.get_template("docs.html.j2").render(
        info=document["info"],
        routes=list(routes_of(document)),
        schemas={name: (schema.get("description", ""), list(fields_of(schema))) for name, schema in schemas.items()},
    )


def policy(made: str) -> str:
    """The Content-Security-Policy under which a page has its own style and nothing else."""
    digests = [hashlib.sha256(style.encode()).digest() for style in _STYLE.findall(made)]
    styles = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return f"default-src 'none'; style-src {styles}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def routes_of(document: Schema) -> Iterator[RouteEntry]:
    """Its routes, in their order."""
    schemas = document.get("components", {}).get("schemas", {})
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            body = route.get("requestBody", {}).get("content", {}).get("application/json", {})
            name = _name(body.get("schema", {}))
            examples = schemas.get(name, {}).get("examples", [])
            example = json.dumps(examples[0], ensure_ascii=False).replace("'", r"'\''") if examples else ""
            yield RouteEntry(method.upper(), path, route.get("description", route.get("summary", "")), name, example)


def fields_of(schema: Schema) -> Iterator[FieldRow]:
    """The fields of an object, in their order."""
    required = schema.get("required", [])
    for name, field in schema.get("properties", {}).items():
        default = json.dumps(field["default"], ensure_ascii=False) if "default" in field else ""
        yield FieldRow(name, type_of(field), default, name in required, field.get("description", ""))


def type_of(schema: Schema) -> str:
    """A type with its bounds, in words: "integer (≥ 1, ≤ 50)"."""
    if "$ref" in schema:
        return _name(schema)
    if either := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(type_of(one) for one in either)
    if "enum" in schema or "const" in schema:
        return " or ".join(json.dumps(one) for one in schema.get("enum", [schema.get("const")]))
    kind = str(schema.get("type", "anything"))
    word = _WORDS.get(kind, kind)
    if kind == "array" and schema.get("items"):
        word = f"list of {type_of(schema['items'])}"
    bounds = [form.format(_number(schema[key])) for key, form in _BOUNDS.items() if key in schema]
    return f"{word} ({', '.join(bounds)})" if bounds else word


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) and abs(value) < EXACT else f"{value:g}"


def _name(schema: Schema) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]
