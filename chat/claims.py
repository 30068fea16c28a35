"""What a language model wrote, held against the lines that it cites, sentence by sentence.

A sentence is supported if it cites sources by their numbers, has an identifier, number or quotation in common with
them, and names nothing (identifier, path, number, name, quotation) that they do not have. This finds what is invented;
it does not find a false sentence of true names.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import TypeAlias

from chat.citations import Citation
from chat.ordinary import is_ordinary
from chat.statements import Statement
from core.ranking.terms import IDENTIFIER, stem, words
from index import synonyms

IsCommon: TypeAlias = Callable[[str], bool]
MOST_TEXT = 20_000
"""Characters of an answer."""
_MARK = re.compile(r"`[^`\n]+`|\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")
"""The number of a source, which is the group; `items[0]` in backticks has none."""
_MARKS_BEHIND = re.compile(r"([.!?])[ \t]+(\[\d[\d, ]{0,20}\](?:[ \t]*\[\d[\d, ]{0,20}\])*)")
"""As in "… it. [1] Then …", where the number belongs to what is before it."""
_GLUED = re.compile(r"(?<=\])[.!?。](?=\w)")
"""As in "… it [1].Then …"."""
_FENCE = re.compile(r"^[ \t]*(?:```|~~~).*$", re.MULTILINE)
_END = re.compile(r"(?<=[.!?。])(?:[\"')\]]*)\s+(?=[A-Z`\"'(\[\d*-])|\n\s*(?:\n|[-*•]\s|\d{1,2}[.)]\s)|\n")
_TICKED = re.compile(r"`([^`\n]+)`")
_QUOTED = re.compile(r"[\"“„«]([^\"“”»\n]{2,300})[\"“”»]|(?<!\w)['‘]([^'’\n]{2,300})['’](?!\w)|「([^」\n]{2,300})」")
_PATH = re.compile(r"(?<![\w/\\])[\w.~+-]*(?:[/\\][\w.+-]+)+/?|\b[\w-]+\.(?=[A-Za-z])[A-Za-z]\w{0,5}\b")
_CODE_NAME = re.compile(
    r"\b(?:[^\W\d]\w*(?:(?:\.|::|->)[^\W\d]\w*)+|\w*_\w+|\w+_\w*|[a-z]+\d*[A-Z]\w*|[A-Z]\w*[a-z]\w*[A-Z]\w*"
    r"|[A-Z][A-Z\d]+\b|[A-Za-z]+\d\w*|[^\W\d]\w*(?=\((?!s\))))|(?<![\w-])--?[a-z][\w-]+|[@$`][^\W\d]\w*"
)
_NUMBER = re.compile(
    r"\b0x[0-9a-fA-F]+|\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{6,}\b|\b\d{4}-\d\d?-\d\d?\b"
    r"|(?<!\S)-\d[\d,.]*\b|\bv\d+(?:\.\d+)+|(?<![\w.])\d[\d,]*(?:\.\d+)*(?:e[+-]?\d+)?%?"
)
_NAMED = re.compile(
    r"\b(?:called|named|known as|calls|invokes|imports|throws|extends|delegates to|calling|via"
    r"|(?:written|authored|maintained|introduced|reviewed|owned) by)\s+[*_]*(\w+)",
    re.IGNORECASE,
)
_KIND = (
    r"(?:function|method|class|module|file|variable|option|parameter|argument|flag|setting|field|attribute|constant"
    r"|package|struct|trait|enum|interface|macro|decorator|library|exception|error|command|header|table|column|key)"
)
_BEFORE_KIND = re.compile(rf"\b([a-z]\w+)\s+{_KIND}\b", re.IGNORECASE)
_BEHIND_KIND = re.compile(rf"\bthe\s+{_KIND}\s+([a-z]\w+(?<!s)(?<!ed))\b", re.IGNORECASE)
"""But for verbs, as in "the method changes"."""
_CAPITAL = re.compile(r"(?<![\w.])[A-Z][a-z]\w*")
_NO_NAME = re.compile(r"(?<=\w)\*+(?=\w)|\b(?:e\.g|i\.e|etc)\.|(?<=\band)/(?=or\b)")
"""Emphasis within a word, which parts it for us and not for a reader, and what only looks like a name."""
_LINES = re.compile(r"\blines?\s+\d|\b[\w/.-]+\.\w+:\d", re.IGNORECASE)
_LINK = re.compile(r"\w+://\S+|\bwww\.\S+|(?<=\]\()[^\s)]+")
_SMALL = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_TEENS = ("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_NUMBER_WORDS = {
    **{word: str(number) for number, word in enumerate((*_SMALL, *_TEENS)) if word != "one"},
    **{word: str(number) for number, word in zip(range(20, 100, 10), _TENS, strict=True)},
    **dict.fromkeys(("hundred", "hundreds"), "100"),
    **dict.fromkeys(("thousand", "thousands"), "1000"),
    **dict.fromkeys(("million", "millions"), "1000000"),
    "twice": "2",
    "thrice": "3",
    "dozen": "12",
    "half": "0.5",
    "quarter": "0.25",
    "fifth": "0.2",
    "tenth": "0.1",
}
_PLAIN = frozenset(
    [
        *("a", "an", "the", "this", "that", "these", "those", "it", "its", "they", "their", "there", "here", "he"),
        *("she", "if", "when", "where", "while", "once", "after", "before", "since", "because", "so", "then"),
        *("thus", "hence", "first", "second", "third", "finally", "next", "last", "otherwise"),
        *("however", "therefore", "instead", "also", "each", "every", "all", "any", "both", "either"),
        *("neither", "no", "not", "none", "one", "only", "some", "most", "in", "on", "at", "by", "for", "from", "to"),
        *("with", "without", "as", "of", "into", "inside", "within", "under", "during", "through", "using"),
        *("via", "based", "given", "and", "but", "or", "yes", "note", "see", "until", "what", "which", "who", "how"),
        *("why", "internally", "specifically", "additionally", "furthermore", "unlike", "main"),
        *("same", "new", "own", "other", "private", "public", "following", "helper", "such", "whole"),
        *("default", "optional", "called", "calling", "corresponding", "underlying", "above"),
        *("below", "inner", "outer", "i", "you", "we", "is", "are", "was", "has", "does", "calls", "returns"),
        *("takes", "itself", "whose", "overall", "similarly", "likewise", "together", "depending"),
        *("unless", "though", "although", "whether", "raises", "raise", "handles", "uses", "use"),
        *("sets", "defines", "checks", "contains", "stores", "reads", "two"),
        *("standard", "static", "abstract", "async", "simple", "single", "different"),
        *("separate", "specific", "internal", "external", "final", "custom"),
        *("generic", "special", "additional", "original", "current", "previous"),
        *("certain", "another", "various", "several", "many", "few", "related"),
        *("similar", "normal", "regular", "actual", "appropriate", "necessary"),
        *("particular", "parent", "child", "base", "global", "local", "nested"),
        *("entire", "existing", "can", "may", "will", "must", "should"),
    ]
)
"""Words that begin a sentence, or stand beside "function" and the like, and name nothing."""


def statements(
    text: str, sources: Sequence[Citation], question: str, is_common: IsCommon = lambda _: False
) -> list[Statement]:
    """The sentences of a text, each with the sources that it cites by their numbers from 1 and, if any, what is wrong.

    Plain words of the question may be repeated; what is spelled as code must stand in the sources. `is_common` says
    whether a stem is all over the repository: then it proves nothing where it is shared, and is no invention.
    """
    found = [_judged(sentence, sources, question, is_common) for sentence in sentences(text[:MOST_TEXT])]
    return [one for one in found if one.text]


def are_mostly_unsupported(found: Sequence[Statement]) -> bool:
    """Whether more than half fail, or there is nothing."""
    return sum(not one.supported for one in found) * 2 > len(found) or not found


def sentences(text: str) -> list[str]:
    """The sentences and lines of a list; marks of a list and of code blocks are left out."""
    text = _FENCE.sub("\n", text)
    text = _MARKS_BEHIND.sub(r" \2\1 ", text)
    text = _GLUED.sub(r"\g<0> ", text)
    parts = [part.strip().lstrip("#*->•").strip() for part in _END.split(text) if part]
    return [part for part in parts if re.search(r"\w", _without_marks(part))]


def _without_marks(text: str) -> str:
    return _MARK.sub(lambda found: "" if found[1] else found[0], text)


def _judged(sentence: str, sources: Sequence[Citation], question: str, is_common: IsCommon) -> Statement:
    marks = [found[1] for found in _MARK.finditer(sentence) if found[1]]
    numbers = [int(number) for mark in marks for number in re.findall(r"\d+", mark)]
    text = " ".join(re.sub(r"\s+([.,;:!?])", r"\1", _without_marks(sentence)).split())
    if unknown := [number for number in numbers if not 1 <= number <= len(sources)]:
        return Statement(text, (), f"there is no source [{unknown[0]}]")
    cited = tuple(dict.fromkeys(sources[number - 1] for number in numbers))
    if not cited:
        return Statement(text, (), "it cites nothing")
    return Statement(text, cited, problem(text, cited, question, is_common))


def problem(text: str, cited: Sequence[Citation], question: str, is_common: IsCommon = lambda _: False) -> str:
    """What a sentence says that its sources do not; "" where they support it."""
    held = _Held("\n".join(f"{one.path}\n{one.quote}" for one in cited))
    asked = _Held(question)
    written, text = text, _NO_NAME.sub("", plain(text))
    if _LINES.search(text):
        return "it names lines itself"
    shared = False
    for kind, part in _parts(text):
        if not (held.has(part) or (kind == "word" and held.has(_NUMBER_WORDS[part]))):
            return f"{part!r} is not in its sources"
        shared = shared or (kind != "word" and not _is_everywhere(kind, part, is_common))
    looking = [plain(word) for word in re.findall(r"\w+", written) if not word.isascii()]  # like another, perhaps
    for word in (*_claimed_words(text), *looking):
        if not (held.has_word(word) or asked.has_word(word)):
            return f"{word!r} is not in its sources"
    for word in _plain_words(plain(written)):
        if not (is_ordinary(word) or held.has_meaning(word) or asked.has_word(word) or is_common(stem(word))):
            return f"{word!r} is not in its sources"
    return "" if shared else "it has nothing telling in common with its sources"


def _is_everywhere(kind: str, part: str, is_common: IsCommon) -> bool:
    """Whether a name is made of nothing but words that are all over the repository."""
    stems = words(part)
    return kind == "name" and bool(stems) and all(map(is_common, stems))


def plain(text: str) -> str:
    """A text with one form for each of its characters: a wide letter or a raised number is as any other."""
    return unicodedata.normalize("NFKC", text)


class _Held:
    """What a text has: its identifiers, words, and itself without differences of white space."""

    def __init__(self, text: str) -> None:
        text = plain(text)
        self.text = " ".join(text.split())
        self.low = self.text.lower()
        numbers = re.findall(r"(?:(?<![^\W_])|(?<=\b[vV]))\d[\d_]*(?:\.\d+)?", text)
        self.names = frozenset(IDENTIFIER.findall(text)) | {one.replace("_", "") for one in numbers} | {*numbers}
        self.stems = frozenset(words(text)) | {stem(name.lower()) for name in self.names}

    def has(self, part: str) -> bool:
        """Whether the text has a name, number or quotation as it is."""
        part = " ".join(part.split())
        plain = part.replace(",", "") if re.fullmatch(r"\d[\d,]*", part) else part
        if re.fullmatch(r"\w+", plain):
            return plain in self.names or (plain.isdigit() and str(int(plain)) in self.names)
        pieces = re.split(r"\.|::|->", plain)
        if len(pieces) > 1 and all(re.fullmatch(r"[^\W\d]\w*", piece) for piece in pieces):
            return self._holds(plain) or all(piece in self.names for piece in pieces)
        return self._holds(plain)

    def _holds(self, part: str) -> bool:
        """Whether a part stands in the text, and not only within longer names or numbers."""
        first, last = (r"(?<![\w.])(?<!\d,)" if part[:1].isdigit() else r"(?<!\w)", r"(?!\w)(?![.,]\d)")
        start = first if re.match(r"\w", part) else ""
        return bool(re.search(start + re.escape(part) + (last if re.search(r"\w\Z", part) else ""), self.text))

    def has_meaning(self, word: str) -> bool:
        """Whether the text has a word or one that means the same."""
        return self.has_word(word) or any(self.has_word(other) for other in synonyms.others(stem(word)))

    def has_word(self, word: str) -> bool:
        """Whether the text has a word in any form, also as a part of a name."""
        return stem(word.lower()) in self.stems or (len(word) > 3 and word.lower() in self.low)


def _parts(text: str) -> list[tuple[str, str]]:
    """(kind, text) of all in a sentence that must stand in its sources."""
    found: list[tuple[str, str]] = []
    rest = text
    for kind, pattern in (("path", _LINK), ("name", _TICKED), ("quotation", _QUOTED), ("path", _PATH)):
        for match in pattern.finditer(rest):
            part = next((group for group in match.groups() if group), match[0]).strip().rstrip(".,;:")
            if part:
                found.append((kind, part.removesuffix("()") if kind == "name" else part))
        rest = pattern.sub(" ", rest)
    found += [("name", one) for one in _CODE_NAME.findall(rest)]
    rest = _CODE_NAME.sub(" ", rest)
    found += [("number", one.rstrip(",")) for one in _NUMBER.findall(rest)]
    low = [word.lower() for word in re.findall(r"[A-Za-z]+", rest)]
    found += [("word", word) for word in low if word in _NUMBER_WORDS]
    return found


def _plain_words(text: str) -> list[str]:
    """The lower-case words of a sentence, but for what is quoted or spelled as code."""
    for pattern in (_LINK, _TICKED, _QUOTED, _PATH, _CODE_NAME):
        text = pattern.sub(" ", text)
    found = re.findall(r"(?<![\w'’])[a-z]{3,}(?![\w])", text)
    return [word for word in dict.fromkeys(found) if word not in _NUMBER_WORDS]


def _claimed_words(text: str) -> list[str]:
    """Plain words that may be a name: with a capital, first in a sentence, or beside words such as function."""
    prose = _QUOTED.sub(" ", _TICKED.sub(" ` ", text))
    first = re.match(r"[^\w`]*([A-Za-z]\w*)", text)  # what is behind a name in backticks is a verb
    found = [first[1]] if first else []
    for pattern in (_NAMED, _BEFORE_KIND, _BEHIND_KIND, _CAPITAL):
        found += [match[1] if match.groups() else match[0] for match in pattern.finditer(prose)]
    if first and is_ordinary(first[1].lower()):
        found = [word for word in found if word != first[1]]
    return [word for word in dict.fromkeys(found) if word.lower() not in _PLAIN and word.lower() not in _NUMBER_WORDS]
