"""The map of a repository's commit: what it answers, what it keeps, and how it fares with odd repositories."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from builders import Repo
from click.testing import CliRunner

from core.errors import UserError
from core.git.repositories import open_repository
from thoughts.mapping import reader, store
from thoughts.mapping.__main__ import main
from thoughts.mapping.cycles import groups_of, new_cycles
from thoughts.mapping.graph import CodeMap, Link, ReachingTest
from thoughts.mapping.overview import overview_of
from thoughts.mapping.ranks import ranks
from thoughts.mapping.store import MapStore

FILES: dict[str, str | bytes] = {
    "lib/__init__.py": "",
    "lib/base.py": "def low():\n    pass\n\n\ndef unused():\n    pass\n",
    "lib/middle.py": "from lib.base import low\n\n\ndef mid():\n    low()\n\n\n"
    "class Box:\n    def __init__(self):\n        low()\n",
    "lib/top.py": "from lib import middle\n\n\ndef top(x):\n    middle.mid()\n    middle.Box()\n    x.odd_one()\n",
    "lib/odd.py": "class Odd:\n    def odd_one(self):\n        pass\n",
    "tests/test_top.py": "from lib.top import top\n\n\ndef test_top():\n    top(None)\n",
    "notes.md": "x\n",
}


def mapped(repo: Repo, folder: Path, commit: str = "HEAD") -> CodeMap:
    return CodeMap.at(open_repository(str(repo.path), folder).git_dir, folder, commit)


@pytest.fixture(scope="module")
def layers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Repo, Path]:
    """A repository of three layers with a test, and a cache folder."""
    folder = tmp_path_factory.mktemp("layers")
    repo = Repo.new(folder / "layers")
    repo.commit("begin", FILES)
    return repo, folder


def test_callers_and_callees_come_with_their_lines(layers: tuple[Repo, Path]) -> None:
    found = mapped(*layers)
    assert found.callers("lib/base.py", "low") == [
        Link("lib/middle.py", "Box.__init__", 10, True),
        Link("lib/middle.py", "mid", 5, True),
    ]
    assert found.callees("lib/top.py", "top") == [
        Link("lib/middle.py", "mid", 5, True),
        Link("lib/middle.py", "Box.__init__", 6, True),
        Link("lib/odd.py", "Odd.odd_one", 7, False),
    ]
    assert found.callers("lib/middle.py", "Box") == [Link("lib/top.py", "top", 6, True)]
    assert found.callers("lib/base.py", "none") == found.callers("none.py", "x") == []


def test_tests_are_found_through_calls_the_nearest_first(layers: tuple[Repo, Path]) -> None:
    found = mapped(*layers)
    assert found.tests_of("lib/base.py", "low") == [ReachingTest("tests/test_top.py", "test_top", 3)]
    assert found.tests_of("lib/top.py") == [ReachingTest("tests/test_top.py", "test_top", 1)]
    assert found.tests_of("lib/base.py", "unused") == []


def test_imports_are_known_from_both_sides(layers: tuple[Repo, Path]) -> None:
    found = mapped(*layers)
    assert found.imports("lib/top.py") == [Link("lib/middle.py", "", 1, True)]
    assert found.imported_by("lib/base.py") == [Link("lib/middle.py", "", 1, True)]


def test_what_all_rests_on_is_central(layers: tuple[Repo, Path]) -> None:
    found = mapped(*layers)
    assert found.central("lib/base.py") > found.central("lib/middle.py") > found.central("lib/top.py") > 0
    assert sum(found.file_ranks.values()) == pytest.approx(1)
    assert found.central("tests/test_top.py") == found.central("none.py") == 0
    best = max(found.symbol_ranks, key=lambda one: found.symbol_ranks[one])
    assert found.graph.nodes[best].name == "low"


def test_a_map_is_kept_and_only_new_texts_are_read(
    layers: tuple[Repo, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo, _ = layers
    first = mapped(repo, tmp_path)
    read: list[str] = []
    monkeypatch.setattr(store, "read", lambda source, path: read.append(path) or reader.read(source, path))
    assert mapped(repo, tmp_path).graph == first.graph
    assert read == []
    repo.commit("more", {"lib/base.py": "def low():\n    high()\n\n\ndef high():\n    pass\n"})
    assert mapped(repo, tmp_path).callers("lib/base.py", "high") == [Link("lib/base.py", "low", 2, True)]
    assert read == ["lib/base.py"]
    assert mapped(repo, tmp_path, "HEAD~1").graph == first.graph
    repo.git("reset", "-q", "--hard", "HEAD~1")


def test_the_newest_maps_are_kept(layers: tuple[Repo, Path], tmp_path: Path) -> None:
    repo, _ = layers
    with MapStore(open_repository(str(repo.path), tmp_path).git_dir, tmp_path) as kept:
        for number in range(store.MOST_MAPS + 2):
            kept.keep(str(number), b"x")
        assert [kept.map_of(str(number)) for number in (0, 1, store.MOST_MAPS + 1)] == [None, None, b"x"]


def test_the_same_text_is_a_test_in_one_file_and_none_in_another(
    make_repo: Callable[[str], Repo], tmp_path: Path
) -> None:
    repo = make_repo("twice")
    text = "def test_it():\n    pass\n"
    repo.commit("begin", {"tests/test_one.py": text, "tool.py": text})
    found = mapped(repo, tmp_path)
    assert [found.symbols(path)[0].is_test for path in ("tests/test_one.py", "tool.py")] == [True, False]


def test_odd_repositories_have_a_map(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("odd")
    repo.commit("begin", {"notes.md": "x\n"})
    assert mapped(repo, tmp_path).files == []
    assert overview_of(mapped(repo, tmp_path)).lines(5)[0].startswith("0 files")
    odd: dict[str, str | bytes] = {
        "a\nb.py": "def f():\n    f()\n",
        "<script>.py": b"def caf\xe9():\n    pass\n",
        "binary.py": b"\0\1\2",
        "large.py": b"x = 1\n" * 200_000,
        "min.js": "x" * 20_000,
        "empty.py": "",
        "Cargo.toml": "[package\n",
        "package.json": '["not", "a", "manifest"]',
        "go.mod": b"\xff\xfe",
    }
    repo.commit("odd", odd)
    (repo.path / "link.py").symlink_to("/etc/passwd")
    repo.commit("link")
    found = mapped(repo, tmp_path)
    assert found.files == ["<script>.py", "a\nb.py", "empty.py", "link.py"]
    assert found.callers("a\nb.py", "f") == [Link("a\nb.py", "f", 2, True)]


def test_what_a_clone_lacks_is_left_out(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("lacking")
    repo.commit("begin", {"a.py": "def f(): ...\n", "b.py": "from a import f\nf()\n"})
    blob = repo.git("rev-parse", "HEAD:a.py")
    (repo.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    assert mapped(repo, tmp_path).files == ["b.py"]


def test_there_must_be_such_a_commit(layers: tuple[Repo, Path]) -> None:
    with pytest.raises(UserError, match="no commit is named"):
        mapped(*layers, commit="nothing")


def test_ranks_share_what_nothing_follows() -> None:
    found = ranks(["a", "b", "c"], [("a", "b"), ("c", "b"), ("b", "elsewhere")])
    assert sum(found.values()) == pytest.approx(1)
    assert found["b"] > found["a"] == pytest.approx(found["c"])
    assert ranks([], []) == {}


def test_a_cycle_is_new_when_an_import_closed_it() -> None:
    then = {("a", "b"), ("b", "c"), ("x", "y"), ("y", "x")}
    assert new_cycles(then | {("c", "a"), ("d", "a")}, then) == [("c", "a", "b")]
    assert new_cycles(then, then) == []
    assert new_cycles(then | {("y", "z"), ("z", "y")}, then) == [("y", "z")]  # z was in none
    assert set(groups_of(then)) == {"x", "y"}
    assert groups_of([]) == {}


def test_the_command_shows_a_map_a_symbol_and_a_file(layers: tuple[Repo, Path]) -> None:
    repo, folder = layers

    def said(*words: str) -> str:
        done = CliRunner().invoke(main, [str(repo.path), "--cache-dir", str(folder), *words])
        return done.stdout if not done.exit_code else done.stderr

    assert said().splitlines()[0] == "5 files besides tests, 9 symbols, 6 calls (5 sure), 3 imports"
    assert "lib/middle.py mid (at lib/middle.py:5)" in said("--of", "lib/base.py:low")
    assert "lib/odd.py Odd.odd_one (at lib/top.py:7, by name)" in said("--of", "lib/top.py:top")
    assert "tests/test_top.py test_top (3 calls away)" in said("--of", "lib/base.py")
    assert "  and 1 more" in said("--of", "lib/base.py:low", "--top", "1")
    assert "did you mean" in said("--of", "lib/bas.py").lower()
    assert "has no symbol 'lo'" in said("--of", "lib/base.py:lo")
