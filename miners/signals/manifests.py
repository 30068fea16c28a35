"""What a repository depends on and which tools it uses, from its manifests."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

import msgspec

MAX_MANIFESTS = 40
"""Maximum number of manifests to read; of a repository of many packages, the outermost ones."""
_NAME = re.compile(r"^\s*['\"]?([A-Za-z0-9][\w.-]*)")
_GO = re.compile(r"^\s*(?:require\s+)?([\w.-]+\.[a-z]+/\S+)\s+v", re.MULTILINE)
_GEM = re.compile(r"^\s*gem\s+['\"]([\w-]+)", re.MULTILINE)
_QUOTED_REQUIREMENT = re.compile(r"['\"]([A-Za-z][\w.-]*)\s*(?:\[[^\]]*\])?\s*(?:[<>=!~].*?)?['\"]")
_MAVEN = re.compile(r"<artifactId>([\w.-]+)</artifactId>")

_TOOLS = {
    "test_runner": "pytest nose nose2 unittest2 trytond jest vitest mocha ava jasmine karma rspec minitest"
    " junit-jupiter junit testify proptest tox nox",
    "linter": "ruff flake8 pylint eslint oxlint biome tslint rubocop standard clippy",
    "formatter": "black yapf autopep8 prettier dprint rustfmt",
    "type_checker": "mypy pyright pytype typescript flow-bin sorbet",
    "web_framework": "fastapi django flask starlette tornado sanic aiohttp express koa fastify nestjs next nuxt rails"
    " sinatra axum actix-web rocket gin echo spring-boot",
    "ui_framework": "react vue svelte @angular/core solid-js preact lit streamlit nicegui",
    "orm": "sqlalchemy peewee tortoise-orm sqlmodel prisma typeorm sequelize mongoose diesel gorm",
    "bundler": "vite webpack rollup esbuild parcel tsup rolldown",
    "documentation": "sphinx mkdocs mkdocs-material vitepress docusaurus typedoc mdbook",
    "build_backend": "hatchling setuptools poetry-core poetry flit_core flit maturin pdm-backend",
}
TOOLS: dict[str, tuple[str, ...]] = {role: tuple(names.split()) for role, names in _TOOLS.items()}
"""Tools by role; of several in one repository, the first in this order counts."""
_ROLES_OF: dict[str, tuple[str, ...]] = {
    "python": ("test_runner", "linter", "formatter", "type_checker", "documentation", "build_backend"),
    "typescript": ("test_runner", "linter", "formatter", "bundler"),
    "javascript": ("test_runner", "linter", "formatter", "bundler"),
}
"""Roles in which a repository in this language could have a tool: none at all is an answer too."""


def is_manifest_of_packages(path: str) -> bool:
    """True for files that `dependencies_in` can read."""
    name = PurePosixPath(path).name.lower()
    return name in _READERS or (name.endswith((".txt", ".in")) and "requirements" in path.lower())


def dependencies_in(files: Mapping[str, bytes]) -> set[str]:
    """Names of packages in the manifests, in lower case; one that cannot be read has none."""
    found: set[str] = set()
    for path, content in files.items():
        reader = _READERS.get(PurePosixPath(path).name.lower(), _lines)
        try:
            found |= {name.lower() for name in reader(content.decode(errors="replace"))}
        except (ValueError, TypeError, AttributeError, RecursionError):
            continue
    return found


def tools_of(language: str, dependencies: Iterable[str], paths: Iterable[str]) -> dict[str, str]:
    """The tool in each role that repositories in this language have."""
    names = {name.rsplit("/", 1)[-1] if name.startswith(("github.com/", "@nestjs/")) else name for name in dependencies}
    names |= {tool for tool, marks in _CONFIGURED.items() if not marks.isdisjoint(paths)}
    return {role: next((tool for tool in TOOLS[role] if tool in names), "none") for role in _ROLES_OF.get(language, ())}


def combinations_of(dependencies: Iterable[str]) -> dict[str, str]:
    """For each framework that a repository uses, and each role that goes with one: the tool that it has."""
    names = set(dependencies)
    frameworks = [name for role in ("web_framework", "ui_framework") for name in TOOLS[role] if name in names]
    return {
        f"{framework}/{role}": next((tool for tool in TOOLS[role] if tool in names), "none")
        for framework in frameworks
        for role in ("orm", "test_runner", "bundler")
    }


_CONFIGURED: dict[str, set[str]] = {
    "flake8": {".flake8"},
    "pylint": {".pylintrc", "pylintrc"},
    "ruff": {"ruff.toml", ".ruff.toml"},
    "mypy": {"mypy.ini", ".mypy.ini"},
    "pyright": {"pyrightconfig.json"},
    "pytest": {"pytest.ini"},
    "tox": {"tox.ini"},
    "prettier": {".prettierrc", ".prettierrc.js", ".prettierrc.json", "prettier.config.js", ".prettierrc.yaml"},
    "eslint": {".eslintrc", ".eslintrc.js", ".eslintrc.json", ".eslintrc.yml", "eslint.config.js", "eslint.config.mjs"},
    "mkdocs": {"mkdocs.yml"},
    "sphinx": {"docs/conf.py", "docs/source/conf.py", "doc/conf.py"},
}


def _package_json(text: str) -> set[str]:
    data = msgspec.json.decode(text.removeprefix("\ufeff"))
    fields = ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies")
    return {str(name) for field in fields for name in (data.get(field) or {})}


def _pyproject(text: str) -> set[str]:
    data = tomllib.loads(text)
    project, tool = data.get("project", {}), data.get("tool", {})
    listed = [*project.get("dependencies", ()), *data.get("build-system", {}).get("requires", ())]
    for group in (*project.get("optional-dependencies", {}).values(), *data.get("dependency-groups", {}).values()):
        listed += [entry for entry in group if isinstance(entry, str)]
    poetry = tool.get("poetry", {})
    tables = [poetry.get("dependencies", {}), poetry.get("dev-dependencies", {})]
    tables += [group.get("dependencies", {}) for group in poetry.get("group", {}).values()]
    configured = set(tool) & {"ruff", "mypy", "black", "pytest", "pylint", "pyright", "tox", "flake8", "yapf"}
    return _requirements(listed) | {name for table in tables for name in table} | configured


def _cargo(text: str) -> set[str]:
    data = tomllib.loads(text)
    tables: list[dict[str, Any]] = [data, data.get("workspace", {})]
    fields = ("dependencies", "dev-dependencies", "build-dependencies")
    return {name for table in tables for field in fields for name in table.get(field, {})}


def _lines(text: str) -> set[str]:
    return _requirements(line for line in text.splitlines() if not line.lstrip().startswith(("#", "-")))


def _requirements(lines: Iterable[str]) -> set[str]:
    return {found[1] for line in lines if (found := _NAME.match(line))}


def _pipfile(text: str) -> set[str]:
    return {name for table in tomllib.loads(text).values() if isinstance(table, dict) for name in table}


_READERS: dict[str, Callable[[str], set[str]]] = {
    "package.json": _package_json,
    "pyproject.toml": _pyproject,
    "cargo.toml": _cargo,
    "go.mod": lambda text: set(_GO.findall(text)),
    "gemfile": lambda text: set(_GEM.findall(text)),
    "setup.py": lambda text: set(_QUOTED_REQUIREMENT.findall(text)),
    "setup.cfg": lambda text: _requirements(line for line in text.splitlines() if line.startswith((" ", "\t"))),
    "pipfile": _pipfile,
    "pom.xml": lambda text: set(_MAVEN.findall(text)),
}
