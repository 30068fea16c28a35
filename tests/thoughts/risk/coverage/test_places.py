"""Which file a name in a report means."""

from __future__ import annotations

from collections.abc import Sequence

from thoughts.risk.coverage.places import placed

TREE = ["setup.py", "src/shop/basket.py", "src/shop/orders.py", "src/shop/util.py", "tests/util.py", "web/util.py"]


def means(names: Sequence[str | tuple[str, ...]], tree: Sequence[str] = TREE) -> tuple[dict[str, str], int]:
    chosen, unclear = placed([(one,) if isinstance(one, str) else one for one in names], tree)
    return {" ".join(name): path for name, path in chosen.items()}, unclear


def test_paths_of_the_repository_mean_themselves() -> None:
    tree = ["util.py", "lib/util.py", "lib/deep/lib/util.py"]
    assert means(tree, tree) == ({path: path for path in tree}, 0)
    assert means(["./lib/../util.py"], tree) == ({"./lib/../util.py": "util.py"}, 0)


def test_paths_of_another_machine_mean_what_they_end_in() -> None:
    names = [f"/home/runner/work/shop/{path}" for path in TREE]
    assert means(names) == (dict(zip(names, TREE, strict=True)), 0)
    windows = [name.replace("/", "\\") for name in (f"D:/a/shop/{path}" for path in TREE)]
    assert means(windows) == (dict(zip(windows, TREE, strict=True)), 0)


def test_paths_below_a_folder_mean_files_of_that_folder() -> None:
    assert means(["basket.py", "orders.py", "util.py"]) == (
        {"basket.py": "src/shop/basket.py", "orders.py": "src/shop/orders.py", "util.py": "src/shop/util.py"}, 0,
    )  # fmt: skip


def test_paths_of_installed_packages_and_modules_of_go_mean_their_sources() -> None:
    names = [f"/venv/lib/python3.11/site-packages/shop/{name}.py" for name in ("basket", "orders", "util")]
    assert list(means(names)[0].values()) == TREE[1:4]
    go = ["github.com/org/tool/v2/main.go", "github.com/org/tool/v2/cmd/main.go"]
    assert list(means(go, ["main.go", "cmd/main.go", "docs/main.md"])[0].values()) == ["main.go", "cmd/main.go"]


def test_folders_that_names_are_relative_to_decide() -> None:
    tree = ["a/src/util.py", "b/src/util.py"]
    assert means([("/ci/b/src/util.py",)], tree) == ({"/ci/b/src/util.py": "b/src/util.py"}, 0)
    for names in (("/ci/c/util.py", "/ci/a/src/util.py"), ("/ci/a/src/util.py", "/ci/c/util.py")):
        assert means([names], tree) == ({" ".join(names): "a/src/util.py"}, 0)


def test_what_could_be_several_files_is_counted_and_means_none() -> None:
    assert means(["util.py"]) == ({}, 1)
    many = [f"p{number}/index.js" for number in range(50)]
    assert means(["index.js", "p7/index.js"], many) == ({"p7/index.js": "p7/index.js"}, 1)


def test_files_of_others_mean_none() -> None:
    names = [f"/ci/shop/{path}" for path in TREE]
    others = ["/usr/lib/python3/setup.py", "/usr/include/util.py", "/ci/shop/build/made.py", "basket.rs", "", "/", ".."]
    found, unclear = means([*names, *others])
    assert (found, unclear) == (dict(zip(names, TREE, strict=True)), 0)


def test_many_files_of_one_name_are_placed_at_once() -> None:
    tree = [f"packages/p{number}/src/index.ts" for number in range(3_000)]
    names = [f"/ci/{path}" for path in tree] + ["index.ts"]
    found, unclear = means(names, tree)
    assert (list(found.values()), unclear) == (tree, 1)
