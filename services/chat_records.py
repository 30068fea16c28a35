"""Answers to questions as they are sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def statements_of(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Each statement of a kept answer, with its id, and with its citations in full."""
    by_id = {one["id"]: one for one in record["citations"]}
    for statement in record["statements"]:
        citations = [by_id[number] for number in statement["citations"]]
        yield {**statement, "citations": citations, "answer_id": record["answer_id"]}


def in_markdown(record: Mapping[str, Any]) -> Iterator[str]:
    """An answer piece by piece: what leads to it, each statement with the numbers of its citations, and these."""
    if record["lead"]:
        yield f"{record['lead']}\n\n"
    for statement in record["statements"]:
        numbers = "".join(f" [{number}]" for number in statement["citations"])
        doubt = "" if statement["supported"] else f"**Not supported** ({statement['why']}): "
        yield f"- {doubt}{statement['text']}{numbers}\n"
    for note in record["notes"]:
        yield f"\n{note}\n"
    if record["citations"]:
        yield "\n**Sources**\n\n" + "".join(f"- [{one['id']}] `{one['at']}`\n" for one in record["citations"])
    yield f"\n({record['state']})\n"
