"""Many questions in one process: JSON lines in, a JSON line for each out, in their order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from core.config import checked
from core.errors import GitloreError
from core.prediction.files import FileAsker
from core.prediction.question import Question
from core.records.lines import DAMAGED

MAX_LINE = 1_000_000
"""Characters of a line."""


class BatchLine(msgspec.Struct, forbid_unknown_fields=True):
    """One question; `at` is the commit as of which it is asked, by default the one that is checked out."""

    id: str | int | float | None = ""
    at: str = ""
    task: str = ""
    changed: list[str] = []
    files: list[str] = []
    top: int | None = None
    new_files: bool | None = None


def answered(asker: FileAsker, lines: Iterable[str], defaults: Question) -> Iterator[dict[str, Any]]:
    """The answer to each line that is not blank, or {"id", "error"}; settings that a line lacks are the defaults."""
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        if len(text) > MAX_LINE:
            yield {"id": number, "error": f"the line has more than {MAX_LINE:,} characters"}
            continue
        line = BatchLine(id=number)
        try:
            line = msgspec.json.decode(text, type=BatchLine)
            yield {"id": line.id, **answer(asker, line, defaults)}
        except (*DAMAGED, GitloreError) as error:
            yield {"id": line.id, "error": getattr(error, "message", str(error))}


def answer(asker: FileAsker, line: BatchLine, defaults: Question) -> dict[str, Any]:
    """The answer to one line. Raises UserError where it cannot be asked."""
    values = {
        "task": line.task or None,
        "changed": tuple(line.changed) or None,
        "files": tuple(line.files) or None,
        "top": line.top,
        "new_files": line.new_files,
    }
    given = {name: value for name, value in values.items() if value is not None}
    question = checked("question", Question, {**defaults.model_dump(), **given})
    found = asker.answer(question, line.at)
    return {"at": found.at, **found.files_as_dict(), **found.facts.as_dict()}
