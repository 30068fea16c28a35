"""Functions that are complicated, long, or take many arguments, in the languages that lizard reads."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata

from lizard import analyze_file
from lizard_languages import languages

from thoughts.smells.findings import MOST_LINES, Finding
from thoughts.smells.per_file import PerFile

MEASURES = (
    ("complexity", "cyclomatic_complexity", (10, 20, 40), "has a cyclomatic complexity of {}"),
    ("lines", "nloc", (60, 120, 240), "has {} lines of code"),
    ("arguments", "parameter_count", (5, 8), "takes {} arguments"),
)
"""What is measured of a function, with limits: a rule is about what is over one of them and not over the next."""
SUFFIXES = tuple(sorted({f".{one}" for language in languages() for one in language.ext}))


def read(path: str, data: bytes) -> Iterator[Finding]:
    """What is over a limit. The finding is at the function's first lines."""
    for function in analyze_file.analyze_source_code(path, data.decode(errors="replace")).function_list:
        first = function.start_line
        last = max(first, min(function.end_line, first + MOST_LINES - 1))
        for name, measure, limits, words in MEASURES:
            value = getattr(function, measure)
            if over := [one for one in limits if value > one]:
                message = f"`{function.name}` {words.format(f'{value:,}')}"
                yield Finding(f"lizard {name} over {over[-1]}", path, first, last, message)


def tool() -> PerFile:
    """As the study asks it."""
    return PerFile("lizard", f"{metadata.version('lizard')} {MEASURES}", __name__, SUFFIXES)
