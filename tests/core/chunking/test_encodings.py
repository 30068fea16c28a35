"""What a version is in where its own bytes say little."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from builders import Repo
from msgspec import UNSET
from test_git_scraper import scraped
from test_git_scraper_edges import blob as written
from test_git_scraper_edges import made, tree
from test_semantic_chunker import assert_sound, chunks_of, last

from core.chunking.segments import Settings
from core.git.blobs import BlobReader
from core.records.chunks import Chunk
from semantic_chunker import SemanticChunkerConfig

MakeRepo = Callable[[str], Repo]
SHORT = {"cp932": "読込", "euc_jp": "読込", "koi8-r": "да", "cp1251": "ок", "big5": "讀取", "gb18030": "读取"}
"""What says too little alone, by Python's name of the encoding."""
LONG = {
    "cp932": "設定を読み込む、表示する、ファイルを開く",
    "euc_jp": "設定を読み込む、表示する、ファイルを開く",
    "koi8-r": "чтение настроек, ошибка чтения файла, открыть окно",
    "cp1251": "чтение настроек, ошибка чтения файла, открыть окно",
    "big5": "初始化設定，讀取檔案內容，失敗則傳回錯誤",
    "gb18030": "读取文件内容，失败则返回错误，初始化设置",
}


def source(text: str, name: str, value: int = 1) -> bytes:
    return f"int f(void)\n{{\n    return {value}; // {text}\n}}\n".encode(name)


def encodings(chunk: Chunk) -> tuple[str, object, object]:
    return chunk.encoding, chunk.old_encoding, chunk.encoding_guessed


def only(chunks: dict[tuple[str, str | None], Chunk], path: str) -> Chunk:
    (found,) = (chunk for (own, _), chunk in chunks.items() if own == path)
    return found


@pytest.mark.parametrize("path", ["src/a.c", "src/a.txt"])
@pytest.mark.parametrize("name", SHORT)
def test_attributes_declare_an_encoding(make_repo: MakeRepo, name: str, path: str) -> None:
    repo = make_repo("declared")
    repo.commit("one", {path: source(SHORT[name], name)})
    assert last(repo)[path, None if path.endswith("txt") else "f"].encoding != name
    repo.commit("two", {path: source(SHORT[name], name, 2), ".gitattributes": f"src/* encoding={name}\n"})
    assert_sound(repo)
    found = only(last(repo), path)
    assert f"return 2; // {SHORT[name]}" in found.new_code
    assert (found.encoding, found.encoding_guessed) == (name, UNSET)


@pytest.mark.parametrize("name", ["cp932", "koi8-r", "gb18030"])
@pytest.mark.parametrize("attribute", ["encoding", "working-tree-encoding"])
def test_what_is_declared_counts_more_than_a_guess(make_repo: MakeRepo, name: str, attribute: str) -> None:
    repo = make_repo("declared")
    blob, attributes = source(LONG[name], name), f"*.c {attribute}={name}\n".encode()
    made(repo, tree(repo, [("100644", written(repo, blob), b"a.c")]))
    assert encodings(only(last(repo), "a.c")) == (name, UNSET, True)
    contents = {b".gitattributes": attributes, b"a.c": blob, b"b.c": blob}
    made(
        repo, tree(repo, [("100644", written(repo, content), name) for name, content in contents.items()])
    )  # by hand, so that git does not store the file in UTF-8
    assert encodings(only(last(repo), "b.c")) == (name, UNSET, UNSET)


def test_attributes_of_each_sides_commit_count(make_repo: MakeRepo) -> None:
    repo = make_repo("declared")
    repo.commit("one", {"a.c": source("да", "koi8-r"), ".gitattributes": "*.c encoding=koi8-r\n"})
    repo.commit("two", {"a.c": source("да", "cp866", 2), ".gitattributes": "*.c encoding=cp866\n"})
    repo.commit("three", {"a.c": source("да", "cp866", 3), ".gitattributes": "*.h encoding=cp866\n"})
    assert_sound(repo)
    found = [encodings(chunk) for _, chunks in chunks_of(repo)[0] for chunk in chunks if chunk.file_path == "a.c"]
    assert found == [("koi8-r", UNSET, UNSET), ("cp866", "koi8-r", UNSET), ("cp866", UNSET, True)]


@pytest.mark.parametrize("declared", ["euc-jp", "utf-8", "utf-16", "none", "ascii"])
def test_an_encoding_that_does_not_read_a_file_is_none(make_repo: MakeRepo, declared: str) -> None:
    repo = make_repo("declared")
    data = source(LONG["cp932"], "cp932")
    repo.commit("one", {"a.c": data, ".gitattributes": f"*.c encoding={declared}\n"})
    assert encodings(only(last(repo), "a.c")) == ("cp932", UNSET, True)


@pytest.mark.parametrize("path", ["src/a.c", "src/a.txt"])
@pytest.mark.parametrize("name", SHORT)
def test_files_of_the_folder_settle_a_doubt(make_repo: MakeRepo, name: str, path: str) -> None:
    ending = path.rpartition(".")[2]
    repo = make_repo("folder")
    others = {f"src/{number}.{ending}": source(LONG[name], name, number) for number in range(3)}
    repo.commit("others", {**others, "other/b.c": b"int b;\n"})
    repo.commit("one", {path: source(SHORT[name], name)})
    repo.commit("edit", {path: source(SHORT[name], name, 2)})
    assert_sound(repo)
    for commit in (-2, -1):
        (found,) = chunks_of(repo)[0][commit][1]
        assert SHORT[name] in found.new_code
        assert encodings(found) == (name, UNSET, True)


@pytest.mark.parametrize("place", ["src/{}.txt", "other/{}.c", "src/deeper/{}.c", "{}.c"])
def test_other_files_say_nothing(make_repo: MakeRepo, place: str) -> None:
    repo = make_repo("folder")
    others = {place.format(number): source(LONG["koi8-r"], "koi8-r", number) for number in range(3)}
    repo.commit("all", {**others, "src/a.c": source("да", "koi8-r")})
    assert only(last(repo), "src/a.c").encoding == "latin-1"


@pytest.mark.parametrize("text", ["größe", "© 2001", "25 °C"])
@pytest.mark.parametrize("name", ["cp932", "koi8-r", "gb18030"])
def test_a_folder_makes_no_other_letters_of_western_ones(make_repo: MakeRepo, name: str, text: str) -> None:
    repo = make_repo("folder")
    others = {f"{number}.c": source(LONG[name], name, number) for number in range(3)}
    repo.commit("all", {**others, "a.c": source(f"größer als {text}, natürlich für später", "latin-1")})
    found = only(last(repo), "a.c")
    assert found.encoding == "latin-1"
    assert text in found.new_code


@pytest.mark.parametrize(
    "others",
    [
        {".gitattributes": "*.ipynb encoding=cp866\n"},
        {"b.ipynb": LONG["koi8-r"].encode("koi8-r")},
        {".gitattributes": "* encoding=koi8-r"},
    ],
)
def test_a_large_notebook_is_read_as_it_is_alone(make_repo: MakeRepo, others: dict[str, str | bytes]) -> None:
    """Its outputs make it larger than what is read a second time."""
    cell = '{{"cell_type":"code","source":["x = {} # да"],\n"outputs":["{}"]}}'
    before, after = (f'{{"cells":[\n{cell.format(n, "0" * 5000)}\n]}}\n'.encode("koi8-r") for n in (1, 2))
    repo = make_repo("large")
    repo.commit("one", {"a.ipynb": before, **others})
    repo.commit("two", {"a.ipynb": after})
    (found,) = last(repo, max_file_bytes=2000).values()
    assert (found.additions, found.deletions, found.encoding) == (1, 1, "latin-1")


def test_without_guesses_a_folder_says_nothing(make_repo: MakeRepo) -> None:
    repo = make_repo("folder")
    repo.commit("all", {"a.c": source("да", "koi8-r"), "b.c": source(LONG["koi8-r"], "koi8-r")})
    assert only(last(repo), "a.c").encoding == "koi8-r"
    assert only(last(repo, min_encoding_confidence=1.0), "a.c").encoding == "latin-1"


def test_a_commit_gives_the_same_whatever_was_read_before(make_repo: MakeRepo) -> None:
    """One file is in doubt in all commits, while its folder and the attributes change around it."""
    repo = make_repo("same")
    for number in range(4):
        repo.commit(f"none {number}", {"a.c": source("да", "koi8-r", number), "b.c": f"int b = {number};\n"})
        folder = {"b.c": source(LONG["koi8-r"], "koi8-r", number)}
        repo.commit(f"folder {number}", {"a.c": source("да", "koi8-r", 10 + number), **folder})
        attributes = {".gitattributes": f"*.c encoding={'cp1251' if number % 2 else 'koi8-r'}\n"}
        repo.commit(f"declared {number}", {"a.c": source("да", "koi8-r", 20 + number), **attributes})
        repo.commit(f"back {number}", {".gitattributes": "\n", "b.c": "int b;\n"})
    together = chunks_of(repo)[0]
    settings = Settings.of(SemanticChunkerConfig().model_dump(), repo.path / ".git")
    for commit, chunks in zip(scraped(repo), (chunks for _, chunks in together), strict=True):
        with BlobReader(repo.path / ".git") as blobs:
            assert list(settings.chunker(blobs).chunks(commit)) == chunks
    names = {encodings(chunk) for _, chunks in together for chunk in chunks if chunk.file_path == "a.c"}
    assert {("latin-1", UNSET, UNSET), ("koi8-r", UNSET, True), ("koi8-r", UNSET, UNSET)} < names
    assert "cp1251" in {name for name, _, _ in names}
