"""Where a repository keeps its files, and how it names them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath

from core.code.languages import language_of
from core.code.test_files import TEST_FOLDERS, is_test_file
from miners.signals.change_facts import is_source

_CI = {
    ".github/workflows": r"^\.github/workflows/",
    ".gitlab-ci.yml": r"^\.gitlab-ci\.yml$",
    ".circleci": r"^\.circleci/",
    ".travis.yml": r"^\.travis\.yml$",
    "azure-pipelines": r"azure-pipelines\.yml$",
}
_CHANGELOG = {
    "changelog": r"^change(?:log|s)?(?:\.\w+)?$",
    "history": r"^(?:history|news|releases?)(?:\.\w+)?$",
    "docs": r"^docs?/.*(?:change(?:log|s)|release[-_]?notes|news)[^/]*$",
}
_MAINTENANCE_NAMES = frozenset(("__init__", "__main__", "index", "mod", "lib", "main", "setup", "conftest"))
Paths = Sequence[str]


def layout_of(language: str, paths: Paths) -> dict[str, str]:
    """The repository's choice in each aspect (`ASPECTS`), in words that repositories share."""
    own = [path for path in paths if language_of(path) == language]
    found = {aspect: read(own if aspect in _OF_LANGUAGE else paths) for aspect, read in ASPECTS.items()}
    return {aspect: choice for aspect, choice in found.items() if choice}


def _tests(paths: Paths) -> str:
    """A template for the path of a test, such as tests/test_{name}.py."""
    return _most_common(_template(path) for path in paths if is_test_file(path) and not _is_maintenance(path)) or "none"


def _template(path: str) -> str:
    folders = PurePosixPath(path).parts[:-1]
    name = PurePosixPath(path).name
    stem, _, ending = name.partition(".") if not re.search(r"\.(?:test|spec)s?\.", name) else _around(name)
    shape = stem if _names_tests(stem) else re.sub(r"(?i)^(test_)?.*?(_?tests?|_spec)?$", r"\1{name}\2", stem)
    at = next((number for number, folder in enumerate(folders) if _names_tests(folder)), None)
    if at is None:
        where = "{folder}/"
    elif at == 0:
        where = f"{folders[0]}/" + ("{folder}/" if len(folders) > 1 else "")
    else:
        where = "{folder}/" + f"{folders[at]}/"
    return f"{where}{shape}.{ending}" if ending else f"{where}{shape}"


def _around(name: str) -> tuple[str, str, str]:
    stem, dot, ending = re.split(r"(\.)(?=(?:test|spec)s?\.)", name, maxsplit=1)
    return stem, dot, ending


def _names_tests(folder: str) -> bool:
    return folder.lower() in TEST_FOLDERS


def _source(paths: Paths) -> str:
    return _most_common(_root_of(path) for path in paths if is_source(path) and not _is_maintenance(path))


def _root_of(path: str) -> str:
    folders = PurePosixPath(path).parts[:-1]
    if not folders:
        return "./"
    if folders[0] in ("packages", "crates", "apps", "libs") and len(folders) > 1:
        return f"{folders[0]}/{{package}}/" + ("src/" if "src" in folders[2:3] else "")
    return f"{folders[0]}/" if folders[0] in ("src", "lib", "pkg", "cmd", "internal", "app") else "{package}/"


def _naming(paths: Paths) -> str:
    stems = (PurePosixPath(path).name.split(".")[0] for path in paths if is_source(path) and not _is_maintenance(path))
    return _most_common(case for stem in stems if (case := _case_of(stem)))


def _case_of(stem: str) -> str:
    """How several words are joined; "" for one word in lower case, which shows nothing."""
    if "-" in stem:
        return "kebab-case"
    if "_" in stem.strip("_"):
        return "snake_case"
    if stem[:1].isupper():
        return "PascalCase"
    return "camelCase" if any(letter.isupper() for letter in stem) else ""


def _first(patterns: dict[str, str]) -> Callable[[Paths], str]:
    compiled = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in patterns.items()}

    def read(paths: Paths) -> str:
        return next((name for name, one in compiled.items() if any(map(one.search, paths))), "none")

    return read


def _docs(paths: Paths) -> str:
    tops = {path.split("/", 1)[0] for path in paths if "/" in path}
    return next((f"{name}/" for name in ("docs", "doc", "website", "documentation") if name in tops), "none")


def _most_common(found: Iterable[str]) -> str:
    ranked = sorted(Counter(found).items(), key=lambda item: (-item[1], item[0]))
    return ranked[0][0] if ranked else ""


def _is_maintenance(path: str) -> bool:
    return PurePosixPath(path).name.split(".")[0].lower() in _MAINTENANCE_NAMES


ASPECTS: dict[str, Callable[[Paths], str]] = {
    "tests": _tests,
    "source": _source,
    "naming": _naming,
    "documentation": _docs,
    "continuous_integration": _first(_CI),
    "changelog": _first(_CHANGELOG),
}
_OF_LANGUAGE = ("tests", "source", "naming")
"""Aspects for which only files in the main language count."""
