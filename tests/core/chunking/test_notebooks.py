"""Notebooks: their cells, without what running them left in the file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import test_semantic_chunker
from builders import Repo
from hypothesis import given
from hypothesis import strategies as st
from test_git_scraper import scraped
from test_semantic_chunker import assert_slice, chunks_of

from core.chunking.edits import Edits
from core.chunking.parsing import outline
from core.records.chunks import Chunk

IMAGE = "iVBORw0KGgo" * 4000
SKIP = "outputs and counts of notebook cells"


def code(text: str, count: int = 1, image: str = "") -> dict[str, Any]:
    outputs = [{"output_type": "display_data", "metadata": {}, "data": {"image/png": image}}] if image else []
    return {"cell_type": "code", "execution_count": count, "metadata": {}, "outputs": outputs, "source": rows(text)}


def markdown(text: str, **more: Any) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": rows(text), **more}


def rows(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def notebook(*cells: dict[str, Any], version: str = "3.11") -> str:
    metadata = {"language_info": {"name": "python", "version": version}}
    content = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 4}
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


LOAD, PLOT, TITLE = "import a\ndata = a.load()", "data.plot()", "# Title\nWords."


def changed(repo: Repo, before: str, after: str, **options: Any) -> tuple[list[Chunk], Counter[str]]:
    """The chunks of the last of two commits, and what was left out of both."""
    repo.commit("base", {"a.ipynb": before})
    repo.commit("edit", {"a.ipynb": after})
    found, drops, coarse = chunks_of(repo, **options)
    assert not coarse
    (commit, chunks) = found[-1]
    for chunk in chunks:
        name = f"{commit.metadata.hash}:a.ipynb"
        assert_slice(repo, name, chunk.new_code, chunk.encoding, chunk.line_ranges or chunk.line_range)
        assert "iVBOR" not in chunk.new_code + chunk.old_code + chunk.patch
    return chunks, drops


def signs(chunk: Chunk) -> list[str]:
    return [line for line in chunk.patch.split("\n") if line[:1] in ("+", "-")]


def test_an_image_hides_no_change_of_a_cell(make_repo: Callable[[str], Repo]) -> None:
    before = notebook(code(LOAD), code(PLOT, 2, IMAGE))
    after = notebook(code(LOAD), code("data.plot(1)", 3, IMAGE + "x"))
    (chunk,), drops = changed(make_repo("image"), before, after)
    assert (chunk.language, chunk.change_type, chunk.symbol_kind) == ("notebook", "modified_section", "section")
    assert signs(chunk) == ['-    "data.plot()"', '+    "data.plot(1)"']
    assert drops[SKIP] == 2 + 2 + 2  # counts and outputs of two cells as they were written, then of one


def test_outputs_and_counts_alone_are_no_change(make_repo: Callable[[str], Repo]) -> None:
    chunks, drops = changed(make_repo("run"), notebook(code(PLOT)), notebook(code(PLOT, 7, IMAGE)))
    assert chunks == []
    assert drops[SKIP] == 2 + 2


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (notebook(markdown(TITLE)), notebook(markdown(TITLE + "\nMore.")), ("documentation", "markdown")),
        (notebook(code(PLOT)), notebook(code(PLOT), version="3.12"), None),
        (notebook(code(LOAD)), notebook(code(PLOT), code(LOAD)), ("new_section", "code")),
        (notebook(markdown(TITLE), code(PLOT)), notebook(code(PLOT)), ("documentation", "markdown")),
        (notebook(code(LOAD), code(PLOT)), notebook(code(PLOT)), ("deleted_section", "code")),
        (
            notebook(markdown(TITLE, attachments={"a.png": {"image/png": IMAGE}})),
            notebook(markdown("# Name", attachments={"a.png": {"image/png": IMAGE + "x"}})),
            ("documentation", "markdown"),
        ),
    ],
)
def test_a_change_is_that_of_a_cell(
    make_repo: Callable[[str], Repo], before: str, after: str, expected: tuple[str, str] | None
) -> None:
    before, after = (text if "nbformat_minor" in text else notebook() for text in (before, after))
    (chunk,), _ = changed(make_repo("cells"), before, after)
    assert (chunk.change_type, chunk.qualified_name) == (expected or ("configuration", None))


def test_a_patch_that_was_cut_is_made_again(make_repo: Callable[[str], Repo], monkeypatch: pytest.MonkeyPatch) -> None:
    before = notebook(code(PLOT, 1, IMAGE), code(LOAD))
    after = notebook(code(PLOT, 2, IMAGE + "x"), code(LOAD + "\ndata = 1"))
    monkeypatch.setattr(test_semantic_chunker, "scraped", lambda repo: scraped(repo, max_patch_bytes=20_000))
    (chunk,), drops = changed(make_repo("cut"), before, after)
    assert signs(chunk) == ['-    "data = a.load()"', '+    "data = a.load()\\n",', '+    "data = 1"']
    assert "changes larger than git_scraper's limits" not in drops


def test_the_limit_of_a_file_leaves_room_for_outputs(make_repo: Callable[[str], Repo]) -> None:
    before, after = notebook(code(PLOT, 1, IMAGE)), notebook(code(LOAD, 1, IMAGE))
    (chunk,), _ = changed(make_repo("room"), before, after, max_file_bytes=len(IMAGE) // 2)
    assert chunk.qualified_name == "code"


def test_a_long_line_of_a_cell_is_left_out_alone(make_repo: Callable[[str], Repo]) -> None:
    before, after = notebook(code(LOAD), code(PLOT)), notebook(code(LOAD + "\nb = 1"), code("x" * 20_000))
    (chunk,), drops = changed(make_repo("long"), before, after)
    assert '+    "b = 1"' in signs(chunk)
    assert drops["changes with lines longer than max_line_bytes"] == 1


def test_cells_lay_in_a_worksheet_before() -> None:
    cells = [
        {"cell_type": "heading", "source": ["A"]},
        {"cell_type": "code", "input": ["b()"], "outputs": [{"png": IMAGE}], "prompt_number": 1},
    ]
    text = json.dumps({"nbformat": 3, "worksheets": [{"cells": cells}]}, indent=1)
    found = outline(text.encode(), "notebook", "a.ipynb")
    assert found is not None
    names = [found.symbol(owner).qualified_name for owner in found.owners()]
    assert names == ["heading", "code", "code.outputs", "code.prompt_number"]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "<<<<<<< a\n{}\n=======\n", '{"cells": 1}', '{"cells": [{"outputs": 1}]}']
)
def test_what_is_no_notebook_does_not_crash(make_repo: Callable[[str], Repo], text: str) -> None:
    repo = make_repo("broken")
    repo.commit("base", {"a.ipynb": notebook(code(PLOT))})
    repo.commit("edit", {"a.ipynb": text})
    (_, before), (_, after) = chunks_of(repo)[0]
    assert before
    assert after  # what went is not lost with the cells


def with_ids(*cells: dict[str, Any], where: str = "id") -> str:
    """A notebook whose cells, given with their ids as keys of the metadata, have these where a program writes them."""
    made = []
    for one in cells:
        own = one["metadata"].get("id", "")
        made.append({**one, "metadata": {}, "id": own} if where == "id" else one)
    return notebook(*made)


def named(name: str, cell: dict[str, Any]) -> dict[str, Any]:
    return {**cell, "metadata": {"id": name}}


SHOW = [named(f"cell-{number}", code(f"x = {number}\nshow(x, y, z)\nshow(x)", number)) for number in range(6)]
PRINT = named("print", code("for row in rows:\n    print(row.name, row.size)\nclose(rows)"))
SHOW += [PRINT, named("end", code("done(x)"))]


@pytest.mark.parametrize("where", ["id", "metadata"])
@pytest.mark.parametrize(
    ("after", "expected"),
    [
        # One is inserted, and all were run again.
        (
            [named("new", code("y = 1\nshow(x, y, z)\nshow(y)")), *({**one, "execution_count": 9} for one in SHOW)],
            [
                ("new_section", False, '"y = 1'),
                ("formatting", False, '"x = 0'),
            ],  # git takes its first lines for the new one's
        ),
        # One moves to the front.
        ([SHOW[4], *SHOW[:4], *SHOW[5:]], [("move", True, '"x = 4')]),
        # One goes, and another takes its place.
        (
            [*SHOW[:2], named("new", code("y = 2\nfor a in data: print(a)")), *SHOW[3:]],
            [("deleted_section", False, '"x = 2'), ("new_section", False, '"y = 2')],
        ),
        # One takes the text of another, which goes.
        (
            [*SHOW[:2], {**PRINT, "metadata": {"id": "cell-2"}}, *SHOW[3:6], SHOW[7]],
            [("modified_section", False, '"id": "cell-2"'), ("deleted_section", False, '"id": "print"')],
        ),
        # One is written again, and its text goes on in another.
        (
            [
                *SHOW[:6],
                named("print", code("save(data, path)\nlog('saved')")),
                {**PRINT, "metadata": {"id": "new"}},
                SHOW[7],
            ],
            [("modified_section", False, '"id": "print"'), ("new_section", False, '"id": "new"')],
        ),
    ],
)
def test_a_cell_is_known_by_its_id(
    make_repo: Callable[[str], Repo], where: str, after: list[dict[str, Any]], expected: list[tuple[str, bool, str]]
) -> None:
    repo = make_repo("ids")
    chunks, _ = changed(repo, with_ids(*SHOW, where=where), with_ids(*after, where=where))
    found = [(one.change_type, one.moved, one.new_code or one.old_code) for one in chunks]
    assert [(kind, moved) for kind, moved, _ in found] == [(kind, moved) for kind, moved, _ in expected]
    assert all(source in text for (*_, text), (*_, source) in zip(found, expected, strict=True))


LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n"]), max_size=12)


@given(LINES, LINES, st.sampled_from(["", "end"]))
def test_edits_between_two_texts_turn_one_into_the_other(old: list[str], new: list[str], end: str) -> None:
    before, after = [*old, *([end] if end else [])], new
    rebuilt, at = [], 0
    for edit in Edits.between("".join(before).encode(), "".join(after).encode()).edits:
        rebuilt += before[at : edit.old] + after[edit.new : edit.new + edit.added]
        at = edit.old + edit.removed
    assert rebuilt + before[at:] == after
