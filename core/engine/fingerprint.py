"""Is a stage up to date? Facts about what made its outputs, compared with the facts of now.

The answer is a list of sentences, shown to the user; an empty list means up to date.
"""

from __future__ import annotations

import ast
import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from core.config import Section, without_credentials
from core.engine.stage import Stage
from core.files import Digests

PROJECT = Path(__file__).resolve().parents[2]
_LEAVES = ("__init__", "config", "errors", "files", "interrupts", "logs", "process", "progress", "settings_text")
_NEVER_DECIDE = frozenset(f"core/{name}.py" for name in _LEAVES)
"""Leaves that cannot change what a stage writes."""
_NEVER_DECIDE_ROOMS = ("core/engine/", "core/estimating/")
"""Nor can how a stage runs, or what it estimates of a run."""

Facts = dict[str, str]
NEVER_RUN = "it has not run here yet"


def facts(
    stage: Stage, config: Section, inputs: Mapping[str, Path], makers: Iterable[Mapping[str, Any]], digests: Digests
) -> Facts:
    """Everything that decides the stage's outputs, by a name fit for a sentence.

    `makers` are the records of the stages that made the inputs. Their settings count too: a model
    keeps the settings that its data was made with, so these must be true even where a changed one
    happened to leave every byte as it was.
    """
    found: Facts = {"python": "{}.{}".format(*sys.version_info)}
    for record in makers:
        found.update((name, value) for name, value in record["facts"].items() if name.startswith("setting "))
    for name in stage.inputs:
        found[f"input {name}"] = digests.of(inputs[name]) or "missing"
    for key, value in config.model_dump(mode="json").items():
        if not _steers_only(stage.config, key):
            found[f"setting {stage.name}.{key}"] = without_credentials(json.dumps(value))
    for path in code_files(module_file(stage.module), digests):
        found[f"code {path}"] = code_digest(PROJECT / path, digests)
    for pattern in stage.data_files:
        for file in sorted(PROJECT.glob(pattern)):
            found[f"file {file.relative_to(PROJECT).as_posix()}"] = digests.of(file) or "missing"
    for name in stage.libraries:
        found[f"library {name}"] = _version(name)
    for name, digest in (stage.sources(config) if stage.sources else {}).items():
        found[f"source {name}"] = digest
    return found


def digest_of(found: Facts) -> str:
    """One short name for a set of facts."""
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()[:16]


def reasons(now: Facts, record: Mapping[str, Any] | None, outputs: Mapping[str, Path], digests: Digests) -> list[str]:
    """Why the stage must run, one sentence each; `record` is what its last success left behind."""
    if record is None:
        return [NEVER_RUN]
    then: Facts = record["facts"]
    why = [
        _sentence(name, then.get(name), now.get(name))
        for name in sorted({*then, *now})
        if then.get(name) != now.get(name)
    ]
    for name, path in outputs.items():
        digest = digests.of(path)
        if digest is None:
            why.append(f"output {name} is missing")
        elif digest != record["outputs"].get(name, {}).get("sha256"):
            why.append(f"output {name} was changed by something else")
    return why


def _sentence(name: str, then: str | None, now: str | None) -> str:
    kind = name.partition(" ")[0]
    if then is None:
        return f"{name} is new"
    if now is None:
        return f"{name} is gone"
    if kind in ("setting", "library", "python"):
        return f"{name} changed: {then} -> {now}"
    return f"{name} changed"


def module_file(module: str) -> Path:
    """The file of an imported module."""
    if module in sys.modules:
        return Path(str(sys.modules[module].__file__)).resolve()
    return PROJECT.joinpath(*module.split(".")).with_suffix(".py")


def code_files(start: Path, digests: Digests) -> tuple[str, ...]:
    """The module at `start` and all project modules behind its imports that can change what a stage writes.

    Paths are relative to the project folder. Imports of modules that cannot are not followed either: they would
    lead to half of the project.
    """
    todo, seen = [start], {start}
    modules: set[str] = set()
    while todo:
        new = set(_code(todo.pop(), digests)[0]) - modules  # to look for a file takes longer than all the rest
        modules |= new
        for module in new:
            for root in {PROJECT, start.parent}:
                base = root.joinpath(*module.split("."))
                for file in (base.with_suffix(".py"), base / "__init__.py"):
                    if file not in seen and file.is_file() and _decides(_shown(file)):
                        seen.add(file)
                        todo.append(file)
    return tuple(sorted(map(_shown, seen)))


def _decides(name: str) -> bool:
    return name not in _NEVER_DECIDE and not name.startswith(_NEVER_DECIDE_ROOMS)


def module_digest(module: str, cache_dir: Path) -> str:
    """Digest of what a module does: its code and that of all project modules it imports, plumbing left out."""
    digests = Digests(cache_dir / "code-digests.json")
    code = [f"{name} {code_digest(PROJECT / name, digests)}\n" for name in code_files(module_file(module), digests)]
    digests.save()
    return hashlib.sha256("".join(code).encode()).hexdigest()


def code_digest(file: Path, digests: Digests) -> str:
    """Digest of what the file does: its syntax tree without comments, formatting and wording.

    Wording is docstrings, help texts, log lines and the text of errors: rewriting it retrains no model.
    """
    return _code(file, digests)[1]


def _shown(file: Path) -> str:
    return file.relative_to(PROJECT).as_posix() if file.is_relative_to(PROJECT) else file.as_posix()


def _code(file: Path, digests: Digests) -> tuple[list[str], str]:
    imports, digest = digests.recall(file, " code 2 {}.{}".format(*sys.version_info), _read_code)
    return imports, digest


def _read_code(file: Path) -> tuple[list[str], str]:
    """(dotted names that the file imports, wherever the import stands; digest of its syntax tree)."""
    tree = ast.parse(file.read_bytes())
    imports: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            imports.add(node.module)
            imports.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Raise) or (isinstance(node, ast.Call) and _name(node.func).endswith("Error")):
            _blank(node)
        if isinstance(node, ast.Call):
            node.keywords = [keyword for keyword in node.keywords if keyword.arg != "help"]
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [item for item in body if not _is_wording(item)]  # type: ignore[attr-defined]
    return sorted(imports), hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _is_wording(statement: ast.stmt) -> bool:
    """True for docstrings and log lines."""
    if not isinstance(statement, ast.Expr):
        return False
    value = statement.value
    if isinstance(value, ast.Constant):
        return isinstance(value.value, str)
    called = value.func if isinstance(value, ast.Call) else None
    return isinstance(called, ast.Attribute) and _name(called.value) == "log"


def _blank(node: ast.AST) -> None:
    """Empty every text in the node."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.JoinedStr):
            inner.values = []
        elif isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            inner.value = ""


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _steers_only(section: type[Section], key: str) -> bool:
    """True for settings that say how to get there (resume), not what comes out."""
    extra = section.model_fields[key].json_schema_extra
    return isinstance(extra, dict) and bool(extra.get("control"))


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"
