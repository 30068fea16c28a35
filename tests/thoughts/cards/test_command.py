"""The command that prints cards."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from builders import Repo
from click.testing import CliRunner, Result

from thoughts.cards.__main__ import main
from thoughts.cards.card import card_from


def run(repo: Repo, cache: Path, *words: str) -> Result:
    return CliRunner().invoke(main, [str(repo.path), *words, "--cache-dir", str(cache)])


def test_cards_are_printed_with_what_proves_each_line(shop: Repo, kept: Path) -> None:
    done = run(shop, kept, "shop/basket.py:discount", "shop/basket.py")
    assert done.exit_code == 0, done.output
    first, second = done.stdout.split("\n# ")
    assert first.startswith("# `shop/basket.py:discount`\n\nfunction, lines 18 to 27, at ")
    head = shop.git("rev-parse", "HEAD")[:9]
    assert f"by a tenth. [`shop/basket.py:18-19@{head}`]\n" in first
    assert "## Tests (called in 1 place)\n" in first
    assert second.startswith("`shop/basket.py`\n\nfile, 27 lines, at ")


def test_as_json_a_line_is_a_card(shop: Repo, kept: Path) -> None:
    done = run(shop, kept, "shop/plan.py", "shop/store.py", "--json")
    assert [card_from(json.loads(line)).path for line in done.stdout.splitlines()] == ["shop/plan.py", "shop/store.py"]


def test_at_an_older_commit_it_is_described_as_it_was(shop: Repo, kept: Path) -> None:
    done = run(shop, kept, "shop/basket.py:discount", "--at", "v1.0")
    assert "Fix the limit" not in done.stdout
    assert "No test was found that names it." in done.stdout


def test_a_mistake_is_a_sentence(shop: Repo, kept: Path) -> None:
    done = run(shop, kept, "shop/basket.py:discounts")
    assert done.exit_code == 2
    assert "error: shop/basket.py has no symbol 'discounts'" in done.stderr
    done = run(shop, kept, "shop/basket.py", "--model", "m")
    assert done.exit_code == 2


def test_texts_of_a_repository_mean_nothing_to_a_viewer(make_repo: Callable[[str], Repo], tmp_path: Path) -> None:
    repo = make_repo("hostile")
    code = 'def f():\n    """[x](http://evil.example.org) <img src=x onerror=alert(1)> **b** `code` \x1b[31m here."""\n'
    repo.commit("![](http://evil.example.org/p) <b>begin</b>", {"`a`.py": code})
    printed = run(repo, tmp_path, "`a`.py:f").stdout
    assert printed.startswith("# `` `a`.py:f ``\n")
    assert (
        "\\[x\\](http://evil.example.org) \\<img src=x onerror=alert(1)\\> \\*\\*b\\*\\* `code` \\\\x1b\\[31m here."
        in printed
    )
    assert "!\\[\\](http://evil.example.org/p) \\<b\\>begin\\</b\\>" in printed
    assert "\x1b" not in printed
