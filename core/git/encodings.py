"""What bytes mean that are not UTF-8: the encoding that a file declares, else the one that its letters speak for."""

from __future__ import annotations

import codecs
import contextlib
import functools
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

LEAST_CONFIDENCE = 0.05
"""Of a guess. Of 936 made source files in 13 old encodings, 909 were guessed right and 6 wrong; of 504 in Latin-1 or
Windows-1252, 10 wrong."""
DOUBT = 0.1
"""Confidence of a guess below which similar texts count more. With a folder of 20 files in the same encoding, of these
files 926 were right and 2 wrong, and of those in Latin-1 or Windows-1252 2 wrong."""
_LEAST_VOTES, _LEAST_SHARE = 0.2, 0.75
"""Of similar texts: confidence of those with the same encoding, taken together, and their part of all."""
_CANDIDATES = (
    *("cp932", "euc-jp", "gb18030", "big5", "big5hkscs", "cp949", "koi8-r", "koi8-u", "cp866", "cp874"),
    *(f"windows-{number}" for number in range(1250, 1259)),
    *("iso-8859-2", "iso-8859-5", "iso-8859-7"),
)
"""What source files were written in before UTF-8. All read ASCII as ASCII, and end lines with a line feed."""
_LATIN = frozenset((*(f"cp{number}" for number in (1250, 1252, 1254, 1257, 1258)), "iso8859-2"))
"""Those in which most letters of a word are ASCII. In all others, letters beyond ASCII have neighbours."""
_EAST_ASIAN = frozenset(("cp932", "euc_jp", "gb18030", "big5", "big5hkscs", "cp949"))
_NEIGHBOURS = re.compile(r"[^\x00-\x7f]{2,}")
_CONTROLS = re.compile(rb"[\x80-\x9f]")
"""What Latin-1 reads as control characters, and Windows-1252 as quotes and dashes."""
_MARKS = (
    *(("utf-32-le", codecs.BOM_UTF32_LE), ("utf-32-be", codecs.BOM_UTF32_BE)),
    *(("utf-16-le", codecs.BOM_UTF16_LE), ("utf-16-be", codecs.BOM_UTF16_BE)),
)
"""The first mark is longer, and starts like the third."""
_SNIFFED_BYTES = 8000
"""git takes a file for binary if there is a NUL among its first bytes."""
_LEAST_UNMARKED = 8
"""Characters of a text in UTF-16 without a mark; fewer may be numbers."""
_LINE_END = re.compile(rb"\r*\n|\r")
_EVIDENCE_BYTES = 16_384
_HEAD_BYTES = 1024
_DECLARATION = re.compile(
    rb"\A(?:[^\n]*\n)?[^\n]*?coding[:=]\s*([-\w.]+)|<\?xml[^>]*?\bencoding=[\"']([-\w.]+)|<meta[^>]*?charset=[\"']?([-\w.]+)",
    re.IGNORECASE,
)
"""Of Python, Emacs or Vim in the first two lines, of XML, of HTML."""
_NO_TEXT = frozenset(("Cc", "Cn", "Co", "Cs"))
"""Categories of characters that nobody writes: controls, private and unassigned ones."""
_PLAIN = bytes(range(0x20, 0x5C)) + bytes(range(0x5D, 0x7F)) + rb"\u0041 \x41 +AEE- ~{"


class Encoding(NamedTuple):
    """An encoding other than UTF-8."""

    name: str
    """Python's name of it."""
    confidence: float
    """1 where it is declared."""
    is_guessed: bool

    def to_utf8(self, data: bytes, errors: str = "strict") -> bytes:
        """The same text in UTF-8. Raises UnicodeDecodeError."""
        return data.decode(self.name, errors).encode()

    @property
    def is_wide(self) -> bool:
        """True for UTF-16 and UTF-32. git is given such text in UTF-8 to compare, so patches have it in UTF-8."""
        return self.name.startswith(("utf-16", "utf-32"))

    def patch_to_utf8(self, lines: bytes, errors: str = "strict") -> bytes:
        """Lines of a patch in UTF-8. Raises UnicodeDecodeError."""
        return lines if self.is_wide else self.to_utf8(lines, errors)

    def reads(self, data: bytes) -> bool:
        """True where all of the data has a meaning in it."""
        try:
            data.decode(self.name)
        except UnicodeDecodeError:
            return False
        return True


def is_utf8(data: bytes) -> bool:
    """True for valid UTF-8, and so for ASCII."""
    if data.isascii():
        return True  # without a copy
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def is_binary(data: bytes) -> bool:
    """True for what git takes for binary."""
    return b"\0" in data[:_SNIFFED_BYTES]


def wide_encoding_of(data: bytes) -> Encoding | None:
    """The encoding of a text in UTF-16 or UTF-32 that git takes for binary; None for anything else.

    Its name has the byte order, so that a mark in front is a character of the text. Without one, half of the
    text must be ASCII, and all of it what people write.
    """
    if not is_binary(data):
        return None
    for name, mark in _MARKS:
        if data.startswith(mark) and _is_text(data, name):
            return Encoding(name, 1.0, is_guessed=False)
    head = data[:_SNIFFED_BYTES]
    for name, high in (("utf-16-le", head[1::2]), ("utf-16-be", head[::2])):
        if 2 * high.count(0) >= len(high) and _is_text(data, name, is_marked=False):
            return Encoding(name, 1.0, is_guessed=True)
    return None


def encoding_of(data: bytes, least_confidence: float = LEAST_CONFIDENCE) -> Encoding | None:
    """The encoding of a text; None for UTF-8, for Latin-1, and where nothing says enough."""
    return if_sure(evidence_in(data), data, least_confidence)


def evidence_in(data: bytes) -> Encoding | None:
    """What a text is likely to be in by what it says itself, however unsure; Windows-1252 where Latin-1 is the same.

    None for UTF-8, and where nothing speaks for anything.
    """
    if is_utf8(data):
        return None
    if found := _DECLARATION.search(data[:_HEAD_BYTES]):
        declared = declared_as(next(filter(None, found.groups())).decode("ascii", "replace"), data)
        if declared:
            return declared
    return _guess(data)


def if_sure(evidence: Encoding | None, data: bytes, least_confidence: float) -> Encoding | None:
    """The encoding that evidence in a text is enough for; None for Latin-1, which is read without a name."""
    return unless_latin_1(evidence, data) if evidence and evidence.confidence >= least_confidence else None


def unless_latin_1(found: Encoding | None, data: bytes) -> Encoding | None:
    """An encoding; None where the text is the same in Latin-1."""
    if found is None or found.name == "iso8859-1":
        return None
    return found if found.name != "cp1252" or not found.is_guessed or _CONTROLS.search(data) else None


def declared_as(name: str, data: bytes) -> Encoding | None:
    """A declared encoding, if it is one and reads the data."""
    declared = Encoding(codec_of(name), 1.0, is_guessed=False)
    return declared if declared.name != "utf-8" and declared.reads(data) else None


def voted(data: bytes, own: Encoding | None, others: Iterable[Encoding]) -> Encoding | None:
    """The encoding that similar texts speak for, where a text itself says little; else `own`, what it says itself."""
    if own and own.confidence >= DOUBT:
        return own
    weights: defaultdict[str, float] = defaultdict(float)
    for one in others:
        weights[one.name] += one.confidence
    if not weights:
        return own
    name, weight = max(weights.items(), key=lambda item: (item[1], item[0]))
    found = Encoding(name, weight / sum(weights.values()), is_guessed=True)
    is_clear = weight >= _LEAST_VOTES and found.confidence >= _LEAST_SHARE
    is_likely = own is None or _may_be_taken_for(own, name)
    return found if is_clear and is_likely and found.reads(data) and _has_words(_evidence(data), found) else own


def agreed(
    old: bytes, new: bytes, of_old: Encoding | None, of_new: Encoding | None
) -> tuple[Encoding | None, Encoding | None]:
    """The encodings of two versions of a text, given those of each alone.

    Versions with a line beyond ASCII in common have one encoding, so that this line is the same on
    both sides: the surer one if it reads both, else none. Without such a line a version that says too
    little, or leaves a doubt, takes the other's. A version in UTF-8 says what the lines of the other mean.
    """
    if is_utf8(new):
        return of_old if is_utf8(old) else _by_version(new, old) or of_old, of_new
    if is_utf8(old):
        return of_old, _by_version(old, new) or of_new
    known = [one for one in (of_new, of_old) if one]
    if not known:
        return None, None
    have_one = not _lines_beyond_ascii(old).isdisjoint(_lines_beyond_ascii(new))
    best, least = max(known, key=_confidence), min(known, key=_confidence)
    if len(known) == 2 and not have_one and not least.confidence < DOUBT <= best.confidence:
        return of_old, of_new
    if best.reads(old) and best.reads(new):
        return best, best
    return (None, None) if have_one else (of_old, of_new)


def texts_of(parts: Sequence[bytes], declared: str = "") -> tuple[list[str], str, bool]:
    """(texts, encoding, whether it is a guess) of what a commit says.

    UTF-8 if all parts are valid, else the declared encoding, else what they seem to be in, else Latin-1,
    which never fails.
    """
    for name in ("utf-8", codec_of(declared)):
        try:
            return [part.decode(name) for part in parts], name, False
        except ValueError:
            continue
    guess = encoding_of(b"\n".join(dict.fromkeys(parts)))
    name = guess.name if guess else "latin-1"
    return [part.decode(name) for part in parts], name, guess is not None


def with_line_feeds(message: bytes) -> bytes:
    """A message with line feeds for its line ends; the very same object where it has no others.

    Only carriage returns and line feeds end lines: form feeds and U+2028 are characters like any other.
    """
    return _LINE_END.sub(b"\n", message) if b"\r" in message else message


@functools.lru_cache(maxsize=1000)
def codec_of(declared: str) -> str:
    """Python's name of an encoding, "utf-8" for what is none, or would read plain ASCII as something else."""
    try:
        name = codecs.lookup(declared).name
        return name if _PLAIN.decode(name) == _PLAIN.decode("ascii") else "utf-8"
    except (LookupError, ValueError, TypeError):
        return "utf-8"


def _guess(data: bytes) -> Encoding | None:
    lines = [line for line in data.split(b"\n") if not line.isascii()]
    if 2 * sum(map(is_utf8, lines)) >= len(lines) or _is_damaged_utf8(data):
        return None
    import chardet

    evidence = _evidence(data)
    found = chardet.detect(evidence, include_encodings=_CANDIDATES)
    if not found["encoding"]:
        return None
    guess = Encoding(codecs.lookup(found["encoding"]).name, found["confidence"], is_guessed=True)
    return guess if guess.reads(data) and _has_words(evidence, guess) else None


def _evidence(data: bytes) -> bytes:
    """The lines beyond ASCII."""
    return b"\n".join([line for line in data.split(b"\n") if not line.isascii()])[:_EVIDENCE_BYTES]


def _may_be_taken_for(guess: Encoding, name: str) -> bool:
    """Whether a text that seems to be in one encoding may as well be in another."""
    if guess.confidence < LEAST_CONFIDENCE and (name in _EAST_ASIAN or guess.name not in _LATIN):
        return True  # two bytes a letter: what is read so, and makes words, is no Latin text
    return guess.name != "cp1252" and _family(guess.name) == _family(name)


def _family(name: str) -> str:
    """Encodings of one family are easily taken for each other."""
    return "Latin" if name in _LATIN else "East Asian" if name in _EAST_ASIAN else "one byte a letter"


def _is_text(data: bytes, name: str, *, is_marked: bool = True) -> bool:
    try:
        text = data.decode(name)
    except UnicodeDecodeError:
        return False
    if is_marked:
        return "\0" not in text  # else its copy in UTF-8 is binary, too
    is_mostly_ascii = len(text) >= _LEAST_UNMARKED and 2 * len(text.encode("ascii", "ignore")) >= len(text)
    return is_mostly_ascii and all(unicodedata.category(one) not in _NO_TEXT for one in set(text) - set("\t\n\r\f"))


def _is_damaged_utf8(data: bytes) -> bool:
    """True where four in five of the bytes beyond ASCII are valid UTF-8; of GBK, half may be by chance."""
    return 5 * _beyond_ascii(data.decode(errors="ignore").encode()) >= 4 * _beyond_ascii(data)


def _has_words(evidence: bytes, guess: Encoding) -> bool:
    """False where letters are as far apart as the signs and accents of Latin text."""
    if guess.name in _LATIN:
        return True
    text = evidence.decode(guess.name, "ignore")
    return 2 * sum(map(len, _NEIGHBOURS.findall(text))) >= len(text) - len(text.encode("ascii", "ignore"))


def _by_version(text: bytes, data: bytes) -> Encoding | None:
    """The encoding in which most lines of the data are lines of a text in UTF-8."""
    wanted = {line.strip() for line in text.decode("utf-8-sig").split("\n")}
    lines = _lines_beyond_ascii(data)
    for name in dict.fromkeys(("latin-1", "cp1252", *map(codec_of, _CANDIDATES))):
        with contextlib.suppress(UnicodeDecodeError):
            meant = {line.decode(name).strip() for line in lines}
            if 2 * len(meant & wanted) > len(meant):
                return Encoding(name, 1.0, is_guessed=True) if name != "latin-1" else None
    return None


def _lines_beyond_ascii(data: bytes) -> set[bytes]:
    return {line for line in data.split(b"\n") if not line.isascii()}


def _confidence(one: Encoding) -> float:
    return one.confidence


def _beyond_ascii(data: bytes) -> int:
    return len(data) - len(data.decode("ascii", "ignore"))
