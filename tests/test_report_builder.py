"""Stage 8: what makes its page stale."""

from __future__ import annotations

import re

from builders import PROJECT

import report_builder


def test_the_templates_in_its_facts_are_exactly_those_of_the_page() -> None:
    todo, used = ["report.html.j2"], set()
    while todo:
        used.add(name := todo.pop())
        text = (PROJECT / report_builder.TEMPLATES / name).read_text(encoding="utf-8")
        todo += re.findall(r'{% (?:include|extends|import) "(.+?)" %}', text)
    assert set(report_builder.STAGE.data_files) == {f"{report_builder.TEMPLATES}/{name}" for name in used}
