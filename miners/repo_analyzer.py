"""What a repository is and how it is laid out, from one tree: language, archetype, tools, where files are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from core.code.languages import file_kind, language_of
from core.code.test_files import is_test_file
from core.git.commands import decode
from core.history.overlay import Overlay
from miners.signals.archetypes import archetype_of
from miners.signals.change_facts import is_source
from miners.signals.layouts import layout_of
from miners.signals.manifests import MAX_MANIFESTS, combinations_of, dependencies_in, is_manifest_of_packages, tools_of
from stores.agent.records import Evidence

MAX_BLOB_BYTES = 1_000_000
_FAMILY = {"tsx": "typescript", "jsx": "javascript"}
"""Languages that share layout and tools with another one."""


@dataclass(frozen=True)
class Profile:
    """A repository at one commit."""

    language: str
    """The language of most source files; "" where there are none."""
    archetype: str
    archetype_confidence: float
    scores: dict[str, float] = field(default_factory=dict)
    """Of each archetype that has any signal."""
    files: dict[str, int] = field(default_factory=dict)
    """Number of files by sort: source, test, documentation, configuration."""
    tools: dict[str, str] = field(default_factory=dict)
    combinations: dict[str, str] = field(default_factory=dict)
    """By framework and purpose: the tool used with it."""
    layout: dict[str, str] = field(default_factory=dict)
    has_readme: bool = False
    has_licence: bool = False


def profile_of(overlay: Overlay, head: str, topics: Iterable[str] = ()) -> Profile:
    """Read the tree of a commit. Raises StageError where git cannot list it."""
    listing = overlay.run("ls-tree", "-r", "-z", head).split(b"\0")
    blobs = {}
    for line in listing:
        head_, _, name = line.partition(b"\t")
        mode, _, id_ = head_.partition(b" ")
        if id_.startswith(b"blob ") and mode != b"120000":
            blobs[decode(name)[0]] = id_[5:].decode()
    paths = list(blobs)
    readme = _outermost(path for path in paths if PurePosixPath(path).name.lower().startswith("readme"))
    manifests = sorted(filter(is_manifest_of_packages, paths), key=lambda path: (path.count("/"), path))[:MAX_MANIFESTS]
    wanted = [*readme, *manifests]
    contents = dict(zip(wanted, _read(overlay, [blobs[path] for path in wanted]), strict=True))
    dependencies = dependencies_in({path: contents[path] for path in manifests})
    text = contents[readme[0]].decode(errors="replace") if readme else ""
    archetype, confidence, scores = archetype_of(text, dependencies, paths, topics)
    language = _main_language(paths)
    return Profile(
        language=language,
        archetype=archetype,
        archetype_confidence=confidence,
        scores=scores,
        files=_sorts(paths),
        tools=tools_of(language, dependencies, paths),
        combinations=combinations_of(dependencies),
        layout=layout_of(language, paths) if language else {},
        has_readme=bool(readme),
        has_licence=any(_is_licence(path) for path in paths),
    )


def evidence_of(profile: Profile, repository: str, head: str, at: int) -> Iterator[Evidence]:
    """One piece of evidence for each tool, aspect of the layout, and sort of file."""

    def piece(context_type: str, option: str, target: str, value: int | str) -> Evidence:
        return Evidence(
            context_type=context_type, option=option, repository=repository, sha=head, at=at, outcome={target: value}
        )

    for role, tool in profile.tools.items():
        yield piece("tool_selection", f"{profile.language}/{role}", "choice", tool)
    for pair, tool in profile.combinations.items():
        yield piece("tool_combination", pair, "choice", tool)
    for aspect, choice in profile.layout.items():
        yield piece("project_layout", f"{profile.language}/{aspect}", "choice", choice)
    for sort, number in profile.files.items():
        if number:
            yield piece("repository_size", sort, "files", number)


def _main_language(paths: Sequence[str]) -> str:
    counted = Counter(_FAMILY.get(name, name) for name in map(language_of, filter(is_source, paths)))
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return ranked[0][0] if ranked else ""


def _sorts(paths: Sequence[str]) -> dict[str, int]:
    found = {"source": 0, "test": 0, "documentation": 0, "configuration": 0}
    for path in paths:
        kind = file_kind(path)
        sort = "source" if is_source(path) else "test" if is_test_file(path) and kind == "code" else kind
        if sort in found:
            found[sort] += 1
    return found


def _outermost(paths: Iterable[str]) -> list[str]:
    return sorted(paths, key=lambda path: (path.count("/"), len(path), path))[:1]


def _is_licence(path: str) -> bool:
    name = PurePosixPath(path).name.lower()
    return "/" not in path and name.startswith(("license", "licence", "copying", "unlicense"))


def _read(overlay: Overlay, blobs: Sequence[str]) -> list[bytes]:
    """The contents of blobs; empty where one is missing or large."""
    if not blobs:
        return []
    names = "".join(f"{blob}\n" for blob in blobs).encode()
    sizes = [line.split() for line in overlay.run("cat-file", "--batch-check", stdin=names).splitlines()]
    fit = [len(line) == 3 and int(line[2]) <= MAX_BLOB_BYTES for line in sizes]
    requested = "".join(f"{blob}\n" for blob, ok in zip(blobs, fit, strict=True) if ok).encode()
    with overlay.stream("cat-file", "--batch", stdin=requested) as output:
        found = []
        for ok in fit:
            size = int(output.readline().split()[2]) if ok else 0
            found.append(output.read(size))
            output.read(1 if ok else 0)
    return found
