"""Old symbols and new ones: the same, renamed, moved, or strangers."""

from __future__ import annotations

from core.chunking.matching import Matches, Version
from core.chunking.outline import Outline
from core.chunking.parsing import outline

BODY = "    let total = items.iter().map(|item| item.price * item.count).sum::<u64>();\n    total - discount(total)\n"
OTHER = "    let mut file = File::open(path)?;\n    file.read_to_string(&mut text)?;\n    Ok(text.lines().count())\n"


def rust(text: str) -> Outline:
    found = outline(text.encode(), "rust", "x.rs")
    assert found is not None
    return found


def matched(before: list[str], after: list[str]) -> dict[str, tuple[str, str]]:
    """New qualified name -> (old one, how) for every match of two sides; files are told apart by their number."""
    olds, news = list(map(rust, before)), list(map(rust, after))
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


def test_a_short_body_says_nothing() -> None:
    assert matched(["fn one() -> u8 { 1 }\nconst A: u8 = 1;\n"], ["fn uno() -> u8 { 1 }\nconst B: u8 = 1;\n"]) == {}


def test_twelve_tokens_say_enough_in_one_file_but_not_across_files() -> None:
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
    olds, news = rust(unix + windows), rust(windows)
    match = Matches([olds], [news]).of_new(Version(0, next(news.owners())))
    assert match.old is not None
    assert olds.text(match.old.owner) == news.text(next(news.owners()))


def test_every_symbol_is_in_exactly_one_match() -> None:
    olds = [rust(f"fn a() {{ {n}; }}\nmod m {{ fn b() {{}} fn c() {{}} }}\n") for n in range(3)]
    news = [rust(f"mod m {{ fn c() {{}} fn b() {{ {n}; }} }}\nfn d() {{}}\n") for n in range(3)]
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
