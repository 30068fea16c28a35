"""What a pattern is kept as: masked, then named after what it does."""

from __future__ import annotations

import uuid
from collections import Counter

from core.history.messages import Pseudonyms
from core.text.grammar import MASKS, Marker
from core.text.redaction import Redactor
from patterns.code_hashes import change_hash
from patterns.memory.operations import NewConvention, NewPattern
from patterns.memory.refusals import RefusedOperationError

_TEXTS = "code_before", "code_after", "commit_msg", "author", "symbol", "file_path", "repository"
_OTHERS = "pattern_id", "problem_type", "date", "commit", "language", "change_kind", "template_id"
_OF_PATTERNS = uuid.UUID("6c1f4f0e-2b3b-5d57-9d0c-7d2f6f1b8a11")


def clean(new: NewPattern, pseudonyms: Pseudonyms | None = None) -> NewPattern:
    """The pattern with its credentials masked and counted, and with `pseudonyms` its e-mail addresses hashed.

    Raises RefusedOperationError where a credential is left in spite of that, or stands where none is masked.
    """
    redactor, masked = Redactor(), Counter(new.masked)
    texts: dict[str, str] = {}
    for name in _TEXTS:
        text: str = getattr(new, name)
        if pseudonyms and name in ("author", "commit_msg"):
            text = pseudonyms.within(text)
        before = Counter(piece for piece in redactor.clean(text) if isinstance(piece, Marker))
        masked.update({piece.removeprefix("<SECRET:").removesuffix(">"): count for piece, count in before.items()})
        texts[name] = redactor.masked(text)
    found = new.model_copy(update={**texts, "masked": dict(masked)})
    survival = new.survival.model_dump_json() if new.survival else ""
    left = [getattr(found, name) for name in (*_TEXTS, *_OTHERS)]
    if redactor.has_secret(*(_without_masks(text) for text in left), survival, *new.masked):
        raise RefusedOperationError(
            "holds_secret", "it still holds a credential after masking", "take the credential out of the code"
        )
    return found


def clean_convention(new: NewConvention) -> NewConvention:
    """The convention with its credentials masked."""
    mask = Redactor().masked
    texts = {name: mask(getattr(new, name)) for name in ("before", "after", "repository", "language", "retired")}
    return new.model_copy(update={**texts, "paths": [mask(path) for path in new.paths]})


def clean_note(text: str) -> str:
    """A note on a vote, without its credentials."""
    return Redactor().masked(text)


def solution_hash(new: NewPattern) -> str:
    """What makes two patterns of a team one: the same as in a patterns.jsonl.

    Always made from the text that is kept, never taken from who sends it.
    """
    return change_hash(new.language, new.code_before, new.code_after)


def id_of(solution: str) -> str:
    """The UUID of a pattern: that of its solution, so that it is the same on every machine."""
    return str(uuid.uuid5(_OF_PATTERNS, solution))


def _without_masks(text: str) -> str:
    for mask in MASKS:
        text = text.replace(mask, " ")
    return text
