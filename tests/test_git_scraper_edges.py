"""Everything odd that a repository can hold, against git's own words."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builders import Repo, Scraped, scrape
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from core.errors import StageError, UserError
from core.git.diff_trees import DiffTree
from core.records.commits import Commit, FileDiff

MakeRepo = Callable[[str], Repo]
LATIN_NAME = b"caf\xe9.txt"


def raw(repo: Repo, *arguments: str, stdin: bytes = b"") -> bytes:
    """Bytes that git prints."""
    return subprocess.run(["git", *arguments], cwd=repo.path, input=stdin, capture_output=True, check=True).stdout


def made(repo: Repo, tree: str, message: bytes = b"made\n", headers: bytes = b"", person: bytes = b"A <a@x>") -> str:
    """A commit object written by hand, on top of the branch that is checked out."""
    repo.clock += 3600
    before = repo.git("rev-parse", "--verify", "--quiet", "HEAD") if repo.git("for-each-ref", "refs/heads") else ""
    parent = f"parent {before}\n".encode() if before else b""
    date = b" %d +0000\n" % repo.clock
    content = b"tree %s\n" % tree.encode() + parent + b"author " + person + date + b"committer " + person + date
    text = content + headers + b"\n" + message
    hash_ = raw(repo, "hash-object", "-t", "commit", "-w", "--stdin", "--literally", stdin=text).decode().strip()
    repo.git("update-ref", "refs/heads/main", hash_)
    return hash_


def blob(repo: Repo, content: bytes) -> str:
    return raw(repo, "hash-object", "-w", "--stdin", stdin=content).decode().strip()


def tree(repo: Repo, entries: list[tuple[str, str, bytes]]) -> str:
    """A tree of (mode, object, name), whether or not the objects are there."""
    kinds = {"40000": b"tree", "160000": b"commit"}
    lines = [
        mode.encode() + b" " + kinds.get(mode, b"blob") + b" " + id_.encode() + b"\t" + n for mode, id_, n in entries
    ]
    return raw(repo, "mktree", "-z", "--missing", stdin=b"".join(line + b"\0" for line in lines)).decode().strip()


def expected(repo: Repo, *scope: str) -> dict[str, list[tuple[Any, ...]]]:
    """What git itself reports about every commit: status, paths, modes, blobs."""
    listing = raw(
        repo,
        *(
            "--no-replace-objects",
            "log",
            *(scope or ("--branches", "--tags", "--remotes")),
            "--diff-merges=first-parent",
        ),
        *("-r", "--raw", "-z", "-M50%", "--no-abbrev", "--format=%x01%H", "--root"),
    )
    found = {}
    for record in listing.split(b"\1")[1:]:
        hash_, _, rest = record.partition(b"\0")
        tokens = rest.lstrip(b"\n").split(b"\0")
        entries = []
        while len(tokens) > 1:
            old_mode, new_mode, old, new, status = tokens.pop(0)[1:].decode().split()
            paths = [tokens.pop(0) for _ in range(2 if status[0] in "RC" else 1)]
            entries.append((status[0], paths[0] if len(paths) > 1 else None, paths[-1], old_mode, new_mode, old, new))
        found[hash_.decode()] = entries
    return found


def same_as_git(repo: Repo, found: Scraped, *scope: str) -> None:
    """Every commit is there, parents first, with git's own list of file changes, and every patch applies."""
    commits = found.commits
    assert {commit.metadata.hash: [entry(diff) for diff in commit.diffs] for commit in commits} == expected(
        repo, *scope
    )
    seen: set[str] = set()
    for commit in commits:
        assert seen.issuperset(commit.metadata.parents)
        seen.add(commit.metadata.hash)
        assert commit.metadata.insertions == sum(diff.additions for diff in commit.diffs)
        for diff in commit.diffs:
            applies(repo, diff)
    json.loads((found.folder / "commits.json").read_bytes())


def entry(diff: FileDiff) -> tuple[Any, ...]:
    def name(text: str | None, encoding: str) -> bytes | None:
        return None if text is None else text.encode(encoding)

    names = (name(diff.old_filename, diff.old_filename_encoding), name(diff.filename, diff.filename_encoding))
    return (diff.change_type, *names, diff.old_mode, diff.new_mode, diff.old_blob, diff.new_blob)


def applies(repo: Repo, diff: FileDiff) -> None:
    """The old blob with the patch on top is the new blob, and the counts are those of the patch."""
    if not diff.patch or diff.patch_truncated or "160000" in (diff.old_mode, diff.new_mode) or diff.change_type == "T":
        return
    sides = ((diff.old_blob, diff.old_wide_encoding), (diff.new_blob, diff.wide_encoding))
    texts = ((raw(repo, "cat-file", "blob", id_) if id_.strip("0") else b"", name) for id_, name in sides)
    old, new = (text.decode(name).encode() if name else text for text, name in texts)
    lines = re.findall(rb"[^\n]*\n|[^\n]+\Z", old)
    result: list[bytes] = []
    position = additions = deletions = 0
    sign = b""
    for line in re.findall(rb"[^\n]*\n", diff.patch.encode(diff.encoding)):
        if header := re.match(rb"@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@", line):
            start = int(header[1]) - (header[2] != b"0")
            result += lines[position:start]
            position = start
        elif line[:1] == b"\\":
            if sign in b" +":
                result[-1] = result[-1].removesuffix(b"\n")
            continue
        elif line[:1] == b"+":
            result.append(line[1:])
            additions += 1
        else:
            assert lines[position].removesuffix(b"\n") == line[1:].removesuffix(b"\n")
            position += 1
            deletions += line[:1] == b"-"
            result += [line[1:]] if line[:1] == b" " else []
        sign = line[:1]
    assert b"".join(result + lines[position:]) == new
    assert (diff.additions, diff.deletions) == (additions, deletions)


def last(found: Scraped) -> Commit:
    return found.commits[-1]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


NAMES = [
    *(
        "plain",
        "with space",
        " leading",
        "trailing ",
        "tab\tname",
        'quote"name',
        "back\\slash",
        "new\nline",
        "bell\x07",
    ),
    *("ünïcode", "x b/x", "a -> b", "-dash", "diff --git a/x b/x", "--- a", "del\x7f", "\u2028", "{a => b}", ":100644"),
]


def test_odd_names_added_changed_renamed_and_removed(make_repo: MakeRepo, out: Path) -> None:
    repo = make_repo("names")
    text = "".join(f"line {n}\n" for n in range(20))
    repo.commit("add", {name: f"{name}\n{text}" for name in NAMES})
    repo.commit("change", {name: f"{name}\n{text}more\n" for name in NAMES})
    for name in NAMES:
        repo.git("mv", "--", f"./{name}", f"./{name} moved")
    repo.commit("rename", {f"{name} moved": f"{name}\n{text}more\nstill more\n" for name in NAMES})
    repo.git("rm", "-q", "-r", ".")
    repo.commit("remove")
    found = scrape(repo.path, out)
    same_as_git(repo, found)
    assert {diff.change_type for diff in found.commits[2].diffs} == {"R"}
    assert {diff.filename for diff in found.commits[0].diffs} == set(NAMES)


def test_a_name_in_latin_1_is_kept_to_the_byte_and_flagged(make_repo: MakeRepo, out: Path) -> None:
    repo = make_repo("latin")
    made(repo, tree(repo, [("100644", blob(repo, b"one\n"), LATIN_NAME)]))
    made(repo, tree(repo, [("100644", blob(repo, b"two\n"), LATIN_NAME)]))
    made(repo, tree(repo, [("100644", blob(repo, b"two\n"), "é.txt".encode())]))
    found = scrape(repo.path, out)
    same_as_git(repo, found)
    assert (found.commits[1].diffs[0].filename, found.commits[1].diffs[0].filename_encoding) == ("café.txt", "latin-1")
    assert (last(found).diffs[0].old_filename, last(found).diffs[0].filename) == ("café.txt", "é.txt")
    assert (last(found).diffs[0].old_filename_encoding, last(found).diffs[0].filename_encoding) == ("latin-1", "utf-8")


CONTENTS: dict[str, tuple[bytes, bytes]] = {
    "no final newline": (b"a", b"a\nb"),
    "final newline gone": (b"a\nb\n", b"a\nb"),
    "crlf": (b"a\r\nb\r\n", b"a\r\nc\r\n"),
    "cr only": (b"a\rb\r", b"a\rc\r"),
    "late nul": (b"x\n" * 5000 + b"\x00", b"x\n" * 5000 + b"y\x00"),
    "latin-1": (b"caf\xe9\n", b"caf\xe8\n"),
    "looks like a patch": (b"--- a\n+++ b\n@@ -1 +1 @@\n", b"-- a\n++ b\ndiff --git a/x b/x\n@@ -1 +1 @@\n"),
    "fake diff": (b"x\n", b"x\ndiff --git a/00000001 b/00000001\nBinary files a/x and b/x differ\n@@ -1 +1 @@\n"),
    "separators": ("a\u2028b\x85c\x0bd\x0c\x1c\n".encode(), "a\u2028b\x85c\x0be\x0c\x1d\n".encode()),
    "long line": (b"a" * 3_000_000 + b"\n", b"a" * 3_000_000 + b"b\n"),
    "emptied": (b"a\nb\n", b""),
    "filled": (b"", b"a\n"),
    "utf-16": ("a\nb\n".encode("utf-16"), "a\nc\n".encode("utf-16")),
    "numbers": (b"\1\0\2\0", b"\1\0\3\0"),
    "backslash": (b"\\ No newline at end of file\n", b"\\ No newline at end of file"),
    "many hunks": (
        b"".join(b"%d\n" % n for n in range(500)),
        b"".join(b"%d\n" % (n if n % 50 else -n) for n in range(500)),
    ),
}


@pytest.mark.parametrize("kind", CONTENTS)
def test_contents(make_repo: MakeRepo, out: Path, kind: str) -> None:
    before, after = CONTENTS[kind]
    repo = make_repo("contents")
    repo.git("config", "core.autocrlf", "false")
    repo.commit("before", {"file": before, "zz": "1\n"})
    repo.commit("after", {"file": after, "zz": "2\n"})
    found = scrape(repo.path, out, max_patch_bytes=10_000_000)
    same_as_git(repo, found)
    diff = last(found).diffs[0]
    assert diff.is_binary == (kind == "numbers")
    assert diff.encoding == ("latin-1" if kind == "latin-1" else "utf-8")
    assert bool(diff.patch) != diff.is_binary


@pytest.mark.parametrize(
    ("headers", "message", "text", "encoding"),
    [
        (b"", "größe\n".encode(), "größe", "utf-8"),
        (b"encoding ISO-8859-1\n", "größe\n".encode("latin-1"), "größe", "iso8859-1"),
        (b"encoding shift_jis\n", "日本\n".encode("shift_jis"), "日本", "shift_jis"),
        (b"encoding UTF-8\n", b"gr\xf6\xdfe\n", "größe", "latin-1"),
        (b"encoding no-such-thing\n", b"gr\xf6\xdfe\n", "größe", "latin-1"),
        (b"encoding ISO-8859-1\n", "größe\n".encode(), "größe", "utf-8"),
        (b"encoding hex\n", b"gr\xf6\xdfe\n", "größe", "latin-1"),
        (b"encoding utf-16\n", b"gr\xf6\xdfe\n", "größe", "latin-1"),
        (b"encoding utf_16_be\n", b"gr\xf6\xdfe\n", "größe", "latin-1"),
        (b"encoding unicode_escape\n", b"gr\xf6\\x00\n", "grö\\x00", "latin-1"),
        (b"encoding raw_unicode_escape\n", b"gr\xf6\\ud800\n", "grö\\ud800", "latin-1"),
        (b"encoding cp037\n", b"gr\xf6\xdfe\n", "größe", "latin-1"),
        (b"encoding koi8-r\n", "привет\n".encode("koi8-r"), "привет", "koi8-r"),
        (b"", b"gr\xf6\xdfe\n", "größe", "latin-1"),
        (b"", "表示の不具合を直す\n".encode("cp932"), "表示の不具合を直す", "cp932"),
        (b"", "исправлена ошибка чтения\n".encode("cp1251"), "исправлена ошибка чтения", "cp1251"),
        (b"", "修复读取文件的错误\n".encode("gb18030"), "修复读取文件的错误", "gb18030"),
        (b"encoding UTF-8\n", "설정을 읽는다\n".encode("cp949"), "설정을 읽는다", "cp949"),
        (b"", b"cut\0here\n", "cut", "utf-8"),
    ],
)
def test_messages_in_any_encoding(
    make_repo: MakeRepo, out: Path, headers: bytes, message: bytes, text: str, encoding: str
) -> None:
    repo = make_repo("encoding")
    made(repo, tree(repo, []), message, headers)
    found = scrape(repo.path, out)
    meta = last(found).metadata
    assert (meta.message, meta.encoding, meta.author) == (text, encoding, "A")
    assert meta.encoding_guessed is (True if encoding in ("cp932", "cp1251", "gb18030", "cp949") else UNSET)
    mapped = last(scrape(repo.path, out / "mapped", mailmap=True)).metadata
    assert (mapped.message, mapped.encoding) == (text, encoding)


@pytest.mark.parametrize("headers", [b"", b"encoding shift_jis\n"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
def test_line_ends_of_messages(make_repo: MakeRepo, out: Path, end: str, headers: bytes) -> None:
    lines = ("Fix it", "", "Closes #3.", "---", "表", "", "Signed-off-by: A", " <a@x>", "Fixes: #4", "")
    repo = make_repo("ends")
    made(repo, tree(repo, []), end.join(lines).encode("shift_jis" if headers else "utf-8"), headers)
    meta = last(scrape(repo.path, out)).metadata
    assert (meta.message, meta.message_body) == ("Fix it", "\n".join(lines[2:-1]))
    assert meta.trailers == {"Signed-off-by": ["A <a@x>"], "Fixes": ["#4", "#3"]}


@pytest.mark.parametrize("person", [b"A <a@x", b"<>", b" <a@x>", b"A B C", b"A <a@x> <b@y>", b"\xff\xfe <\xff@x>"])
def test_broken_people_and_dates(make_repo: MakeRepo, out: Path, person: bytes) -> None:
    repo = make_repo("people")
    repo.commit("sound", {"a": "1\n"})
    made(repo, tree(repo, []), person=person)
    found = scrape(repo.path, out)
    same_as_git(repo, found)
    assert last(found).metadata.message == "made"


def test_dates_outside_any_calendar(make_repo: MakeRepo, out: Path) -> None:
    repo = make_repo("dates")
    for date in (b"99999999999999 +0000", b"0 +0000", b"-5 +0000", b"1700000000 +99999", b"nonsense"):
        content = b"tree %s\nauthor A <a@x> %s\ncommitter A <a@x> %s\n\nx\n" % (tree(repo, []).encode(), date, date)
        hash_ = raw(repo, "hash-object", "-t", "commit", "-w", "--stdin", "--literally", stdin=content).decode().strip()
        repo.git("update-ref", f"refs/heads/b{len(repo.git('for-each-ref'))}", hash_)
    found = scrape(repo.path, out)
    assert len(found.commits) == 5
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", commit.metadata.timestamp) for commit in found.commits)


def test_merges_of_every_kind(make_repo: MakeRepo, out: Path) -> None:
    repo = make_repo("merges")
    repo.commit("base", {"base": "1\n", "both": "a\nb\nc\n"})
    for name in ("one", "two", "three"):
        repo.git("checkout", "-q", "-b", name, "main")
        repo.commit(f"on {name}", {name: f"{name}\n"})
    repo.git("checkout", "-q", "main")
    repo.commit("on main", {"main": "main\n"})
    repo.git("merge", "-q", "-m", "octopus", "one", "two", "three")
    repo.git("checkout", "-q", "-b", "side", "HEAD~1")
    repo.commit("on the side", {"both": "a\nside\nc\n"})
    repo.git("checkout", "-q", "main")
    repo.clock += 3600
    repo.git("merge", "-q", "--no-commit", "side")
    repo.write({"evil": "in no parent\n"})
    repo.commit("evil merge")
    repo.clock += 3600
    repo.git("merge", "-q", "-s", "ours", "-m", "nothing taken", repo.git("commit-tree", "-m", "alone", "HEAD^{tree}"),
             "--allow-unrelated-histories")  # fmt: skip
    found = scrape(repo.path, out)
    same_as_git(repo, found)
    by_message = {commit.metadata.message: commit for commit in found.commits}
    assert len(by_message["octopus"].metadata.parents) == 4
    assert sorted(diff.filename for diff in by_message["octopus"].diffs) == ["one", "three", "two"]
    assert sorted(diff.filename for diff in by_message["evil merge"].diffs) == ["both", "evil"]
    assert by_message["nothing taken"].diffs == []


def test_several_roots_empty_commits_and_an_empty_root(make_repo: MakeRepo, out: Path) -> None:
    repo = make_repo("roots")
    repo.commit("empty root")
    repo.commit("", {"a": "1\n"})
    repo.git("checkout", "-q", "--orphan", "other")
    repo.commit("another root", {"b": "1\n"})
    repo.commit("nothing")
    found = scrape(repo.path, out)
    same_as_git(repo, found)
    assert sum(not commit.metadata.parents for commit in found.commits) == 2
    assert not last(found).diffs


def test_modes_links_and_submodules(make_repo: MakeRepo, out: Path) -> None:
    repo = make_repo("modes")
    one, two = blob(repo, b"#!/bin/sh\n"), blob(repo, b"target")
    commits = ["1" * 40, "2" * 40]
    states = [
        [("100644", one, b"script"), ("100644", one, b"turns"), ("160000", commits[0], b"module")],
        [("100755", one, b"script"), ("120000", two, b"turns"), ("160000", commits[1], b"module")],
        [("100755", two, b"script"), ("160000", commits[0], b"turns"), ("100644", one, b"module")],
        [("120000", two, b"script"), ("100644", one, b"turns"), ("160000", commits[0], b"module")],
        [("100644", blob(repo, b"\0bin"), b"turns"), ("120000", one, b"script")],
        [("120000", one, b"turns"), ("100644", blob(repo, b"\0more"), b"script")],
    ]
    for state in states:
        made(repo, tree(repo, sorted(state, key=lambda item: item[2])))
    found = scrape(repo.path, out)
    same_as_git(repo, found)
    second = {diff.filename: diff for diff in found.commits[1].diffs}
    assert (second["script"].patch, second["script"].old_mode, second["script"].new_mode) == ("", "100644", "100755")
    assert second["module"].patch == f"@@ -1 +1 @@\n-Subproject commit {commits[0]}\n+Subproject commit {commits[1]}\n"
    assert (second["turns"].change_type, second["turns"].additions, second["turns"].deletions) == ("T", 1, 1)


def test_renames_of_binary_files_are_binary(make_repo: MakeRepo, out: Path) -> None:
    repo = make_repo("binary")
    repo.commit("add", {"a.bin": b"\0" * 100, "a.txt": "text\n" * 20})
    repo.git("mv", "a.bin", "b.bin")
    repo.git("mv", "a.txt", "b.txt")
    repo.commit("rename")
    diffs = {diff.filename: diff for diff in last(scrape(repo.path, out)).diffs}
    assert {name: (diff.is_binary, diff.similarity) for name, diff in diffs.items()} == {
        "b.bin": (True, 100),
        "b.txt": (False, 100),
    }


def test_tags_on_everything_a_detached_head_and_notes(make_repo: MakeRepo, out: Path) -> None:
    repo = make_repo("tags")
    first = repo.commit("one", {"a": "1\n"})
    repo.git("tag", "-a", "inner", "-m", "x")
    repo.git("tag", "-a", "outer", "-m", "x", "inner")
    repo.git("tag", "on-blob", repo.git("rev-parse", "HEAD:a"))
    repo.git("tag", "on-tree", repo.git("rev-parse", "HEAD^{tree}"))
    repo.git("tag", "-a", "on-blob-too", "-m", "x", repo.git("rev-parse", "HEAD:a"))
    repo.git("notes", "add", "-m", "a note")
    repo.write({"a": "2\n"})
    repo.git("stash", "-q")
    repo.git("checkout", "-q", "--detach")
    away = repo.commit("detached", {"a": "3\n"})
    plain = scrape(repo.path, out / "plain")
    assert [commit.metadata.hash for commit in plain.commits] == [first]
    assert plain.commits[0].tags == ["inner", "outer"]
    head = scrape(repo.path, out / "head", refs=("branches", "head"))
    assert last(head).metadata.hash == away
    for kinds, scope in ((("notes",), "refs/notes/commits"), (("stash",), "refs/stash"), (("all",), "--all")):
        found = scrape(repo.path, out / kinds[0], refs=kinds)
        assert len(found.commits) == int(repo.git("rev-list", "--count", scope))


def test_an_empty_repository_and_one_without_refs_in_scope(make_repo: MakeRepo, out: Path) -> None:
    with pytest.raises(UserError, match="no commits yet"):
        scrape(make_repo("empty").path, out)
    repo = make_repo("detached")
    repo.commit("one", {"a": "1\n"})
    repo.git("checkout", "-q", "--detach")
    repo.git("branch", "-D", "main")
    with pytest.raises(UserError, match="none on its branches"):
        scrape(repo.path, out)


def test_shallow_clones_grafts_and_replace_refs(history: Repo, tmp_path: Path, out: Path) -> None:
    subprocess.run(
        ["git", "clone", "-q", "--depth=3", f"file://{history.path}", tmp_path / "shallow"],
        check=True,
        capture_output=True,
    )
    shallow = scrape(tmp_path / "shallow", out / "shallow")
    assert (len(shallow.commits), shallow.head.is_shallow, shallow.head.shallow_commits) == (3, True, 1)
    plain = scrape(history.path, out / "plain")
    assert not plain.head.is_shallow
    other = history.git("commit-tree", "-m", "stand-in", "HEAD^{tree}")
    history.git("replace", history.git("rev-parse", "HEAD~2"), other)
    assert scrape(history.path, out / "replaced").text == plain.text
    (history.path / ".git" / "info").mkdir(exist_ok=True)
    cut = history.git("--no-replace-objects", "rev-parse", "HEAD~4")
    (history.path / ".git" / "info" / "grafts").write_text(f"# cut here\n{cut}\n")
    grafted = scrape(history.path, out / "grafted")
    assert (grafted.head.grafted_commits, len(grafted.commits)) == (1, 5)
    assert len(grafted.commits) == int(history.git("--no-replace-objects", "rev-list", "--count", "main"))


def test_hostile_configuration_attributes_and_hooks(history: Repo, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history.commit("more", {"a.bin": b"\0\1", "data.py": "x = 1\n", ".gitattributes": "*.py -diff\n*.rs diff=foo\n"})
    history.commit("more", {"a.bin": b"\0\2", "data.py": "x = 2\n", "order": "*.py\n"})
    plain = scrape(history.path, out / "plain")
    same_as_git(history, plain)
    for key, value in {
        "diff.external": "false",
        "diff.foo.textconv": "false",
        "diff.foo.command": "false",
        "diff.noprefix": "true",
        "diff.mnemonicPrefix": "true",
        "diff.algorithm": "patience",
        "diff.context": "9",
        "color.ui": "always",
        "core.quotePath": "true",
        "log.showSignature": "true",
        "log.follow": "true",
        "format.pretty": "oneline",
        "diff.renames": "false",
        "diff.orderFile": "order",
        "diff.renameLimit": "1",
        "core.bigFileThreshold": "10",
        "diff.suppressBlankEmpty": "true",
        "diff.interHunkContext": "9",
        "diff.submodule": "log",
        "log.showRoot": "false",
        "log.diffMerges": "off",
        "log.date": "relative",
        "i18n.logOutputEncoding": "latin1",
        "log.mailmap": "true",
        "core.attributesFile": "order",
        "diff.ignoreSubmodules": "all",
        "diff.relative": "true",
        "core.fsmonitor": "false",
        "diff.wsErrorHighlight": "all",
        "diff.indentHeuristic": "false",
        "diff.colorMoved": "zebra",
    }.items():
        history.git("config", key, value)
    (history.path / ".git" / "info").mkdir(exist_ok=True)
    (history.path / ".git" / "info" / "attributes").write_text("* -diff\n*.rs binary\n")
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
    monkeypatch.setenv("GIT_DIFF_OPTS", "-u9")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert scrape(history.path, out / "hostile").text == plain.text


def remove(repo: Repo, id_: str) -> None:
    """Take an object out of the repository."""
    (repo.path / ".git" / "objects" / id_[:2] / id_[2:]).unlink()


def test_missing_blobs_flag_their_changes_alone(history: Repo, out: Path) -> None:
    whole = scrape(history.path, out / "whole")
    lost = history.git("rev-parse", "HEAD~3:src/lib.rs")
    remove(history, lost)
    found = scrape(history.path, out / "found")
    assert len(found.commits) == len(whole.commits)
    flagged = 0
    for before, after in zip(whole.commits, found.commits, strict=True):
        for one, other in zip(before.diffs, after.diffs, strict=True):
            if lost in (one.old_blob, one.new_blob):
                assert other.missing
                assert (other.patch, other.additions, entry(other)) == ("", 0, entry(one))
                flagged += 1
            else:
                assert one == other
    assert flagged == found.head.missing_file_changes == found.counts["file changes with missing objects"] > 0


def test_a_missing_blob_among_renames(make_repo: MakeRepo, out: Path) -> None:
    repo = make_repo("renames")
    text = "".join(f"line {n}\n" for n in range(50))
    repo.commit("add", {"a.txt": text, "b.txt": f"{text}b\n"})
    repo.git("mv", "a.txt", "c.txt")
    repo.git("mv", "b.txt", "d.txt")
    repo.commit("rename and edit", {"c.txt": f"new\n{text}", "d.txt": f"other\n{text}"})
    lost = repo.git("rev-parse", "HEAD:c.txt")
    remove(repo, lost)
    commit = last(scrape(repo.path, out))
    assert any(diff.missing and diff.new_blob == lost for diff in commit.diffs)
    assert any(diff.change_type == "R" and diff.filename == "d.txt" and diff.patch for diff in commit.diffs)


@pytest.mark.parametrize("damage", [b"\x78\x01garbage", b""])
def test_damaged_blobs_are_missing_too(history: Repo, out: Path, damage: bytes) -> None:
    lost = history.git("rev-parse", "HEAD~3:src/lib.rs")
    path = history.path / ".git" / "objects" / lost[:2] / lost[2:]
    path.chmod(0o644)
    path.write_bytes(damage)
    found = scrape(history.path, out)
    assert len(found.commits) == int(history.git("rev-list", "--count", "main"))
    assert found.head.missing_file_changes == 2


def test_missing_trees_keep_their_commits(history: Repo, out: Path) -> None:
    whole = scrape(history.path, out / "whole")
    lost = history.git("rev-parse", "HEAD~3:src")
    remove(history, lost)
    found = scrape(history.path, out / "found")
    assert len(found.commits) == len(whole.commits)
    flagged = [diff for commit in found.commits for diff in commit.diffs if diff.missing]
    assert {(diff.filename, diff.change_type, diff.new_mode) for diff in flagged} == {("src", "M", "040000")}
    assert lost in {flagged[0].new_blob, flagged[0].old_blob}
    unaffected = [n for n, commit in enumerate(found.commits) if not any(diff.missing for diff in commit.diffs)]
    assert len(unaffected) == len(whole.commits) - 2
    for number in unaffected:
        assert found.commits[number].diffs == whole.commits[number].diffs
    others = [diff for commit in found.commits for diff in commit.diffs if not diff.missing]
    assert all(not diff.filename.startswith("src/") or diff.patch for diff in others)


def test_a_missing_root_tree_and_a_damaged_one(history: Repo, out: Path) -> None:
    lost = history.git("rev-parse", "HEAD~3^{tree}")
    remove(history, lost)
    found = scrape(history.path, out / "missing")
    assert len(found.commits) == int(history.git("rev-list", "--count", "main"))
    assert [diff.filename for diff in found.commits[-4].diffs] == ["."]
    path = history.path / ".git" / "objects" / lost[:2] / lost[2:]
    path.write_bytes(b"garbage")
    again = scrape(history.path, out / "damaged")
    assert [commit.diffs for commit in again.commits] == [commit.diffs for commit in found.commits]


def test_a_missing_commit_is_an_error_with_a_way_out(history: Repo, out: Path) -> None:
    remove(history, history.git("rev-parse", "HEAD~3"))
    with pytest.raises(StageError, match=r"fsck|traverse|parents"):
        scrape(history.path, out)


def test_a_ref_to_a_missing_commit_is_reported_and_skipped(
    history: Repo, out: Path, caplog: pytest.LogCaptureFixture
) -> None:
    history.git("branch", "gone", "HEAD~1")
    lone = history.git("commit-tree", "-m", "alone", "HEAD^{tree}")
    history.git("update-ref", "refs/heads/gone", lone)
    plain = len(scrape(history.path, out / "whole").commits)
    remove(history, lone)
    found = scrape(history.path, out / "found")
    assert len(found.commits) == plain - 1
    assert "refs/heads/gone" in caplog.text or "gone" in str(found.head.ref_tips)


@pytest.mark.parametrize("what", ["blob:none", "tree:0"])
def test_partial_clones_fetch_nothing(history: Repo, tmp_path: Path, out: Path, what: str) -> None:
    history.git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "partial.git"
    words = ["git", "clone", "-q", "--bare", f"--filter={what}", f"file://{history.path}", clone]
    subprocess.run(words, check=True, capture_output=True)
    before = sorted((clone / "objects" / "pack").iterdir())
    found = scrape(clone, out)
    assert sorted((clone / "objects" / "pack").iterdir()) == before
    assert found.head.is_partial
    assert len(found.commits) == int(history.git("rev-list", "--count", "main"))
    assert all(diff.missing for commit in found.commits for diff in commit.diffs if diff.old_blob != diff.new_blob)


def test_other_places_for_objects(history: Repo, tmp_path: Path, out: Path) -> None:
    plain = scrape(history.path, out / "plain")
    odd = tmp_path / 'odd "name"\\ #x'
    history.git("clone", "-q", "--mirror", "--shared", str(history.path), str(odd))
    assert [c.metadata.hash for c in scrape(odd, out / "shared").commits] == [c.metadata.hash for c in plain.commits]
    history.git("worktree", "add", "-q", str(tmp_path / "tree"), "-b", "side")
    assert [c.diffs for c in scrape(tmp_path / "tree", out / "tree").commits] == [c.diffs for c in plain.commits]
    history.git("gc", "-q")
    history.git("commit-graph", "write", "--reachable", "--changed-paths")
    assert [c.diffs for c in scrape(history.path, out / "packed").commits] == [c.diffs for c in plain.commits]


def test_sha256_repositories(tmp_path: Path, out: Path) -> None:
    path = tmp_path / "sha256"
    repo = Repo.new(path, "--object-format=sha256")
    repo.commit("one", {"a": "1\n"})
    repo.commit("two", {"a": "2\n", "b": "x\n"})
    found = scrape(path, out)
    same_as_git(repo, found)
    assert len(last(found).metadata.hash) == 64
    assert len(scrape(path, out / "again", last=found).commits) == 2


def test_files_beyond_the_size_cap_have_true_counts(make_repo: MakeRepo, out: Path) -> None:
    repo = make_repo("large")
    repo.commit("add", {"big.txt": "line\n" * 5000, "big.bin": b"\0" * 9000, "small": "x\n"})
    repo.commit("change", {"big.txt": "new\n" + "line\n" * 4990, "big.bin": b"\0" * 9001})
    found = scrape(repo.path, out, max_file_bytes=8000)
    text, binary = ({diff.filename: diff for diff in commit.diffs} for commit in found.commits)
    assert (text["big.txt"].additions, text["big.txt"].patch, text["big.txt"].patch_truncated) == (5000, "", True)
    assert not text["big.txt"].is_binary
    assert (binary["big.txt"].additions, binary["big.txt"].deletions) == (1, 10)
    assert text["big.bin"].is_binary
    assert not text["big.bin"].patch_truncated
    assert text["small"].patch


def test_a_commit_with_thousands_of_files(make_repo: MakeRepo, out: Path) -> None:
    repo = make_repo("many")
    content = blob(repo, b"one\n")
    names = [b"f%05d" % n for n in range(5000)]
    others = [blob(repo, b"%d\n" % n) for n in range(3)]
    made(repo, tree(repo, [("100644", content, name) for name in names]))
    made(repo, tree(repo, [("100644", others[n % 3], name) for n, name in enumerate(names)]))
    found = scrape(repo.path, out)
    assert [len(commit.diffs) for commit in found.commits] == [5000, 5000]
    assert found.head.total_insertions == 10_000
    assert [diff.filename for diff in last(found).diffs] == [name.decode() for name in names]


def test_workers_and_windows_do_not_change_the_result(
    history: Repo, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = scrape(history.path, out / "one", workers=1).text
    monkeypatch.setattr("core.history.reader.WINDOW_COMMITS", 2)
    monkeypatch.setattr("core.history.reader.BATCH_CHANGES", 1)
    monkeypatch.setattr("core.history.reader.HORIZON_WINDOWS", 1)
    monkeypatch.setattr("core.history.changes.Spool.MEMORY_BYTES", 10)
    assert scrape(history.path, out / "four", workers=4).text == plain


LINE = st.sampled_from([b"a\n", b"b\n", b"\n", b"@@ -1 +1 @@\n", b"+x\n", b"-x\n", b"\xff\n", b"c\r\n", b"d"])
STATE = st.dictionaries(st.sampled_from(["a", "b", "c/d", "e\tf"]), st.lists(LINE, max_size=8), max_size=4)


@settings(max_examples=25)
@given(states=st.lists(STATE, min_size=1, max_size=5))
def test_any_history_of_small_files(
    tmp_path_factory: pytest.TempPathFactory, states: list[dict[str, list[bytes]]]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    repo = Repo.new(folder / "repo")
    repo.git("config", "core.autocrlf", "false")
    for state in states:
        repo.git("rm", "-r", "-q", "-f", "--ignore-unmatch", ".")
        repo.commit("state", {name: b"".join(lines) for name, lines in state.items()})
    same_as_git(repo, scrape(repo.path, folder / "out"))


def test_large_files_in_every_state(make_repo: MakeRepo, out: Path) -> None:
    repo = make_repo("large")
    target = blob(repo, b"target")
    text = [blob(repo, b"line %d\n" % n + b"x\n" * 6000) for n in range(3)]
    made(repo, tree(repo, [("100644", text[0], b"damaged"), ("100644", text[0], b"turns")]))
    made(repo, tree(repo, [("100644", text[1], b"damaged"), ("120000", target, b"turns")]))
    whole = scrape(repo.path, out / "whole", max_file_bytes=8000)
    turned = last(whole).diffs[1]
    assert (turned.change_type, turned.additions, turned.deletions) == ("T", 1, 6001)
    assert (turned.is_binary, turned.patch_truncated) == (False, True)
    path = repo.path / ".git" / "objects" / text[1][:2] / text[1][2:]
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[20:30] = b"0123456789"
    path.write_bytes(content)
    found = scrape(repo.path, out / "damaged", max_file_bytes=8000)
    assert [diff.missing for diff in last(found).diffs] == [True, False]
    assert last(found).diffs[1] == turned


def test_many_damaged_objects_hold_no_processes(
    make_repo: MakeRepo, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo = make_repo("damaged")
    names = {f"f{n}": f"{n}\n" for n in range(60)}
    repo.commit("add", names)
    repo.commit("change", {name: f"more {name}\n" for name in names})
    for name in list(names)[::3]:
        lost = repo.git("rev-parse", f"HEAD~1:{name}")
        path = repo.path / ".git" / "objects" / lost[:2] / lost[2:]
        path.chmod(0o644)
        path.write_bytes(b"garbage")
    running, most = 0, 0
    start, end = DiffTree.__init__, DiffTree.close

    def started(self: DiffTree, *arguments: Any) -> None:
        nonlocal running, most
        start(self, *arguments)
        running += 1
        most = max(most, running)

    def ended(self: DiffTree) -> None:
        nonlocal running
        running -= not self._errors.closed
        end(self)

    monkeypatch.setattr(DiffTree, "__init__", started)
    monkeypatch.setattr(DiffTree, "close", ended)
    monkeypatch.setattr("core.history.reader.BATCH_CHANGES", 7)
    found = scrape(repo.path, out, workers=2)
    assert found.head.missing_file_changes == 40
    assert running == 0
    assert most <= 4
    others = [diff for commit in found.commits for diff in commit.diffs if not diff.missing]
    assert len(others) == 80
    assert all(diff.patch for diff in others)
