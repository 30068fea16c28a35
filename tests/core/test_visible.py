"""Text of others as people see it, wherever they see it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from builders import Program, Repo
from stores_made_up import entry

from core import logs
from core.models.model_card import card
from core.models.model_folder import ModelInfo
from core.visible import visible
from stores import VVectorStore
from stores.agent.rendering import entries_table

HOSTILE = "a\x1b[2Jb\u202ec\u2066d\x07"
SHOWN = r"a\x1b[2Jb\u202ec\u2066d\x07"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ttext\nин 日本 שלום é", "plain\ttext\nин 日本 שלום é"),
        (HOSTILE, SHOWN),
        ("a\r\x00\x7f\x9b", r"a\x0d\x00\x7f\x9b"),
        ("\u2028\u200f\u061c", r"\u2028\u200f\u061c"),
        ("caf\udce9 \ud800", r"caf\xe9 \ud800"),
        ("", ""),
    ],
)
def test_what_would_act_is_spelled_out(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_log_and_terminal_show_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logs.console.cache_clear()
    logs.setup(log_file=tmp_path / "pipeline.log")
    logs.log.warning("found %s", HOSTILE)
    for handler in logs.log.handlers:
        handler.close()
    logs.setup()
    assert SHOWN in capsys.readouterr().err
    assert SHOWN in (tmp_path / "pipeline.log").read_text(encoding="utf-8")
    logs.console.cache_clear()


def test_an_answer_in_words_shows_it_and_json_keeps_it(history: Repo, program: Program) -> None:
    history.commit("add", {f"pkg/{HOSTILE}.py": "x = 1\n"})
    history.commit("change", {f"pkg/{HOSTILE}.py": "x = 2\n", "pkg/part_0.py": "y = 1\n"})
    asked = ("--repo", str(history.path), "--changed", "pkg/part_0.py", "--top", "20")
    words = program.run("predict.py", *asked)
    assert SHOWN in words.stdout
    assert not set(HOSTILE) & set("\x1b\u202e\u2066\x07") & set(words.stdout)
    answer = json.loads(program.run("predict.py", *asked, "--json").stdout)
    assert f"pkg/{HOSTILE}.py" in [file["name"] for file in answer["files"]]


def test_an_error_shows_it(program: Program) -> None:
    done = program.run("predict.py", "--repo", HOSTILE, "--task", "x")
    assert done.returncode == 2
    assert SHOWN in done.stderr
    assert "\x1b" not in done.stderr


def test_a_model_card_shows_it() -> None:
    info = ModelInfo(base_model=HOSTILE, pad_id=0, values={}, is_adapter=True, settings={})
    assert f"base_model: {SHOWN}" in card(info, None)


def test_a_table_of_entries_shows_it(tmp_path: Path) -> None:
    with VVectorStore(tmp_path) as store:
        store.add_own(entry(option=HOSTILE))
        (row,) = zip(*(column.cells for column in entries_table(store, store.entries()).columns), strict=True)
    assert SHOWN in row
