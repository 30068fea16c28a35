"""A question in words: what kind of answer it wants, and about what."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from core.code.languages import language_of
from core.ranking.query import Query
from core.ranking.terms import words

Kind = Literal["where", "how", "calls", "why", "introduced", "who", "since", "risk", "about", "tests"]
"""The last three are answered by a study (`chat.studied`)."""
KINDS: tuple[Kind, ...] = ("where", "how", "calls", "why", "introduced", "who", "since")
MOST_TEXT = 2000
"""Characters of a question."""
_CHANGED = (
    r"(?:changed|added|removed|renamed|introduced|moved|rewritten|replaced|deprecated|reverted|refactored|split|dropped"
    r"|deleted|rewrote|modified|touched|created|made|written|disabled|enabled|bumped|fixed|switched|turned)"
)
_CHANGE = (
    r"(?:change|add|remove|rename|introduce|move|rewrite|replace|deprecate|revert|refactor|split|drop|delete|modify|touch"
    r"|create|disable|enable|bump|fix|switch|turn)"
)
_NAME = r"[`'\"]?((?:[\w-]+(?:\.|::|->|/|#))*\w+)(?:\(\))?[`'\"]?"
_ASIDE = r"(?:(?:the|a|an|this|that|function|method|class|macro|procedure|helper)\s+)*"
_LAST = r"(?:last|past|this)\s+(?:\d+\s+)?(?:day|week|month|year)s?"
_USES = r"(?:calls?|uses?|invokes?|references?)"
_USED = r"(?:called|used|invoked|referenced)"
_NEWS = r"(?:changed|changes|happened|new|different|commits|done)"
_BIRTH = r"(?:introduc\w+|added?|creat\w+|born|c[ao]me\s+in(?:to)?|appear\w*|began|started?|implemented?)"
_KNOWS = (
    r"(?:knows?|owns?|wrote|writes?|maintains?|maintainers?|responsible|reviews?|understands?|works?|worked|touch\w*|ask"
    r"|authored|expert|contact|code is|familiar)"
)
_PLACES = r"(?:code|file|function|class|method|module|place|part|line|struct|type|package)"
_SIGNS: dict[Kind, tuple[str, ...]] = {
    "since": (
        rf"\bsince\s+(?!when\b).*\b{_NEWS}\b",
        rf"\b{_NEWS}\b.*\b(?:since|after)\b(?!\s+when\b)",
        rf"\b{_NEWS}\b.*\b(?:recently|lately|today|yesterday|{_LAST})\b",
        r"\b(?:changed|changes|differs?|differences?)\s+between\b|^what(?:'s| is) new\b|\brecent changes\b",
    ),
    "introduced": (
        r"\bsince when\b|\bhow (?:old|long ago)\b|\bhow long (?:has|have)\b|\bfirst (?:appear|version with)",
        rf"\b(?:when|which (?:commit|release|version|change|pull request|pr)|what commit|who)\b.*\b{_BIRTH}\b",
    ),
    "why": (
        rf"\bwhy\s+(?:was|were|has|have|had)\b.*\b(?:{_CHANGED}|\w{{3,}}ed)\b|\bwhy\s+did\b.*\b{_CHANGE}\b",
        r"\bwhy\s+(?:do|does|is|are|was|were)\b.*\b(?:exist|here|there|needed|necessary)\b|\bwhy\s+do we have\b",
        r"^\W*(?:(?:and|but|so)\s+)?why\W*$|\bwhy\b.*\b(?:no longer|not any ?more|any ?more)\b",
        r"\b(?:reason|rationale|motivation|history)\s+(?:for|behind|of)\b|\bwhat was the (?:reason|point|purpose)\b",
        rf"\b(?:when|by whom|how often)\s+(?:was|were|did|has|have)\b.*\b(?:last\s+)?(?:{_CHANGED}|{_CHANGE})\b",
        rf"\b(?:which|what)\s+commits?\b.*\b(?:{_CHANGED}|{_CHANGE}|broke|break|fix)\b",
    ),
    "calls": (
        rf"\b(?:who|what|which\s+\w+|where\s+do\s+we|anything|anyone|everything\s+that)\s+{_USES}\s+{_ASIDE}{_NAME}",
        rf"\b(?:callers?|call\s*sites?|usages?|uses|users|references|calls)\s+(?:of|to|for)\s+{_ASIDE}{_NAME}",
        rf"\b(?:where|by whom|by what|when)\s+(?:is|are|does|do we)\s+{_ASIDE}{_NAME}\s+(?:get\s+)?{_USED}\b",
        rf"\bis\s+{_ASIDE}{_NAME}\s+{_USED}\b",
        r"\bits\s+(?:callers?|call\s*sites?|usages?|uses|users|references)\b",
    ),
    "who": (
        rf"\bwho(?:m|se)?\b.*\b{_KNOWS}\b",
        r"\b(?:authors?|owners?|maintainers?|experts?|code ?owners?)\s+(?:of|for|on|in)\b",
    ),
    "where": (
        rf"\bwhere\b|\b(?:which|what)\s+{_PLACES}s?\b",
        r"^(?:find|locate|show)\b|\blocation of\b|\bplace where\b",
    ),
}
"""What a kind is known by, the surest first; a question without any asks how."""
_PATTERNS = tuple(
    (kind, re.compile(sign, re.IGNORECASE | re.DOTALL)) for kind, signs in _SIGNS.items() for sign in signs
)
_TIME = (
    r"(?:(?:last|past|this|previous)\s+(?:\d+\s+|few\s+|couple\s+of\s+)?(?:day|week|month|year|release|version|tag)s?"
    r"|\d+\s+\w+\s+ago)"
)
_SINCE = re.compile(
    rf"\b(?:(?:since|after|between)\s+(?:the\s+)?(?:(?:version|release|tag|commit|branch)\s+)?"
    rf"(?P<when>{_TIME}|[\w./+@^~-]+)(?:\s+and\s+(?P<until>[\w./+@^~-]+))?"
    rf"|(?:in|over|during|within)\s+(?:the\s+)?(?P<span>{_TIME}))",
    re.IGNORECASE,
)
_RECENT = re.compile(rf"\b(?:recent\w*|lately|today|yesterday|{_LAST})\b", re.IGNORECASE)
_FRAME = frozenset(
    [
        *("where", "which", "what", "who", "whom", "whose", "when", "why", "how", "file", "files", "code", "please"),
        *("find", "locate", "show", "tell", "explain", "place", "me", "we", "us", "our", "you", "your", "can", "could"),
        *(
            "should",
            "would",
            "does",
            "did",
            "done",
            "was",
            "were",
            "has",
            "have",
            "had",
            "been",
            "being",
            "there",
            "about",
        ),
        *(
            "call",
            "calls",
            "called",
            "caller",
            "callers",
            "use",
            "uses",
            "used",
            "usage",
            "usages",
            "invoke",
            "invokes",
        ),
        *(
            "invoked",
            "reference",
            "references",
            "know",
            "knows",
            "own",
            "owns",
            "wrote",
            "write",
            "maintain",
            "maintains",
        ),
        *(
            "ask",
            "expert",
            "author",
            "authors",
            "owner",
            "owners",
            "responsible",
            "review",
            "understands",
            "work",
            "works",
        ),
        *("worked", "introduced", "introduce", "added", "add", "created", "changed", "change", "changes", "removed"),
        *("renamed", "moved", "since", "last", "first", "commit", "commits", "version", "release", "reason", "behind"),
        *(
            "history",
            "rationale",
            "recently",
            "lately",
            "new",
            "happened",
            "old",
            "long",
            "ago",
            "exist",
            "here",
            "most",
        ),
        *(
            "function",
            "method",
            "class",
            "module",
            "symbol",
            "the",
            "this",
            "that",
            "these",
            "those",
            "it",
            "its",
            "is",
        ),
        *(
            "are",
            "a",
            "an",
            "of",
            "in",
            "on",
            "to",
            "for",
            "by",
            "and",
            "or",
            "with",
            "do",
            "be",
            "i",
            "my",
            "repository",
        ),
        *("all", "only", "once", "got", "too", "because", "happens", "happen", "way", "ways", "want", "need", "needs"),
        *("support", "again", "into", "out", "up", "any", "some", "someone", "something", "anything", "one"),
        *(
            "thanks",
            "thank",
            "ok",
            "okay",
            "hi",
            "hello",
            "great",
            "also",
            "now",
            "just",
            "really",
            "exactly",
            "actually",
        ),
        *("repo", "project", "week", "month", "year", "day", "yesterday", "today", "any", "get", "gets", "at", "from"),
    ]
)
_TELLS_OF_PLACES = frozenset(
    [
        *("file", "files", "removed", "added", "add", "changed", "change", "changes", "created", "create", "renamed"),
        *("moved", "introduced", "new", "old", "first", "last", "version", "release", "commit", "commits", "history"),
        *("call", "called", "write", "use", "class", "method", "module", "symbol", "author", "owner", "reference"),
    ]
)
"""Words that ask in questions about history or callers, and tell what a place is about."""
_DOTTED = re.compile(r"[^\W\d]\w*(?:(?:\.|::)[^\W\d]\w*)+")
_TEXTS = re.compile(r"\"([^\"]{3,200})\"|“([^”]{3,200})”|(?<![\w-])(--[A-Za-z][\w-]{2,100})")
_PRONOUNS = ("it", "this", "that", "them", "they", "these", "those")
_PRONOUN = re.compile(rf"\b(?:its|{'|'.join(_PRONOUNS)})\b", re.IGNORECASE)
_ONES = ("function", "method", "class", "file", "module", "struct", "type")
_THAT_ONE = re.compile(rf"\b(?:this|that|the same)\s+(?:{'|'.join(_ONES)})\b", re.IGNORECASE)


@dataclass(frozen=True)
class Asked:
    """A question that was read."""

    text: str
    kind: Kind
    names: tuple[str, ...] = ()
    """Names in it, spelled as only code is, or where the kind of question has one; the likeliest first."""
    paths: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    """What stands in quotation marks, and flags such as --verbose: to be found as they are."""
    topic: str = ""
    """What is left without the words that ask."""
    when: str = ""
    """What comes behind "since": a date, a time, a version, a commit. Of a question about recent changes, that word."""
    until: str = ""

    @property
    def words(self) -> list[str]:
        """Stems of the topic."""
        return words(self.topic)

    @property
    def stems(self) -> list[str]:
        """Stems of the whole question."""
        return words(self.text)

    @property
    def has_subject(self) -> bool:
        """Whether it says what it is about; "who wrote it?" does not."""
        return bool(self.names or self.paths or self.words)


def read(text: str) -> Asked:
    """What a text asks. Any text is a question: without other signs, how something is done."""
    text = " ".join(text[:MOST_TEXT].split())
    kind, subject = _kind_of(text)
    paths = tuple(path for path in Query(text).paths if "/" in path or language_of(path) != "other")
    prose = _without(text, paths)
    dotted = _DOTTED.findall(prose)
    spelled = [name for name in Query(prose).names if not any(name in one for one in dotted)]
    names = dict.fromkeys(name for name in (*_plain(subject, paths), *dotted, *spelled) if name)
    when, until = _time_of(text) if kind == "since" else ("", "")
    texts = tuple(dict.fromkeys(next(filter(None, found)) for found in _TEXTS.findall(text)))
    topic = _topic(text, when, until, _FRAME - _TELLS_OF_PLACES if kind in ("where", "how") else _FRAME)
    if kind == "calls" and topic and not names:  # "when is it called with a timeout?" asks for more than callers
        kind = "how"
    return Asked(text, kind, tuple(names), paths, texts, topic, when, until)


def _without(text: str, parts: Iterable[str]) -> str:
    for part in parts:
        text = text.replace(part, " ") if part else text
    return text


def is_about_the_last(asked: Asked) -> bool:
    """Whether a question points back, as "who wrote it?" does, or only "why?"; it names nothing itself."""
    if asked.names or asked.paths:
        return False
    points = _PRONOUN.search(asked.text) or asked.kind != "since"
    return bool(_THAT_ONE.search(asked.text)) or (not asked.has_subject and bool(points))


def is_pronoun(text: str) -> bool:
    """Whether a text stands for what was spoken of, as "it" and "that function" do."""
    return text.lower() in _PRONOUNS or bool(_THAT_ONE.fullmatch(text))


def _kind_of(text: str) -> tuple[Kind, str]:
    for kind, pattern in _PATTERNS:
        if found := pattern.search(text):
            name = next((group for group in found.groups() if group), "") if kind == "calls" else ""
            if name.lower() in (*_PRONOUNS, *_ONES):
                return kind, ""
            if name.lower() in _FRAME:
                continue
            return kind, name
    return "how", ""


def _plain(subject: str, paths: tuple[str, ...]) -> list[str]:
    """The name that a question is about, as it may be called: `Client.send` for `Client::send()`."""
    return [re.sub(r"::|->|#|/", ".", subject)] if subject and subject not in paths else []


def _time_of(text: str) -> tuple[str, str]:
    for found in _SINCE.finditer(text):
        when = found["when"] or found["span"]
        if when.lower() not in _FRAME or when.lower() in ("yesterday", "today"):
            return when, found["until"] or ""
    recent = _RECENT.search(text)
    return (recent[0] if recent else "recently"), ""


def _topic(text: str, when: str, until: str, frame: Collection[str]) -> str:
    found = (
        word
        for word in re.findall(r"[^\s,;?!()\"'`]+", _without(text, (when, until)))
        if word.lower().strip(".:") not in frame
    )
    return " ".join(found)
