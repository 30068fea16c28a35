"""What a change in a manifest is about: the part that names dependencies, or other settings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from core.chunking.outline import Outline
from core.code.change_types import Role
from core.code.languages import language_of

_WHOLE = re.compile(
    r"(?:requirements|constraints)[^/]*\.(?:txt|in)$|requirements/[^/]*$|go\.(?:mod|work)$|gemfile(?:\.lock)?$|pipfile$"
    r"|libs\.versions\.toml$|packages\.config$"
)
"""Manifests of nothing but dependencies."""
_PART = re.compile(
    r"(?:^|[.\"'-])(?:\w*dependencies|dependency-groups|requires|resolutions|overrides|workspaces|engines|patch|replace"
    r"|require(?:-dev)?|build-system|packages)\b",
    re.IGNORECASE,
)
_GO_VERSION = re.compile(r"(?:go|toolchain|module) ")
_DEPENDENCY_KEY = re.compile(r"\s*\"?(?:[\w-]*dependencies|[\w-]*requires?(?:[-_]\w+)?)\"?\s*[=:]", re.IGNORECASE)
_KEY = re.compile(r"[\w.\"-]+\s*=|\[|(?:go|toolchain|module|require|replace|exclude)\b")
# In scripts and XML, what a line is for shows in itself and in the lines that it is in, outer before inner.
_GRADLE = re.compile(
    r"^\s*(?:dependencies|plugins|constraints|dependencyManagement|dependencySubstitution)\s*\{"
    r"|^\s*(?:\w*(?:[iI]mplementation|[cC]ompileOnly|[rR]untimeOnly|[aA]pi)|classpath|kapt\w*|ksp\w*|annotationProcessor"
    r"|(?:test|androidTest)?[cC]ompile)(?:\s+|\s*\(\s*)['\"a-z]"
    r"|['\"][\w.-]+:[\w.-]+:[\w.${}+-]+['\"@]|^\s*(?:id|kotlin|alias)\b.*\bversion\b",
    re.MULTILINE,
)
_XML = re.compile(
    r"<(?:package|project|framework)?reference\b|<packageversion\b|<(?:dependenc(?:y|ies)|exclusions?|parent)\b"
    r"|<[\w.-]+[.-]version>|<(?:plugin|extension)>(?!.*<(?:configuration|executions)\b).*<(?:groupid|artifactid|version)\b[^\n]*$",
    re.IGNORECASE | re.DOTALL,
)
_RUBY = re.compile(r"^\s*(?:\w+\.(?:add_(?:\w+_)?dependency|required_\w+_version)|pod|gem|source)\b", re.MULTILINE)
_SWIFT = re.compile(r"\.(?:package|product)\s*\(")


def role_in_manifest(path: str, part: str, changed: Sequence[tuple[Outline, Sequence[int]]]) -> Role:
    """ "dependency" or "configuration".

    `part` is the table or key that the change is in, `changed` the rising rows that it touches on each side.
    """
    name = path.rsplit("/", 1)[-1].lower()
    if name == "go.mod":
        found = [key for side, rows in changed for key in keys_above(side, rows)]
        return "configuration" if found and all(map(_GO_VERSION.match, found)) else "dependency"
    if _WHOLE.search(path.lower()):
        return "dependency"
    if pattern := _pattern(name):
        is_named = any(pattern.search(chain) for side, rows in changed for chain in lines_around(side, rows))
    else:
        is_named = _PART.search(part) is not None
        if not is_named and language_of(path) != "json":
            is_named = any(_DEPENDENCY_KEY.match(key) for side, rows in changed for key in keys_above(side, rows))
    return "dependency" if is_named else "configuration"


def _pattern(name: str) -> re.Pattern[str] | None:
    """What names dependencies in a script or in XML; None where tables and keys tell."""
    if name.endswith((".gradle", ".gradle.kts")):
        return _GRADLE
    return {"xml": _XML, "ruby": _RUBY, "swift": _SWIFT}.get("xml" if name.endswith("proj") else language_of(name))


def keys_above(side: Outline, rows: Sequence[int]) -> Iterator[str]:
    """For each of some rising rows the nearest line, itself or above it, that names a key."""
    last, key = -1, -1
    for row in rows:
        at = row
        while at > last and not _KEY.match(side.line(at).decode(errors="replace")):
            at -= 1
        key = at if at > last else key
        last = row
        yield side.line(max(key, 0)).decode(errors="replace")


def lines_around(side: Outline, rows: Sequence[int]) -> Iterator[str]:
    """For each of some rising rows the lines that it is in by indentation, outer before inner, and itself."""
    chain: list[tuple[int, str]] = []
    wanted = set(rows)
    for row in range(rows[-1] + 1 if rows else 0):
        line = side.line(row).decode(errors="replace").rstrip()
        if line:
            column = len(line) - len(line.lstrip())
            while chain and chain[-1][0] >= column:
                chain.pop()
            chain.append((column, line))
            if row in wanted:
                yield "\n".join(text for _, text in chain)
