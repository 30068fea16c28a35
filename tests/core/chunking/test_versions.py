"""Which grammar the versions of a file are read by."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from builders import Repo
from test_semantic_chunker import assert_sound, last

from core.chunking.edits import Edits
from core.chunking.versions import Versions
from core.git.blobs import BlobReader
from core.git.encodings import LEAST_CONFIDENCE
from core.records.commits import FileDiff


@pytest.mark.parametrize(
    ("path", "before", "after", "expected"),
    [
        (
            "de.ts",
            '<?xml version="1.0"?>\n<TS>\n<source>A</source>\n</TS>\n',
            '<?xml version="1.0"?>\n<TS>\n<source>B</source>\n</TS>\n',
            ("xml", "configuration", "file", None),
        ),
        ("f.m", "function f(x)\n  x;\nend\n", "function f(x)\n  x + 1;\nend\n", ("matlab", "other", "file", None)),
        (
            "a.h",
            "class A {\n  int f() { return 1; }\n};\n",
            "class A {\n  int f() { return 2; }\n};\n",
            ("cpp", "modified_function", "function", "A::f"),
        ),
        (
            "run",
            "#!/usr/bin/python3\ndef f():\n    return 1\n",
            "#!/usr/bin/python3\ndef f():\n    return 2\n",
            ("python", "modified_function", "function", "f"),
        ),
        ("NOTES", "one\n", "two\n", ("other", "other", "file", None)),
    ],
)
def test_the_content_decides_where_the_path_does_not(
    make_repo: Callable[[str], Repo], path: str, before: str, after: str, expected: tuple[str, str, str, str | None]
) -> None:
    repo = make_repo("told")
    repo.commit("base", {path: before.encode()})
    repo.commit("edit", {path: after.encode()})
    assert_sound(repo)
    (chunk,) = last(repo).values()
    assert (chunk.language, chunk.change_type, chunk.symbol_kind, chunk.qualified_name) == expected


def test_a_header_may_become_another_language(make_repo: Callable[[str], Repo]) -> None:
    repo = make_repo("turned")
    repo.commit("base", {"a.h": b"struct s {\n  int x;\n};\n\nint f(void);\n"})
    repo.commit("edit", {"a.h": b"struct s {\n  int x;\n};\n\nnamespace a {\nint g();\n}\n\nint f(void);\n"})
    assert_sound(repo)
    assert {(chunk.language, name) for (_, name), chunk in last(repo).items() if name} == {
        ("cpp", "a"),
        ("cpp", "a::g"),
    }


class _Blobs(BlobReader):
    """One text under any id; remembers what was read."""

    def __init__(self) -> None:
        self.read_blobs: list[str] = []

    def read_many(self, blobs: Sequence[str], max_bytes: int | None = None) -> Iterator[bytes | None]:
        self.read_blobs += blobs
        return iter([b"def f():\n    return 1\n"] * len(blobs))


def _change(path: str, old: str, new: str) -> tuple[FileDiff, Edits]:
    diff = FileDiff(
        filename=path,
        change_type="M",
        additions=0,
        deletions=0,
        patch="",
        is_binary=False,
        old_mode="100644",
        new_mode="100644",
        old_blob=old * 40,
        new_blob=new * 40,
    )
    return diff, Edits([])


def test_replaced_and_removed_versions_make_room_first(monkeypatch: pytest.MonkeyPatch) -> None:
    blobs = _Blobs()
    versions = Versions(blobs, 1000, LEAST_CONFIDENCE)
    versions.fetch([_change("a.py", "1", "2")])
    monkeypatch.setattr(Versions, "KEEP_BYTES", versions._bytes)
    for removed in (_change("b.py", "3", "0"), _change("c.py", "4", "0"), _change("d.py", "5", "0")):
        versions.fetch([removed])
    versions.fetch([_change("a.py", "2", "6")])
    assert [blob[0] for blob in blobs.read_blobs] == ["1", "2", "3", "4", "5", "6"]
    versions.fetch([_change("a.py", "1", "6")])  # a branch from before
    assert blobs.read_blobs[-1][0] == "1"
