"""What a fix does, from its changed lines: tags, and the one kind that follows from them.

Messages name the kind of a fix in a third of the cases, changed lines in two thirds. The size of a fix decides
nothing here, since its kind is used to predict the size. Still, a long change has more lines that can match.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from stores.agent.context_types import KINDS

_IMPORT = re.compile(
    r"^[+-]\s*(?:import\b|from\s+\S+\s+import\b|(?:pub\s+)?use\s+[\w:]+|#\s*include\b|using\s+[\w.]+;"
    r"|(?:const|let|var)\s+[\w{},\s]+=\s*require\(|require(?:_relative)?\s|export\s+.*\bfrom\b)",
    re.MULTILINE,
)
_EXCEPTION = re.compile(
    r"^\+.*(?:\btry\b|\bexcept\b|\bcatch\b|\bfinally\b|\braise\b|\bthrow\b|\bpanic!|\brescue\b|\bErr\(|errors\.New|fmt\.Errorf)",
    re.MULTILINE,
)
_GUARD = re.compile(
    r"^\+.*(?:\bis\s+(?:not\s+)?None\b|[!=]==?\s*(?:null|undefined|nil|nullptr|NULL)\b|\?\.|\?\?"
    r"|\bunwrap_or|\bif\s+let\s+Some\b|\bis_(?:none|some)\(|\bhasattr\(|\bgetattr\([^)]*,[^)]*,|\.get\([^)]*,"
    r"|\btypeof\s+\S+\s*[!=]==?\s*['\"]undefined)",
    re.MULTILINE,
)
_TYPE = re.compile(
    r"^\+.*(?:\bisinstance\(|\binstanceof\b|\btypeof\b|\bcast\(|\bas\s+(?:any|unknown|[A-Z]\w*)\b|\bTypeVar\b|\bOptional\["
    r"|\bUnion\[|\)\s*->\s*[\w\[\], .|\"']+:|#\s*type:|\bdyn\s+[A-Z])",
    re.MULTILINE,
)
_CONDITION = re.compile(
    r"^[+-]\s*(?:\}?\s*(?:else\s+)?if\b|elif\b|while\b|unless\b|when\b|match\b|switch\b)|^[+-].*(?:&&|\|\||\band\s+not\b|\bor\s+not\b)",
    re.MULTILINE,
)
_TAGS = {
    "import_fix": _IMPORT,
    "exception_fix": _EXCEPTION,
    "guard_fix": _GUARD,
    "type_fix": _TYPE,
    "condition_fix": _CONDITION,
}


def tags_of(patches: Iterable[str], *, touches_manifest: bool) -> list[str]:
    """Every kind that a fix has signs of, in the order of `KINDS`; `patches` are source files' unified diffs.

    Only added and removed lines count, so that the kind does not depend on how many lines around them a diff shows.
    """
    texts = ["\n".join(line for line in patch.split("\n") if line[:1] in ("+", "-")) for patch in patches]
    found = {name for name, pattern in _TAGS.items() if any(pattern.search(text) for text in texts)}
    if touches_manifest:
        found.add("dependency_fix")
    return [kind for kind in KINDS if kind in found]


def kind_of(tags: Iterable[str]) -> str:
    """The one kind that a fix counts as: its first tag, "logic_fix" without any."""
    return next(iter(tags), KINDS[-1])
