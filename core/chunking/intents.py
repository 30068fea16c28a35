"""What a commit's message speaks of: a fix, speed, restructuring; by words of English, Japanese and Chinese."""

from __future__ import annotations

import re

from core.code.change_types import Intent
from core.history.messages import CONVENTIONAL_LABEL

_PREFIXES: dict[str, Intent] = {
    **dict.fromkeys(("fix", "bugfix", "hotfix", "bug"), "fix"),
    "perf": "performance",
    "refactor": "restructuring",
    **dict.fromkeys(("feat", "feature", "docs", "doc", "test", "tests", "chore", "build", "ci", "style", "revert"), ""),
}
_NO_FIX = re.compile(
    r"\b(?:fix|correct)\w*\s+(?:(?:a|an|the|some|few|more|all|minor|small|up|for|in|new|broken|failing|flaky|various|another)\s+)*"
    r"(?:[\w`./-]+\s+)?(?:typos?|spell\w*|grammar|wording|docs?|documentation|docstrings?|comments?|readme|changelog|links?|lints?"
    r"|clippy|warnings?|rustfmt|fmt|format\w*|style|whitespace|indent\w*|imports?|tests?|ci|build|builds|travis|appveyor|github"
    r"|examples?|doctests?|mypy|flake8|pylint|ruff|nits?|names?|naming|copyright|version|flak(?:es?|e?y|iness)|(?-i:[A-Z]\w*Tests?|test[A-Z]\w*))\b"
    r"|\b(?:undo|remov|drop|delet)\w*\s+(?:[\w.-]+\s+){0,5}?(?:workaround|work around)s?\b",
    re.IGNORECASE,
)
_FIX = re.compile(
    r"\b(?:fix(?:e[sd]|ing|up)?|bugs?|bug-?fix(?:es)?|regressions?|panic(?:s|ked|king)?|crash(?:es|ed|ing)?|deadlocks?"
    r"|segfaults?|memory leaks?|leaks?|overflows?|race conditions?|data races?|off[- ]by[- ]one|hangs?|broken"
    r"|incorrect(?:ly)?|wrong(?:ly)?|correctly|properly|workaround|work around|vuln(?:s|erabilit\w*)?"
    r"|(?:cve|cwe|ghsa)-\w+|stray|accidental(?:ly)?|mistaken(?:ly)?)\b",
    re.IGNORECASE,
)
_PERFORMANCE = re.compile(
    r"\b(?:perf|performance|optimi[sz](?:e[sd]?|ing|ations?)|speed(?:s|ing)?[- ]?up|faster|fast[- ]path"
    r"|caches?|caching|cached|(?:mark\w*|add\w*|force|always|never) (?:\w+ ){0,4}inline|lazy|lazily"
    r"|avoid(?:s|ing)? (?:\w+ )*(?:alloc\w*|cop(?:y|ies|ying)|clon\w+)"
    r"|reduc\w+ (?:\w+ )*(?:alloc\w*|memory|overhead|contention))\b",
    re.IGNORECASE,
)
_RESTRUCTURING = re.compile(
    r"\b(?:refactor\w*|clean(?:s|ed|ing)?[- ]?ups?|simplif\w+|re-?organi[sz]\w+|restructur\w+|extract(?:s|ed|ing)?"
    r"|split(?:s|ting)?|mov(?:e[sd]?|ing)|renam(?:e[sd]?|ing)|tid(?:y|ies|ied)|de-?dup\w*|rework(?:s|ed|ing)?"
    r"|consolidat\w+|moderni[sz]\w+|polish(?:es|ed)?|cosmetic"
    r"|remove (?:unused|dead|unnecessary|redundant|needless|(?:all )?uses? of)"
    r"|replace\w* .+ (?:with|by)|switch(?:ed|ing)?(?: over)? to|instead of)\b"
    r"|(?:^|[:,] |\band )inlin(?:e[sd]?|ing)\b",
    re.IGNORECASE,
)
_NO_RESTRUCTURING = re.compile(
    r"\b(?:mov|renam|re-?organi[sz]|restructur|split|rework|simplif|clean|polish|tid)\w*(?:\s+(?!(?:out|from|to|into|in|and)\b)[\w'./-]+){0,4}?"
    r"\s+(?:readme|changelog|docs?|documentation|docstrings?|comments?|licen[cs]es?)\b",
    re.IGNORECASE,
)
_CODE = re.compile(r"`[^`]*`|\w+\(\w*\)|\w+(?:(?:\.|::|#)\w+)+")
"""Names in a message: what they say is not what the commit does."""
# Japanese and Chinese, which have no spaces between words. Of 60 messages found in the history of a Japanese editor, 51
# are of fixes.
_HAN_FIX = re.compile(
    r"(?:を|に|の|漏れ|ミス)修正(?!を|の|が|方)|不具合|バグ|訂正|クラッシュ|オーバーフロー|範囲外|境界外|リーク"
    r"|修复|修復|崩溃|泄漏|越界"
)
_NO_HAN_FIX = re.compile(
    r"(?:コメント|誤記|誤字|テスト|説明|ドキュメント|記述|表現|警告|指摘|インデント|位置|typo|注释|文档|拼写|测试)"
    r"[^、。,]{0,12}?(?:修正|修复|修復)|バグ報告|(?:修复|修復)[^、。,]{0,12}?(?:注释|文档|拼写|测试|警告)",
    re.IGNORECASE,
)
_HAN_PERFORMANCE = re.compile(r"高速化|最適化|性能改善|优化|優化|性能提升|提升性能")
_HAN_RESTRUCTURING = re.compile(
    r"リファクタ|共通化|整理|置き換え|(?:を|に)移動|を分割|を統合|見通しを|重构|重構|移动到|重命名|拆分|简化"
)


def intent_of(message: str) -> Intent:
    """What a commit's first line speaks of, by its prefix or its words."""
    prefix = CONVENTIONAL_LABEL.match(message)
    if prefix and prefix["type"].lower() in _PREFIXES:
        return _PREFIXES[prefix["type"].lower()]
    if message.startswith("Revert "):
        return ""
    words = _CODE.sub("", message)
    if _FIX.search(_NO_FIX.sub("", words)) or _HAN_FIX.search(_NO_HAN_FIX.sub("", words)):
        return "fix"
    if _PERFORMANCE.search(words) or _HAN_PERFORMANCE.search(words) or "#[inline" in message:
        return "performance"
    is_restructuring = _RESTRUCTURING.search(_NO_RESTRUCTURING.sub("", words)) or _HAN_RESTRUCTURING.search(words)
    return "restructuring" if is_restructuring else ""
