"""Errors that a text reports, by the name of their type."""

from __future__ import annotations

import re

_NAMED = re.compile(r"\b(?:[a-z_]\w*\.)*([A-Z]\w*(?:Error|Exception|Fault|Panic))\b")
# How people describe an error that has no type, or whose type the language does not print.
_DESCRIBED = {
    "TypeError": re.compile(
        r"undefined is not (?:a function|an object)|is not a function\b"
        r"|cannot read propert(?:y|ies) ['\"\w]* ?of (?:undefined|null)"
        r"|'NoneType' object (?:is not|has no)",
        re.IGNORECASE,
    ),
    "NullPointerException": re.compile(
        r"\bnil pointer dereference|null pointer (?:exception|dereference)", re.IGNORECASE
    ),
    "Panic": re.compile(r"\bpanick?(?:s|ed|ing)?\b(?! (?:button|mode))", re.IGNORECASE),
    "SegmentationFault": re.compile(r"\bseg(?:mentation )?fault", re.IGNORECASE),
    "Deadlock": re.compile(r"\bdead-?locks?\b", re.IGNORECASE),
    "ModuleNotFoundError": re.compile(r"\bNo module named\b|Cannot find module\b"),
}
# "Raise ValueError if …" names an error that the change introduces, not one that it resolves.
_INTRODUCED = re.compile(
    r"\b(?:rais(?:e[sd]?|ing)|throw(?:s|n|ing)?|add(?:s|ed|ing)?|use[sd]?|using|renam\w+|catch(?:es|ing)?|inherit\w*|subclass\w*"
    r"|new|return(?:s|ed|ing)?|emit(?:s|ted)?|document\w*)\s+(?:an?\s+|the\s+|more\s+|custom\s+|proper\s+|better\s+)*[`'\"]?$",
    re.IGNORECASE,
)
_GENERIC = frozenset(("Error", "Exception", "BaseException", "RuntimeException"))
_BEFORE = 60
"""Characters in front of a name that show whether the change introduces it."""
MAX_ERRORS = 3


def errors_in(text: str) -> list[str]:
    """Names of the error types that a text reports, in order of appearance; at most three."""
    found = dict.fromkeys(
        match[1]
        for match in _NAMED.finditer(text)
        if match[1] not in _GENERIC and not _INTRODUCED.search(text[max(match.start() - _BEFORE, 0) : match.start()])
    )
    found.update(dict.fromkeys(name for name, pattern in _DESCRIBED.items() if pattern.search(text)))
    return list(found)[:MAX_ERRORS]
