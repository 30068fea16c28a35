"""Encodes texts, each line once: a history repeats itself.

In that of ripgrep, five of six lines of code have stood there before. A tokenizer cuts text into pre-tokens before it
looks for entries; where a text is cut between two of them, its parts have the tokens of the whole.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_MOST_REMEMBERED = 100_000
_LONGEST_REMEMBERED = 400
"""Characters; longer parts seldom come again."""
# An identifier with the one sign before it (.name, (name, blank); digits by threes; a run of operators
# with the line break and the indentation that follow; indentation; blanks. Nothing of these is cut.
PRETOKEN = (
    r"[^\r\n\p{L}\p{N}_]?[\p{L}_][\p{L}\p{N}_]*| ?\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}_]+(?:\r?\n[\r\n]*[ \t]*)?|\r?\n[\r\n]*[ \t]*|[ \t]+(?!\S)|\s+"
)
_BEFORE_A_LINE_BREAK = re.compile(r"[!-~](?=\n)")
"""GPT-2's pre-tokens end with what is no white space, or are white space and nothing else."""
_BEFORE_A_LINE = re.compile(r"\n[ \t]*(?=[!-~])")
"""Ours hold a line break only with all blanks that follow it, at their end."""


class Encoder:
    """Encodes texts with a tokenizer, which must not change meanwhile."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._cut = cut_of(tokenizer)
        self._remembered: dict[str, array[int]] = {}

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text."""
        if len(self._remembered) > _MOST_REMEMBERED:
            self._remembered = {}  # a new one: another thread may be reading the old one
        remembered = self._remembered
        cut = [self._parts(text) for text in texts]
        new = list(dict.fromkeys(part for parts in cut for part in parts if part not in remembered))
        encodings = self._tokenizer.encode_batch_fast(new, add_special_tokens=False)
        found = {part: array("i", encoding.ids) for part, encoding in zip(new, encodings, strict=True)}
        made = []
        for parts in cut:
            ids: list[int] = []
            for part in parts:
                ids += remembered[part] if part in remembered else found[part]
            made.append(ids)
        remembered.update((part, ids) for part, ids in found.items() if len(part) <= _LONGEST_REMEMBERED)
        return made

    def _parts(self, text: str) -> list[str]:
        if self._cut is None:
            return [text]
        parts, start = [], 0
        for match in self._cut.finditer(text):
            end = match.end()
            parts.append(text[start:end])
            start = end
        parts.append(text[start:])
        return parts


def cut_of(tokenizer: Tokenizer) -> re.Pattern[str] | None:
    """A pattern at whose ends texts may be cut; None where none is known to be right for this tokenizer."""
    from tokenizers import models

    model = tokenizer.model
    if tokenizer.normalizer is not None or not isinstance(model, models.BPE) or model.dropout:
        return None
    steps = _steps(tokenizer.pre_tokenizer)
    if steps[-1:] == ["ByteLevel"] and set(steps[:-1]) <= {"Digits"}:
        return _BEFORE_A_LINE_BREAK
    return _BEFORE_A_LINE if steps == [PRETOKEN, "ByteLevel without a pattern"] else None


def _steps(pre_tokenizer: Any) -> list[str]:
    """What a pre-tokenizer does, a word or a pattern for each step; "?" where it is anything else."""
    if pre_tokenizer is None:
        return []
    made = json.loads(pre_tokenizer.__getstate__())
    return [_step(step) for step in (made["pretokenizers"] if made["type"] == "Sequence" else [made])]


def _step(step: dict[str, Any]) -> str:
    match step:
        case {"type": "ByteLevel", "add_prefix_space": False, "use_regex": use_regex}:
            return "ByteLevel" if use_regex else "ByteLevel without a pattern"
        case {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}:
            return str(pattern)
        case {"type": "Digits"}:
            return "Digits"
    return "?"
