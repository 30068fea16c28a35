"""Old symbols and new ones: the same, renamed, moved, or strangers."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from core.chunking.code_tokens import TOKEN
from core.chunking.likeness import Version
from core.chunking.matching import Matches
from core.chunking.outline import Outline
from core.chunking.parsing import outline

BODY = "    let total = items.iter().map(|item| item.price * item.count).sum::<u64>();\n    total - discount(total)\n"
OTHER = "    let mut file = File::open(path)?;\n    file.read_to_string(&mut text)?;\n    Ok(text.lines().count())\n"


def read(text: str, language: str = "rust") -> Outline:
    found = outline(text.encode(), language, "x")
    assert found is not None
    return found


def matched(before: list[str], after: list[str], language: str = "rust") -> dict[str, tuple[str, str]]:
    """New qualified name -> (old one, how) for every match of two sides; files are named by their number."""
    olds, news = ([read(text, language) for text in side] for side in (before, after))
    matches = Matches(olds, news)
    found = {}
    for file, side in enumerate(news):
        for owner in side.owners():
            match = matches.of_new(Version(file, owner))
            assert match.new == Version(file, owner)
            if match.old:
                assert matches.of_old(match.old) == match
                old = olds[match.old.file].symbol(match.old.owner).qualified_name
                found[f"{file}:{side.symbol(owner).qualified_name}"] = (f"{match.old.file}:{old}", match.how)
    return found


def test_the_same_name_is_the_same_symbol() -> None:
    assert matched(["fn a() { 1; }\n"], ["fn a() { 2; }\nfn b() {}\n"]) == {"0:a": ("0:a", "key")}


def test_a_body_under_another_name_is_a_rename() -> None:
    old, new = (f"fn {name}(items: &[Item]) -> u64 {{\n{BODY}}}\n" for name in ("price", "cost"))
    assert matched([old], [new]) == {"0:cost": ("0:price", "body")}


def test_a_short_body_is_no_evidence_of_a_rename() -> None:
    assert matched(["fn one() -> u8 { 1 }\nconst A: u8 = 1;\n"], ["fn uno() -> u8 { 1 }\nconst B: u8 = 1;\n"]) == {}


def test_twelve_tokens_are_enough_in_one_file_but_not_across_files() -> None:
    old, new = "fn one() -> u8 { alpha + beta }\n", "fn uno() -> u8 { alpha + beta }\n"
    assert matched([old], [new]) == {"0:uno": ("0:one", "body")}
    assert matched([old, ""], ["", new]) == {}


def test_an_edited_body_is_recognised_if_it_is_alike() -> None:
    old = f"fn price(items: &[Item]) -> u64 {{\n{BODY}}}\n"
    edited = old.replace("price(", "cost(").replace("total - discount(total)", "total - rebate(total)")
    assert matched([old], [edited]) == {"0:cost": ("0:price", "similarity")}
    assert matched([old], [f"fn read(path: &Path) -> Result<usize> {{\n{OTHER}}}\n"]) == {}


def test_a_function_moves_between_files() -> None:
    function = f"fn price(items: &[Item]) -> u64 {{\n{BODY}}}\n"
    assert matched([function, "fn x() {}\n"], ["fn y() {}\n", f"fn x() {{}}\n{function}"]) == {
        "1:x": ("1:x", "key"),
        "1:price": ("0:price", "body"),
    }


def test_a_type_moves_between_files_however_short() -> None:
    assert matched(["struct Unit;\n", ""], ["", "struct Unit;\n"]) == {"1:Unit": ("0:Unit", "body")}


def test_small_methods_of_strangers_are_not_moved() -> None:
    old = "impl Old {\n    fn new() -> Self { Self }\n}\n"
    new = "impl New {\n    fn new() -> Self { Self }\n}\n"
    assert matched([old, ""], ["", new]) == {}


def test_methods_of_a_renamed_type_are_the_same_methods() -> None:
    methods = "".join(f"    fn part{n}(&self) -> u64 {{ self.items[{n}].price * {n} }}\n" for n in range(5))
    found = matched([f"impl Cart {{\n{methods}}}\n"], [f"impl Basket {{\n{methods}}}\n"])
    assert found["0:Basket"] == ("0:Cart", "body")
    assert found["0:Basket::part3"][0] == "0:Cart::part3"


def test_among_equal_keys_the_unchanged_one_stays() -> None:
    unix = f"#[cfg(unix)]\nfn f() {{\n{BODY}}}\n"
    windows = f"#[cfg(windows)]\nfn f() {{\n{OTHER}}}\n"
    olds, news = read(unix + windows), read(windows)
    match = Matches([olds], [news]).of_new(Version(0, next(news.owners())))
    assert match.old is not None
    assert olds.text(match.old.owner) == news.text(next(news.owners()))


def test_every_symbol_is_in_exactly_one_match() -> None:
    olds = [read(f"fn a() {{ {n}; }}\nmod m {{ fn b() {{}} fn c() {{}} }}\n") for n in range(3)]
    news = [read(f"mod m {{ fn c() {{}} fn b() {{ {n}; }} }}\nfn d() {{}}\n") for n in range(3)]
    matches = Matches(olds, news)
    seen = set()
    for file, side in enumerate(olds):
        seen |= {matches.of_old(Version(file, owner)) for owner in side.owners()}
    for file, side in enumerate(news):
        seen |= {matches.of_new(Version(file, owner)) for owner in side.owners()}
    assert sorted(one.old for one in seen if one.old) == [
        Version(f, o) for f, side in enumerate(olds) for o in side.owners()
    ]
    assert sorted(one.new for one in seen if one.new) == [
        Version(f, o) for f, side in enumerate(news) for o in side.owners()
    ]


class Rename(NamedTuple):
    """A symbol before and after a commit; `...` is where its words go."""

    before: str
    after: str
    files: tuple[tuple[str, ...], tuple[str, ...]] = (("{}",), ("{}",))
    """The files before and after, `{}` for the symbol."""
    language: str = "rust"

    def how(self, tokens: int, kept: int) -> str:
        """How the two are matched if each has so many tokens and shares so many; empty if they are not."""
        sides = []
        for code, files, side in ((self.before, self.files[0], "old"), (self.after, self.files[1], "new")):
            fixed = len(TOKEN.findall(code.replace("...", "").encode()))
            words = [f"kept{n}" for n in range(kept - fixed)] + [f"{side}{n}" for n in range(tokens - kept)]
            symbol = code.replace("...", " ".join(words))
            sides.append([file.replace("{}", symbol) for file in files])
        found = matched(*sides, self.language)
        return next((how for name, (_, how) in found.items() if not name.endswith(("Here", "There"))), "")


CODE = "fn old() { m!(...) }"
OTHER_FILE = (("{}", ""), ("", "{}"))
OTHER_MODULE = (("mod Here {{}}\nmod There { }",), ("mod Here { }\nmod There {{}}",))
NEW_NAME = Rename(CODE, "fn new() { m!(...) }")
NEW_NAME_AND_FILE = NEW_NAME._replace(files=OTHER_FILE)
NEW_SIGNATURE = Rename("fn old(x: u8, y: u16) { m!(...) }", "fn new(y: u16, x: u8) { m!(...) }")
NEW_FILE = Rename(CODE, CODE, OTHER_FILE)
NEW_MODULE = Rename(CODE, CODE, OTHER_MODULE)


@pytest.mark.parametrize(
    ("rename", "least"),
    [
        pytest.param(NEW_SIGNATURE, 80, id="four fifths under another name"),
        pytest.param(NEW_NAME, 70, id="seven tenths under another name with the same signature"),
        pytest.param(NEW_FILE, 70, id="seven tenths under the same name in another file"),
        pytest.param(NEW_MODULE, 50, id="half under the same name in the same file"),
        *(
            pytest.param(
                Rename(code.format("Old"), code.format("New"), language=language), 90, id=f"nine tenths of a {kind}"
            )
            for kind, language, code in (
                ("constant", "rust", "const {}: u8 = m!(...);"),
                ("type", "rust", "type {} = m!(...);"),
                ("struct", "rust", "struct {} {{ x: m!(...) }}"),
                ("enum", "rust", "enum {} {{ X(m!(...)) }}"),
                ("interface", "typescript", "interface {} {{ x: '...' }}"),
                ("section", "markdown", "# {}\n\n...\n"),
                ("table", "toml", "[{}]\n\"x\" = '...'\n"),
                ("key", "toml", "{} = '...'\n"),
            )
        ),
    ],
)
def test_an_edited_symbol_is_the_same_if_it_keeps_enough_of_its_tokens(rename: Rename, least: int) -> None:
    assert rename.how(100, kept=least) == "similarity"
    assert rename.how(100, kept=least - 1) == ""


@pytest.mark.parametrize(
    ("rename", "changed", "least", "how"),
    [
        pytest.param(NEW_NAME, 1, 12, "similarity", id="12 tokens, edited, under another name"),
        pytest.param(NEW_NAME, 0, 12, "body", id="12 equal tokens under another name"),
        pytest.param(NEW_FILE, 1, 12, "similarity", id="12 tokens, edited, in another file"),
        pytest.param(NEW_NAME_AND_FILE, 0, 24, "body", id="24 equal tokens under another name in another file"),
    ],
)
def test_a_symbol_is_recognised_only_if_it_has_enough_tokens(
    rename: Rename, changed: int, least: int, how: str
) -> None:
    assert rename.how(least, kept=least - changed) == how
    assert rename.how(least - 1, kept=least - 1 - changed) == ""


@pytest.mark.parametrize(("olds", "found"), [(200, 200), (201, 199)])
def test_the_symbols_of_a_file_are_compared_forty_thousand_times(olds: int, found: int) -> None:
    """200 old ones times 200 new ones are compared; with one more old one, the last new one is left out."""
    old = "".join(f"fn old{n}() {{ m!({'word ' * n} a{n} b c d e f) }}\n" for n in range(olds))
    new = "".join(f"fn new{n}() {{ m!({'word ' * n} z{n} b c d e f) }}\n" for n in range(200))
    assert len(matched([old], [new])) == found


@pytest.mark.parametrize(("files", "how"), [(50, "similarity"), (51, "")])
def test_a_symbol_is_compared_with_fifty_of_its_name_in_other_files(files: int, how: str) -> None:
    code = "fn same() {{ m!({}) }}"
    strangers = [code.format(" ".join(f"stranger{n}" for n in range(10)))] * (files - 1)
    alike, edited = (code.format(f"a b c d e f g h i {word}") for word in ("j", "k"))
    found = matched([*strangers, alike, ""], [""] * files + [edited])
    assert found.get(f"{files}:same", ("", ""))[1] == how
