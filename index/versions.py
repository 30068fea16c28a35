"""Versions of what was learned from use: the newest that was not withdrawn is the one that counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec

MOST = 8
"""That are kept."""


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """What every version says of itself."""

    at: float
    """When it was learned, in seconds since 1970."""
    judged: int
    """Answers that somebody had judged by then."""
    verdict: str
    """Why it counts."""
    withdrawn: bool = False
    """Somebody went back to the version before it."""


V = TypeVar("V", bound=Version)


class Tuned(Version, frozen=True, kw_only=True):
    """Weights of symbols that use has taught."""

    base: str
    """Version of the weights that they were drawn to; they count while these are a repository's."""
    documents: dict[str, dict[str, float]]
    """By class of question."""


def current(versions: Sequence[V]) -> V | None:
    """The one that counts; None where nothing was learned, or all of it was withdrawn."""
    return next((one for one in reversed(versions) if not one.withdrawn), None)


def added(versions: Sequence[V], new: V) -> list[V]:
    """With one more; as they are where somebody went back from the newest, and nothing was judged since."""
    newest = versions[-1] if versions else None
    if newest and newest.withdrawn and newest.judged >= new.judged:
        return list(versions)
    return [*versions, new][-MOST:]


def withdrawn(versions: Sequence[V]) -> list[V]:
    """One step back: without the one that counts, which stays in the list."""
    newest = current(versions)
    return [msgspec.structs.replace(one, withdrawn=True) if one is newest else one for one in versions]
