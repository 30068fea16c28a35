"""Which file of a commit an import means, by the rules of each language."""

from __future__ import annotations

import json
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

_ENDINGS = {
    "python": (".py", ".pyi", ".pyw"), "rust": (".rs",), "java": (".java",), "go": (".go",),
    "javascript": (".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts"),
}  # fmt: skip
_INDEX = {"python": "__init__", "rust": "mod", "javascript": "index"}
"""The file that stands for its folder."""
_GO_MODULE = re.compile(r"^\s*module\s+\"?([^\s\"]+)", re.MULTILINE)
MANIFESTS = ("Cargo.toml", "go.mod", "package.json")
FAMILIES = {"tsx": "javascript", "typescript": "javascript"}
"""Languages whose files import each other."""


def family(language: str) -> str:
    """What a language shares its modules with."""
    return FAMILIES.get(language, language)


class Modules:
    """Finds files by the names of modules.

    A module is the path of a file or, ending with a slash, a folder: a package of Go, or one of Python without
    `__init__.py`.
    """

    def __init__(self, languages: Mapping[str, str], manifests: Mapping[str, bytes]) -> None:
        self._files = languages
        self._by_last: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        self._folders: set[str] = set()
        for path, language in languages.items():
            pure = PurePosixPath(path)
            kind = family(language)
            is_index = pure.stem == _INDEX.get(kind)
            self._by_last[kind, pure.parent.name if is_index else pure.stem].append(path)
            self._folders.update(f"{parent}/" for parent in pure.parents if parent.name)
        self._packages: dict[tuple[str, str], str] = {}
        """The folder of each package that a manifest names, by language."""
        for path in sorted(manifests):
            self._read_manifest(path, manifests[path])

    def find(self, module: str, language: str, path: str) -> str:
        """The module that `module` means in a file, "" where it is none of the repository."""
        kind = family(language)
        if kind == "python":
            return self._python(module, path)
        if kind == "javascript":
            return self._script(module, path)
        if kind == "go":
            return self._go(module)
        return self._nearest("java", module.split("."), path) if kind == "java" else ""

    def child(self, module: str, name: str, language: str) -> str:
        """The module `name` in another, "" where there is none."""
        kind = family(language)
        if kind not in ("python", "rust"):
            return ""
        folder = self.folder_of(module, kind)
        return self._file(f"{folder}{name}", kind) or (
            f"{folder}{name}/" if self._is_package(f"{folder}{name}/", kind) else ""
        )

    def parent(self, module: str) -> str:
        """The module around one of Rust."""
        folder = self.folder_of(module, "rust").rstrip("/")
        outer = folder.rpartition("/")[0]
        return self.root_of(outer) if self._is_root(outer) else self._file(outer, "rust")

    def root(self, path: str) -> str:
        """The file that a crate begins with, for a file of Rust."""
        if _is_crate(PurePosixPath(path)):
            return path
        for parent in PurePosixPath(path).parents:
            if self._is_root(str(parent)):
                return self.root_of(str(parent))
        return path

    def root_of(self, folder: str) -> str:
        """`lib.rs` or `main.rs` of a folder."""
        prefix = f"{folder}/" if folder not in ("", ".") else ""
        return next((f"{prefix}{name}.rs" for name in ("lib", "main") if f"{prefix}{name}.rs" in self._files), "")

    def crate(self, name: str) -> str:
        """The file that the crate of a name begins with, "" where the repository has none."""
        folder = self._packages.get(("rust", name.replace("-", "_")))
        if folder is None:
            return ""
        return self.root_of(f"{folder}src".lstrip("/")) or self.root_of(folder.rstrip("/"))

    def folder_of(self, module: str, kind: str) -> str:
        """Where the modules of a module are, with a slash."""
        if module.endswith("/"):
            return module
        pure = PurePosixPath(module)
        stands_for_folder = pure.stem == _INDEX.get(kind) or (kind == "rust" and _is_crate(pure))
        folder = str(pure.parent if stands_for_folder else pure.with_suffix(""))
        return "" if folder == "." else f"{folder}/"

    def _is_root(self, folder: str) -> bool:
        return bool(self.root_of(folder))

    def _is_package(self, folder: str, kind: str) -> bool:
        return kind == "python" and folder in self._folders

    def _file(self, stem: str, kind: str) -> str:
        """The file of a module by its path without ending."""
        for ending in _ENDINGS[kind]:
            if stem + ending in self._files:
                return stem + ending
        index = _INDEX.get(kind)
        found = (f"{stem}/{index}{ending}" for ending in _ENDINGS[kind]) if index else ()
        return next((one for one in found if one in self._files), "")

    def _python(self, module: str, path: str) -> str:
        level = len(module) - len(module.lstrip("."))
        if not level:
            return self._nearest("python", module.split("."), path)
        parents = PurePosixPath(path).parents
        if level > len(parents):
            return ""
        folder = str(parents[level - 1])
        stem = "/".join(filter(None, ("" if folder == "." else folder, *module.strip(".").split("."))))
        return self._file(stem, "python") or (f"{stem}/" if f"{stem}/" in self._folders else "")

    def _nearest(self, kind: str, names: list[str], path: str) -> str:
        """The file whose path ends with some names: the one that the most outer folders of `path` lead to."""
        wanted = "/".join(names)
        found = []
        for one in self._by_last.get((kind, names[-1]), ()):
            stem = PurePosixPath(one)
            own = str(stem.parent if stem.stem == _INDEX.get(kind) else stem.with_suffix(""))
            if own == wanted or own.endswith(f"/{wanted}"):
                top = own[: len(own) - len(wanted)]
                if kind != "python" or self._file(top.rstrip("/"), "python") == "":  # else it is deeper in a package
                    found.append((not path.startswith(top), -len(top) if path.startswith(top) else len(top), one))
        return min(found)[2] if found else ""

    def _script(self, module: str, path: str) -> str:
        if not module.startswith("."):
            name, _, rest = module.partition("/")
            if module.startswith("@"):
                second, _, rest = rest.partition("/")
                name = f"{name}/{second}"
            folder = self._packages.get(("javascript", name))
            if folder is None:
                return ""
            inner = (rest,) if rest else ("src/index", "index", "lib/index", "src/main")
            return next(filter(None, (self._file(f"{folder}{one}", "javascript") for one in inner)), "")
        parts = [one for one in PurePosixPath(path).parent.parts if one]
        for part in module.split("/"):
            if part == ".." and parts:
                parts.pop()
            elif part not in (".", "..", ""):
                parts.append(part)
        stem = "/".join(parts)
        if stem in self._files:
            return stem
        return self._file(stem, "javascript") or self._file(re.sub(r"\.[cm]?js$", "", stem), "javascript")

    def _go(self, module: str) -> str:
        for name, folder in sorted(
            ((name, folder) for (kind, name), folder in self._packages.items() if kind == "go"),
            key=lambda pair: -len(pair[0]),
        ):
            if module == name or module.startswith(f"{name}/"):
                return f"{folder}{module[len(name) + 1 :]}".rstrip("/") + "/"
        return ""

    def _read_manifest(self, path: str, data: bytes) -> None:
        """Note what a manifest says its package is called; one that cannot be read says nothing."""
        folder = f"{PurePosixPath(path).parent}/".removeprefix("./").lstrip("/")
        text = data.decode("utf-8", "replace")
        for kind, name in _named(PurePosixPath(path).name, text):
            self._packages.setdefault((kind, name), folder)


def _is_crate(path: PurePosixPath) -> bool:
    """Whether a file of Rust begins a crate."""
    return path.stem in ("lib", "main", "build") or path.parent.name in ("tests", "benches", "examples", "bin")


def _named(file: str, text: str) -> Iterable[tuple[str, str]]:
    """(language, name) of what a manifest declares."""
    try:
        if file == "go.mod":
            return [("go", found[1]) for found in _GO_MODULE.finditer(text)][:1]
        if file == "package.json":
            name = json.loads(text).get("name")
            return [("javascript", name)] if isinstance(name, str) else []
        manifest = tomllib.loads(text)
        names = [manifest.get("lib", {}).get("name"), manifest.get("package", {}).get("name")]
        return [("rust", name.replace("-", "_")) for name in names if isinstance(name, str)]
    except (ValueError, AttributeError, RecursionError):
        return []
