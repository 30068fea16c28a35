"""A small repository that can be asked: a library with a test, a page, and some history."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import Repo

from chat.asking import Chat
from chat.citations import Citations
from index.code_index import CodeIndex

BASKET = '''"""What a customer wants to buy."""


class Basket:
    """Things with their prices."""

    def __init__(self):
        self.items = []

    def put(self, price):
        """Put a thing into the basket."""
        self.items.append(price)

    def total(self):
        return sum(self.items)


def discount(total):
    """Reduce the total of a large order by a tenth.

    Small orders stay as they are.
    """
    LIMIT = 100
    if total > LIMIT:
        return total * 0.9
    return total


def checkout(basket):
    """Take the money for a basket."""
    return discount(basket.total())
'''
DURATIONS = '''import re


def parse_duration(text):
    """Turn a text such as 5m into seconds."""
    match = re.match(r"(\\d+)([smh])", text)
    return int(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]]
'''


TEST = "from shop.basket import discount\n\n\ndef test_discount():\n    assert discount(1) == 1\n"
GUIDE = "# Guide\n\n## Delivery\n\nParcels are delivered by bicycle.\n"


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """The repository, not to be changed."""
    repo = Repo.new(tmp_path_factory.mktemp("built") / "shop")
    repo.commit("add the basket", {"shop/basket.py": BASKET.replace("0.9", "0.95")})
    repo.git("tag", "v1.0")
    repo.commit("raise the discount to a tenth\n\nCustomers asked for more.", {"shop/basket.py": BASKET})
    repo.commit("read durations", {"shop/durations.py": DURATIONS}, GIT_AUTHOR_NAME="Eli")
    repo.commit("test and describe it", {"tests/test_basket.py": TEST, "docs/guide.md": GUIDE})
    return repo


@pytest.fixture
def shop(built: Repo, tmp_path: Path) -> Repo:
    """A copy of it."""
    return Repo(shutil.copytree(built.path, tmp_path / "shop"), built.clock)


@pytest.fixture
def chat(shop: Repo, tmp_path: Path) -> Iterator[Chat]:
    git_dir = shop.path / ".git"
    with CodeIndex(git_dir, tmp_path / "cache") as index, Citations(git_dir) as citations:
        found = Chat(git_dir, index, citations)
        found.update()
        yield found
