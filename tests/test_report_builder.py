"""Stage 8: what makes its page stale, and what it leads with."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from builders import PROJECT, Program

import report_builder


def test_the_templates_in_its_facts_are_exactly_those_of_the_page() -> None:
    todo, used = ["report.html.j2"], set()
    while todo:
        used.add(name := todo.pop())
        text = (PROJECT / report_builder.TEMPLATES / name).read_text(encoding="utf-8")
        todo += re.findall(r'{% (?:include|extends|import) "(.+?)" %}', text)
    assert set(report_builder.STAGE.data_files) == {f"{report_builder.TEMPLATES}/{name}" for name in used}


def test_the_page_leads_with_how_useful_the_ranking_is(finished: Program) -> None:
    page = (finished.folder / "outputs" / "report.html").read_text(encoding="utf-8")
    assert page.index("Is this useful here?") < page.index("The history and the model") < page.index("bits per byte")
    assert "<td>with the title</td>" in page
    assert "What really changed" in page[: page.index("The history and the model")]


def test_the_page_spells_out_what_a_browser_would_act_on(finished: Program, tmp_path: Path) -> None:
    copy = finished.copy(tmp_path / "copy")
    done = copy.run("report_builder.py", "--commits", "outputs/commits.json", "--output", "outputs/report.html",
                    "--title", "a\u202eb\x1bc")  # fmt: skip
    assert done.returncode == 0, done.stderr
    page = (copy.folder / "outputs" / "report.html").read_text(encoding="utf-8")
    assert r"a\u202eb\x1bc" in page
    assert not {"\u202e", "\x1b"} & set(page)


@pytest.mark.parametrize("name", ["chunking_stats.json", "dataset_stats.json"])
def test_damaged_figures_are_a_sentence(copied: Program, name: str) -> None:
    (copied.folder / "outputs" / name).write_text("{}")
    done = copied.run("report_builder.py")
    assert done.returncode == 2
    assert f"{name} is damaged" in done.stderr
    assert "Traceback" not in done.stderr
