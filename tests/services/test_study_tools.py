"""Tools for coding agents on what a study found."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from builders import Repo
from mcp.server.mcpserver.exceptions import ToolError
from studies_made_up import found, insight, risk

from core.config import StudyConfig
from services.chats import Chats
from services.queue import RequestQueue
from services.studies import Studies
from services.study_tools import StudyTools
from thoughts.preferences import Wish


@pytest.fixture
def queue() -> Iterator[RequestQueue]:
    with closing(RequestQueue(4, 60, "studies")) as made:
        yield made


@pytest.fixture
def studies(shop_built: Repo, tmp_path: Path) -> Iterator[Studies]:
    chats = Chats.open({"shop": str(shop_built.path)}, tmp_path / "cache")
    opened = Studies.open(chats, tmp_path / "cache", StudyConfig())
    yield opened
    opened.close()
    chats.close()


def test_insights_come_with_their_citations_or_a_reason(studies: Studies, queue: RequestQueue) -> None:
    one = studies.named("")
    tools = StudyTools(one, queue, queue)
    nothing = asyncio.run(tools.insights())
    assert (nothing.insights, nothing.reason) == (
        [], "nothing of this kind was found; its study is not switched on here",
    )  # fmt: skip
    said = insight(one.study.state.git_dir, "The basket", "It begins so.", path="shop/basket.py")
    job = found(one.study, said, kind="scan_diff")
    found(one.study, insight(one.study.state.git_dir, "The week"))
    (week, basket) = asyncio.run(tools.insights()).insights
    assert [week.title, basket.title] == ["The week", "The basket"]
    assert basket.statements[0].startswith("It begins so. (shop/basket.py:1@")
    assert [one.title for one in asyncio.run(tools.insights(about="begins so")).insights] == ["The basket"]
    assert [one.title for one in asyncio.run(tools.insights(kind="digest", top=1)).insights] == ["The week"]
    one.study.insights.mark(one.study.key, basket.id, "dismissed")
    assert [each.title for each in asyncio.run(tools.insights()).insights] == ["The week"]
    assert job.id


def test_risks_are_of_all_files_of_one_or_of_a_folder(studies: Studies, queue: RequestQueue) -> None:
    one = studies.named("")
    tools = StudyTools(one, queue, queue)
    assert asyncio.run(tools.risk()).reason == "no study has ranked the files; its study is not switched on here"
    studies.switch(one, Wish(on=True))
    facts = [risk("a/one.py", 0.9, 3, "e" * 40, ran=(1, 2)), risk("a/two.py", 0.4, 3), risk("ab.py", 0.6, 3)]
    found(one.study, kind="risk", facts=facts)
    every = asyncio.run(tools.risk(top=2))
    assert ([file.path for file in every.files], every.total, every.at) == (["a/one.py", "ab.py"], 3, "c" * 40)
    assert every.files[0].repairs == ["e" * 40]
    assert [one.coverage for one in every.files] == ["tests ran 50% of its 2 lines that can run", ""]
    assert [file.path for file in asyncio.run(tools.risk("a")).files] == ["a/one.py", "a/two.py"]
    assert [file.path for file in asyncio.run(tools.risk("ab.py")).files] == ["ab.py"]
    assert asyncio.run(tools.risk("b.py")).reason == "the study knows no source file b.py; the study is on"


def test_a_card_says_what_to_know_of_a_symbol_or_a_file(studies: Studies, queue: RequestQueue) -> None:
    tools = StudyTools(studies.named(""), queue, queue)
    card = asyncio.run(tools.function_card("discount"))
    assert (card.path, card.name) == ("shop/basket.py", "discount")
    said = {group.title.partition(" (")[0]: group.statements for group in card.groups}
    assert "Reduce the total of a large order by a tenth" in said["What it does"][0]
    assert any("checkout" in one for one in said["What uses it"])
    assert all(f"@{card.at[:9]}" in one or "commit " in one for lines in said.values() for one in lines)
    assert asyncio.run(tools.function_card("shop/basket.py:discount")).groups == card.groups
    assert asyncio.run(tools.function_card("shop/basket.py")).name == ""
    for nothing in ("nowhere", "shop/basket.py:nowhere", "nowhere.py"):
        with pytest.raises(ToolError):
            asyncio.run(tools.function_card(nothing))
